"""Charts in the terminal: as text, and by `plot` without a picture."""

import sys
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.charts.chart import Chart, ChartSpan, Level, Point, Unit
from daemon.cli import record_access
from daemon.cli.output.times import DisplayClock
from daemon.cli.session import CommandSession
from daemon.cli.show import plot_draw
from daemon.cli.show.terminal_chart import BRAILLE, HEIGHT, PLAIN, draw
from daemon.types import DAY, HOUR, MINUTE, Millis
from tests.cli.calls import CHANNEL, RULE, account, call, on_terminal, write
from tests.cli.output.test_tables import Ascii
from tests.cli.past import FINE, LOW, NOTHING, lived
from tests.fakes import NOON, ManualClock
from tests.values import rule

BERLIN = ZoneInfo("Europe/Berlin")
CLOCK = DisplayClock(NOON + HOUR, BERLIN)
LATER = ManualClock(NOON + MINUTE)


def points(*values: str, since: Millis = NOON, every: Millis = MINUTE) -> tuple[Point, ...]:
    return tuple(Point(since + n * every, Decimal(value)) for n, value in enumerate(values))


def chart(*lines: tuple[Point, ...], until: Millis = NOON + 10 * MINUTE, **more: object) -> Chart:
    span = ChartSpan(NOON, until)
    return Chart("available_margin", "main", span, lines=lines, **more)  # type: ignore[arg-type]


def drawn(shown: Chart, columns: int = 40) -> list[str]:
    return list(draw(shown, CLOCK, columns, PLAIN))


def plot(shown: Chart, columns: int = 40) -> list[str]:
    """The cells of the plot, without labels, to its right edge."""
    lines = drawn(shown, columns)[1 : HEIGHT + 1]
    return [line.partition("|")[2] for line in lines]


def test_a_falling_value_goes_from_the_left_above_to_the_right_below() -> None:
    """Its extremes are labelled; every column has a dot."""
    lines = drawn(chart(points(*map(str, range(100, 89, -1)))))
    assert (lines[1][:7], lines[HEIGHT][:5]) == ("  100 |", "   90")
    cells = plot(chart(points(*map(str, range(100, 89, -1)))))
    assert cells[0].startswith("*")
    assert cells[-1].endswith("*")
    firsts = [line.find("*") for line in cells]
    assert firsts == sorted(firsts)
    width = 40 - 5 - 2
    assert all(any(line[n : n + 1] == "*" for line in cells) for n in range(width))


def test_a_step_is_a_vertical_line() -> None:
    """Within one run of points, though no value lies between."""
    cells = plot(chart(points("100", "100", "0", "0"), until=NOON + 3 * MINUTE))
    assert all("*" in line for line in cells)


def test_no_line_leads_over_a_gap() -> None:
    """Its columns stay empty, and the axis is marked."""
    gap = ChartSpan(NOON + 2 * MINUTE, NOON + 8 * MINUTE)
    shown = chart(points("1", "2", "1"), points("1", "2", "1", since=gap.until), gaps=(gap,))
    lines = drawn(shown)
    columns = [line.ljust(40)[15:28] for line in lines[1 : HEIGHT + 1]]
    assert not any("*" in column for column in columns)
    assert lines[HEIGHT + 1].count(".") > 15
    assert lines[-1] == "... no readings"


def test_levels_near_the_values_are_drawn_and_all_are_named() -> None:
    """A level far away would flatten the line; it is said instead."""
    levels = (
        Level(Decimal(95), "low"),
        Level(Decimal(98), "low", clear=True),
        Level(Decimal(9000), "high"),
    )
    lines = drawn(chart(points("100", "90"), levels=levels))
    dashed = [line for line in lines[1 : HEIGHT + 1] if "--" in line]
    assert [line.split("|")[0].strip() for line in dashed] == ["98", "95"]
    assert "levels: low 95, low ends at 98" in lines
    assert "too far away to be drawn: high 9000" in lines


