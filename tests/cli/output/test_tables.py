"""Tables and sentences on narrow and simple terminals."""

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.cli.output.tables import STYLES, Table
from daemon.cli.output.terminal import STDOUT, Styled, echo, say
from daemon.cli.output.times import DisplayClock
from daemon.config.template import quoted
from daemon.types import DAY, HOUR, Record, Severity
from tests.cli.calls import (
    CHANNEL,
    RULE,
    Terminal,
    account,
    call,
    collecting,
    coloured,
    on_terminal,
    write,
)
from tests.cli.past import FINE, LOW, alone, lived
from tests.fakes import NOON, ManualClock
from tests.values import reading, rule

LATER = ManualClock(NOON + HOUR)
COMMANDS = ("alerts", "notifications", "status", "silence list", "gaps", "backtest", "history")


def printed(monkeypatch: pytest.MonkeyPatch, width: int, write: Callable[[], None]) -> str:
    """What a terminal of this width is sent."""
    terminal = Terminal()
    with monkeypatch.context() as around:
        around.setattr(sys, "stdout", terminal)
        around.setenv("COLUMNS", str(width))
        around.setenv("TERM", "xterm")
        write()
    return terminal.getvalue()


def plain(text: str) -> list[str]:
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()]


ALERTS = Table(
    ("id", "rule", "account", "state", "lasted"),
    [["tuv4", "low-margin", "main", "firing", "2 min 36 s"]] * 4,
    optional=("account", "id"),
)


@pytest.mark.parametrize(
    ("width", "note", "columns"),
    [
        (80, None, "id rule account state lasted"),
        (44, None, "id rule account state lasted"),
        (40, "no room for account (main in all)", "id rule state lasted"),
        (30, "no room for id (tuv4 in all), account (main in all)", "rule state lasted"),
    ],
)
def test_a_narrow_terminal_lacks_optional_columns_and_says_so(
    monkeypatch: pytest.MonkeyPatch, width: int, note: str | None, columns: str
) -> None:
    """The first ones go first; one space between columns comes before that."""
    shown = plain(printed(monkeypatch, width, ALERTS.write))
    start = next(index for index, line in enumerate(shown) if line.split() == columns.split())
    assert " ".join(shown[:start]) == (note or "")
    assert len(shown) == start + 2 + 4
    assert max(map(len, shown)) <= width


def test_without_room_for_the_rest_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """20 columns: each cell below its column's name, and numbers are whole."""
    shown = plain(printed(monkeypatch, 18, ALERTS.write))
    assert shown[:11] == [
        *("id", "  tuv4", "rule", "  low-margin", "account", "  main"),
        *("state", "  firing", "lasted", "  2 min 36 s", ""),
    ]


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ("lasted 2 min 36 s", ["lasted", "2 min 36 s"]),
        ("since 2026-01-02 20:20:39", ["since", "2026-01-02 20:20:39"]),
        ("since mon 20:20:39", ["since", "mon 20:20:39"]),
        ("since 02 Jan 20:20:39", ["since", "02 Jan 20:20:39"]),
    ],
)
def test_no_cell_is_broken_inside_a_time(
    monkeypatch: pytest.MonkeyPatch, cell: str, parts: list[str]
) -> None:
    """A line ends before or behind it."""
    table = Table(("id", "why"), [["tuv4", cell]] * 3)
    shown = plain(printed(monkeypatch, 6 + len(cell) - 1, table.write))
    assert [line[6:] for line in shown[2:4]] == parts


@pytest.mark.parametrize("severity", Severity)
def test_what_fires_has_the_colour_of_its_severity(
    monkeypatch: pytest.MonkeyPatch, severity: Severity
) -> None:
    """Information is not red; NO_COLOR is heeded."""
    table = Table(("state",), [["firing"]], severities=[severity.value])
    code = {"bold red": "1;31", "yellow": "33", "cyan": "36"}[STYLES[severity.value]]
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert f"\x1b[{code}mfiring" in printed(monkeypatch, 80, table.write)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in printed(monkeypatch, 80, table.write)
    assert "31m" not in printed(monkeypatch, 80, lambda: echo(Styled("FAIL", fg="red")))


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        (0, "11:00:00"),
        (1, "wed 11:00:00"),
        (6, "fri 11:00:00"),
        (7, "25 Dec 11:00:00"),
        (300, "07 Mar 11:00:00"),
        (301, "2025-03-06 11:00:00"),
    ],
)
def test_times_in_a_cell_are_short(days: int, shown: str) -> None:
    """As near as they are."""
    assert DisplayClock(NOON, ZoneInfo("UTC")).short_time(NOON - days * DAY) == shown


