"""Lines with labels: plain in a pipe, wrapped on a terminal."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.cli.output.lines import NARROWEST, LabelledLine, lay_out, write
from tests.cli.calls import Terminal

LINES: list[LabelledLine | str] = [
    "low-margin on main at 2026-01-01 12:00:30",
    LabelledLine("last input", "2026-01-01 12:00:03  a reading (rest, ok)"),
    "",
    LabelledLine("when", "max(available_margin, 10s) - available_margin > 100", "no"),
    LabelledLine("", "max(available_margin, 10s)", "500  (2 readings)", 1),
    LabelledLine("", "available_margin", "500", 2),
]


def test_a_pipe_gets_lines_as_they_are() -> None:
    """Values stand below each other, whatever it takes."""
    assert list(lay_out(LINES, None)) == [
        "low-margin on main at 2026-01-01 12:00:30",
        "last input  2026-01-01 12:00:03  a reading (rest, ok)",
        "",
        "when        max(available_margin, 10s) - available_margin > 100  no",
        "              max(available_margin, 10s)                         500  (2 readings)",
        "                available_margin                                 500",
    ]


def test_a_phone_gets_lines_that_go_on_below_themselves() -> None:
    """An instant is not split, a value follows its part, continuations do not look like parts."""
    assert list(lay_out(LINES, 40)) == [
        "low-margin on main at",
        "  2026-01-01 12:00:30",
        "last input  2026-01-01 12:00:03  a",
        "            reading (rest, ok)",
        "",
        "when        max(available_margin, 10s) -",
        "                available_margin > 100",
        "                no",
        "              max(available_margin, 10s)",
        "                  500  (2 readings)",
        "                available_margin  500",
    ]


def test_values_stay_aligned_as_far_as_there_is_room() -> None:
    """At 80 columns only what is longest sticks out."""
    assert list(lay_out(LINES, 80))[3:] == [
        "when        max(available_margin, 10s) - available_margin > 100  no",
        "              max(available_margin, 10s)                       500  (2 readings)",
        "                available_margin                               500",
    ]


texts = st.text("ab (),-→", max_size=90).map("x{}".format)
made = st.builds(
    LabelledLine,
    st.sampled_from(["", "muted", "clear_when"]),
    texts,
    st.just("") | texts,
    st.integers(0, 30),
)


@given(st.lists(st.one_of(made, texts, st.just("")), max_size=6), st.integers(NARROWEST, 90))
def test_nothing_is_cut_and_nothing_sticks_out(
    lines: list[LabelledLine | str], columns: int
) -> None:
    """Any text on any number of columns keeps its words; spaces may be added."""
    shown = list(lay_out(lines, columns))
    said = "".join(
        line if isinstance(line, str) else line.word + line.text + line.value for line in lines
    )
    assert "".join("".join(shown).split()) == "".join(said.split())
    assert all(len(line.rstrip()) <= columns for line in shown)


class Pipe(Terminal):
    def isatty(self) -> bool:
        return False


def test_a_terminal_is_asked_how_wide_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything else has no width."""
    for stream, count in ((Terminal(), 2), (Pipe(), 1)):
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setenv("COLUMNS", "40")
        write([LabelledLine("muted", "inhibited by margin-critical, which fires")])
        assert len(stream.getvalue().splitlines()) == count
