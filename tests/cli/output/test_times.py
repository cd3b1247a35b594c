"""Printing data and reading instants."""

import csv
import io
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.cli.output import times
from daemon.cli.output.instants import parse_instant
from daemon.cli.output.tables import Table, exact, write_csv, write_json
from daemon.cli.output.terminal import say
from daemon.errors import UsageError
from tests.cli.calls import Terminal
from tests.fakes import NOON

BERLIN = ZoneInfo("Europe/Berlin")


TWICE = "comes twice that day: write 02:30+02:00 or 02:30+01:00"
NEVER = "never comes that day, as clocks are put forward: write 02:30+01:00 or 02:30+02:00"


@pytest.fixture(params=["configured", "system"])
def berlin(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tzinfo | None]:
    """Named in the configuration, or that of the machine."""
    if request.param == "configured":
        yield BERLIN
        return
    with monkeypatch.context() as around:
        around.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield None
    time.tzset()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2026-10-25T02:30", TWICE),
        ("2026-10-25 02:30:00", TWICE),
        ("2026-10-25T02:30:05", TWICE.replace("02:30", "02:30:05")),
        ("2026-10-25T02:59:59.250", TWICE.replace("02:30", "02:59:59.250000")),
        ("2026-03-29T02:30", NEVER),
    ],
)
def test_a_local_time_that_is_no_single_instant_is_bad_usage(
    berlin: tzinfo | None, text: str, sentence: str
) -> None:
    """Ambiguous and skipped local times are refused: the offset must be written."""
    with pytest.raises(UsageError) as raised:
        parse_instant(text, NOON, berlin)
    assert str(raised.value) == f'"{text}" {sentence}'


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-10-25T01:59:59", "2026-10-24T23:59:59Z"),
        ("2026-10-25T03:00", "2026-10-25T02:00Z"),
        ("2026-10-25T02:30+02:00", "2026-10-25T00:30Z"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30Z"),
        ("2026-03-29T01:59:59", "2026-03-29T00:59:59Z"),
        ("2026-03-29T03:00", "2026-03-29T01:00Z"),
        ("2026-03-29T02:30+01:00", "2026-03-29T01:30Z"),
        ("2026-03-29", "2026-03-28T23:00Z"),
    ],
)
def test_beside_it_every_local_time_is_one_instant(
    berlin: tzinfo | None, text: str, meant: str
) -> None:
    """The hours around it, and the hour itself with its offset."""
    assert times.parse_iso(text, berlin) == times.parse_iso(meant, None)


@pytest.mark.parametrize(
    ("day", "zone", "begins"),
    [
        ("2026-04-24", "Africa/Cairo", "2026-04-23T22:00Z"),
        ("2026-11-01", "America/Havana", "2026-11-01T04:00Z"),
    ],
)
def test_a_day_alone_is_its_beginning(day: str, zone: str, begins: str) -> None:
    """Though its midnight never comes, or comes twice."""
    assert times.parse_iso(day, ZoneInfo(zone)) == times.parse_iso(begins, None)


@given(st.integers(0, 4_000_000_000_000), st.sampled_from([BERLIN, None, ZoneInfo("UTC")]))
def test_what_is_printed_for_programs_reads_back(at: int, zone: tzinfo | None) -> None:
    """ISO 8601 with offset, exact to the millisecond."""
    assert parse_instant(times.format_iso(at, zone), NOON, BERLIN) == at


def test_people_see_their_own_time() -> None:
    """In the configured zone, to the second."""
    assert times.format_time(NOON, BERLIN) == "2026-01-01 12:00:00"


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=10, min_value=-(10**20), max_value=10**20
    )
)
def test_exact_digits_have_the_same_value(value: Decimal) -> None:
    """Promise 7: no exponent, no idle zeros, nothing lost."""
    text = exact(value) or ""
    assert Decimal(text) == value
    assert "E" not in text
    assert not (text.endswith("0") and "." in text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-9"), "0.000000001"),
        (Decimal("Infinity"), "Infinity"),
    ],
)
def test_exact_digits_of_special_values(value: Decimal | None, text: str | None) -> None:
    """Unknown stays unknown, and an exponent is written out."""
    assert exact(value) == text


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_array_however_long(capsys: pytest.CaptureFixture[str], count: int) -> None:
    """An object a line, also none."""
    rows = [{"n": index, "text": 'ü"'} for index in range(count)]
    write_json(iter(rows))
    shown = capsys.readouterr().out
    assert json.loads(shown) == rows
    assert shown.count("\n") == (count + 2 if count else 1)