class Ascii(io.TextIOWrapper):
    """A terminal without UTF-8, as `main` sets it up."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="ascii", errors="backslashreplace")

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        self.flush()
        self.seek(0)
        return self.read()


def test_a_terminal_without_utf8_gets_plain_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours have a plain form, and names are escaped, so nothing is lost."""
    terminal = Ascii()
    with monkeypatch.context() as around:
        around.setattr(sys, "stdout", terminal)
        around.setenv("COLUMNS", "40")
        Table(("was", "now"), [["1 → 2", "low · größe"]]).write()
        echo("1 → 2…")
        STDOUT.write("∞\n")
    shown = plain(terminal.text())
    assert shown[2].split("|")[0].strip() == "1 -> 2"
    assert "low / gr\\xf6\\xdfe" in shown[2].replace("|", " ")
    assert shown[3:] == ["1 -> 2...", "infinite"]


def test_sentences_are_wrapped_on_a_terminal_and_layouts_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Errors go the same way; a long path is not cut."""
    path = "/a/path/that/is/longer/than/the/terminal"
    lines = plain(printed(monkeypatch, 20, lambda: say(f"the file {path} is not there")))
    assert lines == ["the file", path, "is not there"]
    assert plain(printed(monkeypatch, 20, lambda: say("    when = x < 100 and y"))) == [
        "    when = x < 100 and y"
    ]
    error = Terminal()
    with monkeypatch.context() as around:
        around.setattr(sys, "stderr", error)
        around.setenv("COLUMNS", "20")
        say("there is no such account here", err=True)
        around.setattr(sys, "stderr", None)
        say("nobody reads this", err=True)
    assert error.getvalue() == "there is no such\naccount here\n"


@pytest.mark.parametrize(("watched", "code"), [(True, "32"), (False, "31")])
def test_the_first_line_of_status_has_the_colour_of_its_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watched: bool, code: str
) -> None:
    """Red where nobody watches, green where all is well."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    path = write(tmp_path, account(), RULE, CHANNEL)
    asked = 80, "status", "--config", path
    with collecting(tmp_path, Record("main", reading(1, NOON))):
        shown = coloured(*asked, clock=ManualClock(NOON))
    if not watched:
        shown = coloured(*asked, clock=ManualClock(NOON))
    assert shown.startswith(f"\x1b[{code}m")


def past(folder: Path) -> Path:
    """A record with alerts, gaps and a silence."""
    lived(folder, [rule("margin-critical")], alone(*[LOW, FINE] * 3, LOW))
    path = write(folder, account(), RULE.replace('"low"', '"margin-critical"'), CHANNEL)
    about = ("--rule", "margin*", "--for", "3d", "--comment", "moving funds around")
    assert call("silence", "add", *about, "--config", path, clock=LATER).exit_code == 0
    return path


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", [48, 80, 120])
def test_each_listing_fits_its_terminal(tmp_path: Path, command: str, width: int) -> None:
    """At 48, 80 and 120 columns no line is longer; but for `status` each has a table."""
    path = past(tmp_path)
    shown = on_terminal(width, *command.split(), "--config", path, clock=LATER)
    assert max(map(len, shown)) <= width
    assert any(set(line.strip()) == {"─"} for line in shown)


def test_alerts_have_one_line_each_at_48_columns(tmp_path: Path) -> None:
    """Rule, state, time and value; what is left out stands above."""
    shown = on_terminal(48, "alerts", "--config", past(tmp_path), clock=LATER)
    start = next(index for index, line in enumerate(shown) if "─" in line)
    assert " ".join(shown[: start - 1]).startswith("no room for ")
    states = [line.split()[-3:-1] for line in shown[start + 1 :] if ":" in line][:2]
    assert states == [["firing", "12:00:00"], ["resolved", "12:00:05"]]


def test_a_failing_case_is_wrapped_between_words(tmp_path: Path) -> None:
    """`rules test` at 48 columns: names of cases, and what differs."""
    path = write(tmp_path, account(), RULE, CHANNEL)
    name = "the margin falls below a hundred, and rises above a hundred and twenty again"
    (tmp_path / "rules.test.toml").write_text(
        f'[[tests]]\nname = {quoted(name)}\nseries.available_margin = "110 90 130"\n'
        'expect = ["10s low firing"]\n',
        encoding="utf-8",
    )
    shown = on_terminal(48, "rules", "test", "--config", path)
    assert max(len(line) for line in shown if str(tmp_path) not in line) <= 48
    first = shown.index("FAIL  the margin falls below a hundred, and")
    assert shown[first + 1].startswith("      rises above a hundred")