def test_when_rules_fired_is_a_line_below() -> None:
    """At the columns of that time."""
    fired = ChartSpan(NOON + 5 * MINUTE, NOON + 10 * MINUTE)
    lines = drawn(chart(points("1", "2", since=NOON, every=10 * MINUTE), firing=(fired,)))
    (line,) = [each for each in lines if each.startswith("fires")]
    assert 15 <= line.count("=") <= 18
    assert line.endswith("=")


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (Unit.USDT, "163.70731204", "163.71"),
        (Unit.RATIO, "0.98381234", "0.9838"),
        (Unit.PERCENT, "0.4296", "42.96%"),
        (Unit.DURATION, "34001", "34 s"),
    ],
)
def test_values_have_their_unit(unit: Unit, value: str, text: str) -> None:
    """Rounded, as a person reads them; one value alone has a range around it."""
    lines = drawn(chart(points(value), unit=unit, note="a note"))
    assert f"last {text} at 12:00:00, lowest {text}, highest {text}" in lines
    assert lines[-1] == "a note"
    assert sum("*" in line for line in lines) == 1
    assert drawn(chart(points("0")))[-1] == "last 0 at 12:00:00, lowest 0, highest 0"


def test_the_axis_begins_with_a_young_record() -> None:
    """What lies before it is no gap that is worth room."""
    begin = NOON + DAY
    span = ChartSpan(NOON, begin + HOUR)
    before = ChartSpan(NOON, begin)
    young = Chart("x", "main", span, lines=(points("1", "2", since=begin),), gaps=(before,))
    lines = list(draw(young, DisplayClock(begin + HOUR, BERLIN), 60, PLAIN))
    assert lines[HEIGHT + 2].split() == ["12:00:00", "13:00:00"]
    assert set(lines[HEIGHT + 1].partition("|")[2]) == {"_"}


def test_without_a_value_a_sentence_says_so() -> None:
    """Instead of an empty plot."""
    assert drawn(chart()) == ["available_margin of main", "no reading has it in this span"]


@pytest.mark.parametrize("columns", [20, 48, 80, 200])
def test_it_fits_the_terminal(columns: int) -> None:
    """And braille dots have the same shape."""
    shown = chart(points("100", "90", "95"), levels=(Level(Decimal(95), "low"),))
    for signs in (BRAILLE, PLAIN):
        lines = list(draw(shown, CLOCK, columns, signs))
        plotted = lines[1 : HEIGHT + 3]
        assert max(map(len, plotted)) <= columns
    dots = "".join(draw(shown, CLOCK, columns, BRAILLE))
    assert any("\u2800" < each <= "\u28ff" for each in dots)


def past(folder: Path) -> Path:
    lived(folder, [rule("low")], [{"main": LOW, "grid": FINE}, {"main": FINE, "grid": FINE}])
    return write(folder, account(), account("grid"), RULE, CHANNEL)


def test_plot_draws_each_account_that_matches(tmp_path: Path) -> None:
    """In a pipe as in a terminal; with thresholds of the rules."""
    path = past(tmp_path)
    both = call("plot", "available_margin", "--config", path, clock=LATER)
    assert both.exit_code == 0
    heads = [line for line in both.stdout.splitlines() if line.startswith("available_margin of")]
    assert heads == ["available_margin of grid", "available_margin of main"]
    one = on_terminal(
        48, "plot", "availableMargin", "--account", "m*", "--config", path, clock=LATER
    )
    assert max(map(len, one)) <= 48
    assert "available_margin of main" in one
    assert "levels: low 100, low ends at 120" in one


def test_plot_without_a_record_is_a_sentence(tmp_path: Path) -> None:
    """As with a picture."""
    lived(tmp_path, [rule("low")], [NOTHING])
    path = write(tmp_path, account(), RULE, CHANNEL)
    shown = call("plot", "available_margin", "--config", path, clock=LATER).stdout
    assert shown.splitlines()[1] == "no reading has it in this span"


def test_a_terminal_without_utf8_gets_a_plain_chart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stars instead of dots, and nothing escaped."""
    path, terminal = past(tmp_path), Ascii()

    session = CommandSession(path=path, own_clock=LATER)
    with monkeypatch.context() as around, record_access.open_record(session) as record:
        around.setattr(sys, "stdout", terminal)
        wish = plot_draw.PlotOptions(("available_margin",), "main", None, None, None)
        plot_draw.show(record, wish, session)
    shown = terminal.text()
    assert "*" in shown
    assert "\\u" not in shown