def test_csv_leaves_the_unknown_empty(capsys: pytest.CaptureFixture[str]) -> None:
    """With a header; what is not a column is left out."""
    write_csv(("a", "b"), [{"a": "x,y", "b": None, "c": 1}])
    shown = capsys.readouterr().out
    assert list(csv.reader(io.StringIO(shown))) == [["a", "b"], ["x,y", ""]]


def test_a_table_to_a_pipe_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    """Aligned with spaces; numbers to the right; no colour."""
    Table(("name", "margin"), [["main", "90"], ["b", "1000.5"]], frozenset({"margin"})).write()
    assert capsys.readouterr().out == "name  margin\nmain      90\nb     1000.5\n"


def test_a_table_on_a_terminal_takes_text_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that look like markup are shown, not obeyed."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    Table(("name", "state"), [["[red]main[/red]", "firing"]]).write()
    assert "[red]main[/red]" in terminal.getvalue()


def test_a_table_on_a_narrow_terminal_is_stacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow terminal each cell has its own line, instead of columns of three characters."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    names = ("id", "rule", "account", "state", "at")
    Table(
        names,
        [
            ["tuv4", "low-margin", "main", "firing", "2026-01-01"],
            ["", "", "", "resolved", "2026-01-02"],
        ],
    ).write()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    shown = [" ".join(line.split()) for line in plain.splitlines()]
    assert shown == [
        *("id tuv4", "rule low-margin", "account main", "state firing", "at 2026-01-01", ""),
        *("state resolved", "at 2026-01-02", ""),
    ]


def on_terminal(
    monkeypatch: pytest.MonkeyPatch, width: int, write: Callable[[], None]
) -> list[str]:
    """The lines that a terminal of this width sees, without colour."""
    with monkeypatch.context() as around:
        terminal = Terminal()
        around.setattr(sys, "stdout", terminal)
        around.setenv("COLUMNS", str(width))
        write()
    return [
        line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()).splitlines()
    ]


MESSAGES = Table(
    ("time", "message", "to"),
    [
        ["2026-01-10 02:05:01", "WARNING grid-1: al_freeze 960 (above 500)", "phone"],
        [
            "2026-01-10 02:10:01",
            "OVER grid-1: al_freeze 140 (frozen, 5 min)",
            "phone, mail",
        ],
    ],
)


def test_no_word_is_cut_on_a_phone(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 40 columns a message goes on below its beginning."""
    assert on_terminal(monkeypatch, 40, MESSAGES.write)[:5] == [
        "time     2026-01-10 02:05:01",
        "message  WARNING grid-1: al_freeze 960",
        "         (above 500)",
        "to       phone",
        "",
    ]


@pytest.mark.parametrize("width", range(30, 90, 6))
def test_every_word_is_whole_however_narrow_the_terminal(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """Columns fit their longest words, or rows are stacked; no line exceeds the terminal."""
    lines = on_terminal(monkeypatch, width, MESSAGES.write)
    assert max(map(len, lines)) <= width
    words = {word for line in lines for word in line.split()}
    assert {word for row in MESSAGES.rows for cell in row for word in cell.split()} <= words


def test_a_table_is_stacked_only_where_that_is_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 60 columns two lines a message, at 90 one."""
    assert len(on_terminal(monkeypatch, 60, MESSAGES.write)) == 2 + 4
    assert len(on_terminal(monkeypatch, 90, MESSAGES.write)) == 2 + 2


def test_a_sentence_is_wrapped_between_words_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipe gets it in one line."""
    sentence = "2026-01-10 02:00:00 to 2026-01-10 03:20:00, 1 h 20 min: 1 account"
    assert on_terminal(monkeypatch, 40, lambda: say(sentence)) == [
        "2026-01-10 02:00:00 to 2026-01-10",
        "03:20:00, 1 h 20 min: 1 account",
    ]
    say(sentence)
    say("")
    assert capsys.readouterr().out == f"{sentence}\n\n"


def test_a_table_on_a_wide_terminal_has_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row is one line where there is room."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    Table(("id", "rule", "state"), [["tuv4", "low-margin", "firing"]]).write()
    assert any(
        {"tuv4", "low-margin"} <= set(line.split()) for line in terminal.getvalue().splitlines()
    )
