"""Options that several commands share."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from daemon.cli import COMMANDS, commands
from daemon.types import SECOND
from tests.cli.calls import CHANNEL, RULE, account, call, record, write
from tests.cli.past import LOW, alone, lived
from tests.fakes import NOON, ManualClock
from tests.values import rule


@pytest.mark.parametrize(
    "command",
    ["history", "gaps", "alerts", "notifications", "status", "silence list", "backtest"],
)
def test_json_is_short_for_its_format(tmp_path: Path, command: str) -> None:
    """Every command that has formats takes it, beside the long form."""
    record(tmp_path)
    path = write(tmp_path, account(), RULE, CHANNEL)
    shown = [
        call(*command.split(), *asked, "--config", path, clock=ManualClock(NOON))
        for asked in (["--json"], ["--format", "json"], ["--format", "csv", "--json"])
    ]
    assert shown[0].stdout == shown[1].stdout == shown[2].stdout
    assert shown[0].stdout.strip()[0] in "[{"


def leaves(
    group: click.Group = commands, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """All commands with their full names."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from leaves(found, (*path, name))
        else:
            yield " ".join((*path, name)), found


ALL = dict(leaves())
NO_DATA = frozenset(
    {"demo", "init", "secret", "rules add", "run", "plot", "last-words", "completion"}
    | {"db upgrade", "db backup", "db restore"}
)
"""The commands whose output is no data."""
BULK = frozenset({"export"})
"""The commands whose formats are for files: csv and jsonl."""


@pytest.mark.parametrize("name", sorted(ALL.keys() - NO_DATA - BULK))
def test_every_command_that_prints_data_has_json(name: str) -> None:
    """Both spellings."""
    options = {each for one in ALL[name].params for each in one.opts}
    assert {"--json", "--format"} <= options
    assert {name.split()[0] for name in ALL} == set(COMMANDS)


LATER = ManualClock(NOON + 10 * SECOND)


def answered(path: Path, *arguments: str) -> object:
    """The document that a command prints."""
    result = call(*arguments, "--json", "--config", path, clock=LATER)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_ack_and_silences_for_programs(tmp_path: Path) -> None:
    """The silence as `silence list` has it; an ack says whether it is new; ends say if they did."""
    lived(tmp_path, [rule("low")], alone(LOW))
    path = write(tmp_path)
    [alert] = json.loads(call("alerts", "--json", "--config", path, clock=LATER).stdout)
    first, again = (answered(path, "ack", alert["id"]) for _ in range(2))
    assert isinstance(first, dict)
    assert (first["alert"], first["what"], first["new"]) == (alert["id"], "ack", True)
    assert again == first | {"new": False}
    added = answered(path, "silence", "add", "--rule", "low", "--for", "2h")
    assert isinstance(added, list)
    assert [(each["rule"], each["open"]) for each in added] == [("low", [alert["id"]])]
    ended = answered(path, "silence", "end", str(first["number"]))
    assert isinstance(ended, list)
    assert [(each["number"], each["ended"]) for each in ended] == [(first["number"], True)]


def test_explain_for_programs(tmp_path: Path) -> None:
    """Parts of the condition with values, the alert, and what was told; durations have a unit."""
    lived(tmp_path, [rule("low", "age > 1ms or available_margin < 100")], alone(LOW))
    path = write(tmp_path)
    found = answered(path, "explain", "low")
    assert isinstance(found, dict)
    assert (found["answer"], found["alert"]["state"]) == ("watched", "firing")
    assert [each["to"] for each in found["transitions"]] == ["firing"]
    age, margin = (part["parts"][0] for part in found["when"]["parts"])
    assert (age["text"], age["unit"]) == ("age", "ms")
    assert (margin["text"], margin["value"]) == ("available_margin", "90")
    assert "unit" not in margin


def test_check_for_programs(tmp_path: Path) -> None:
    """One object with all lists, also where the file has mistakes; the exit status stays."""
    path = write(tmp_path, account(), RULE, CHANNEL)
    found = answered(path, "check")
    assert isinstance(found, dict)
    assert (found["good"], found["mistakes"]) == (True, [])
    assert found["accounts"] == [{"account": "main", "every_ms": 5000, "wanted_ms": 5000}]
    path = write(tmp_path, account(), RULE.replace("<", "<<"), CHANNEL)
    result = call("check", "--json", "--config", path)
    assert result.exit_code == 78
    found = json.loads(result.stdout)
    assert (found["good"], found["exit_status"], len(found["mistakes"])) == (False, 78, 1)


def test_ack_without_an_id_lists_those_that_are_open(tmp_path: Path) -> None:
    """And an ack says how to take it back."""
    lived(tmp_path, [rule("low")], alone(LOW))
    path = write(tmp_path)
    [alert] = json.loads(call("alerts", "--json", "--config", path, clock=LATER).stdout)
    result = call("ack", "--config", path, clock=LATER)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"say which alert: there are {alert['id']} (low · main)\n"
    told = call("ack", alert["id"], "--config", path, clock=LATER).stdout
    assert told.endswith("no more reminders of it; marginwatch silence end 1 takes it back\n")
