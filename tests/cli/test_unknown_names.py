"""A mistyped account, rule or channel is bad usage on every command, with a suggestion."""

from pathlib import Path

import click
import pytest

from tests.cli.calls import CHANNEL, RULE, account, call, write
from tests.cli.past import FINE, LOW, lived
from tests.cli.test_options import ALL, LATER
from tests.values import rule

RULE_OF_BOTH = RULE.replace('"low"', '"low-margin"')

CALLS = {
    "export": ("alerts",),
    "explain": ("low-margin",),
    "rules add": ("low-margin",),
    "plot": ("available_margin", "--png", "never.png"),
    "silence add": ("--for", "2h"),
}
"""What a command needs beside the option."""

NAMES = {"--account": ("mian", "main"), "--rule": ("low-margn", "low-margin")}
NAMES["--channel"] = ("hok", "hook")

OPTIONS = [
    (name, option)
    for name, command in sorted(ALL.items())
    for option in NAMES
    if any(option in each.opts for each in command.params)
]


def both(folder: Path) -> Path:
    """The record of two accounts, of which one had an alert."""
    lived(folder, [rule("low-margin")], [{"main": LOW, "grid": FINE}, {"main": FINE, "grid": FINE}])
    return write(folder, account(), account("grid"), RULE_OF_BOTH, CHANNEL)


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_a_mistyped_name_is_bad_usage(tmp_path: Path, command: str, option: str) -> None:
    """Each option of each command, one sentence."""
    path = both(tmp_path)
    written, meant = NAMES[option]
    more = CALLS.get(command, ())
    result = call(*command.split(), *more, option, written, "--config", path, clock=LATER)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert f'did you mean "{meant}"?' in result.stderr


def test_every_command_with_names_is_tried() -> None:
    """So that a new one is not forgotten; `import` has its names in the file."""
    assert {name for name, _ in OPTIONS} == {
        *("alerts", "backtest", "explain", "export", "gaps", "history", "notifications", "plot"),
        *("rules add", "silence add", "status"),
    }


def test_a_mistyped_argument_is_bad_usage(tmp_path: Path) -> None:
    """The rule of `explain`; an id of `ack`, which is listed; a command."""
    path = both(tmp_path)
    of = ("--account", "main", "--config", path)
    assert 'did you mean "low-margin"?' in call("explain", "low-margn", *of, clock=LATER).stderr
    assert "none is open" in call("ack", "zzzz", "--config", path, clock=LATER).stderr
    assert 'did you mean "status"?' in call("statsu").stderr
    file = tmp_path / "old.csv"
    file.write_text("account,time,available_margin\nmian,1767200000,1\n", encoding="utf-8")
    assert 'did you mean "main"?' in call("import", file, "--config", path, clock=LATER).stderr


@pytest.mark.parametrize("glob", ["ma*", "m?in"])
def test_status_and_explain_take_patterns(tmp_path: Path, glob: str) -> None:
    """`status` shows those that match, `explain` needs exactly one."""
    path = both(tmp_path)
    shown = call("status", "--account", glob, "--config", path, clock=LATER).stdout
    assert "main" in shown
    assert "grid" not in shown
    found = call("explain", "low-margin", "--account", glob, "--config", path, clock=LATER)
    assert found.stdout.startswith("low-margin on main at ")
    several = call("explain", "low-margin", "--account", "*", "--config", path, clock=LATER)
    assert several.stderr == (
        '"*" matches several; say which account: --account NAME; there are grid, main\n'
    )


def test_options_of_names_are_declared_alike() -> None:
    """Each is normalised as names of the configuration are."""
    for name, option in OPTIONS:
        found = next(each for each in ALL[name].params if option in each.opts)
        assert isinstance(found, click.Option)
        assert found.type.name == "name"
