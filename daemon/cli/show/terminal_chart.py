"""A chart as lines of text: of braille dots, or of plain characters without UTF-8. Pure.

168.35 |⠢⡀      ⢀⠔⠊⠉     values, low and high of each column
   100 |┄┄⠣⡀┄┄┄⡠⠃┄┄┄┄    a level of a rule
 37.83 |   ⠑⠤⠤⠊
 fires      ━━━━         when the rules fired
       14:02:32 14:35:12
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from daemon.charts.chart import Chart, ChartSpan, Level, Point, Unit
from daemon.cli.output.times import DisplayClock
from daemon.text.numbers import format_amount, format_duration, format_percentage, rough
from daemon.types import Millis

HEIGHT = 12
"""Lines of the plot."""

NARROWEST = 8
"""The fewest columns of the plot."""

WIDEST = 120

_ROWS = 4
"""Dots of a cell, one above the other; two stand side by side."""

_BRAILLE = 0x2800
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a braille cell, by row and column."""

_NEAR = Decimal("0.5")
"""Share of the range of the values; a level further away than this is not drawn, but named."""


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of a chart."""

    level: str
    axis: str
    gap: str
    fires: str
    dot: str = ""
    """Stands for any dots in a cell; empty for braille."""


BRAILLE = Signs("┄", "─", "╌", "━")
PLAIN = Signs("-", "_", ".", "=", "*")


@dataclass(frozen=True, slots=True)
class _Scale:
    """The range of values and times, and the size of the plot in cells."""

    low: Decimal
    high: Decimal
    span: ChartSpan
    width: int

    def column(self, at: Millis, per_cell: int = 2) -> int:
        """The column of an instant, in dots, or in cells with `per_cell` 1."""
        last = self.width * per_cell - 1
        part = (at - self.span.since) / max(1, self.span.until - self.span.since)
        return min(last, max(0, round(part * last)))

    def row(self, value: Decimal, per_cell: int = _ROWS) -> int:
        """The row of a value from above, in dots, or in cells with `per_cell` 1."""
        last = HEIGHT * per_cell - 1
        return round((self.high - value) / (self.high - self.low) * last)


def draw(chart: Chart, clock: DisplayClock, columns: int, signs: Signs = BRAILLE) -> Iterator[str]:
    """The lines of a chart on so many columns."""
    points = [point for line in chart.lines for point in line]
    yield f"{chart.field} of {chart.account}"
    if not points:
        yield "no reading has it in this span"
        return
    near, far = _levels(chart, points)
    levels = [each.value for each in near]
    low, high = _range([*(each.value for each in points), *levels])
    marked = (low, high, *levels)
    margin = max(len("fires"), *(len(format_value(chart, value)) for value in marked))
    width = max(NARROWEST, min(WIDEST, columns) - margin - 2)
    scale = _Scale(low, high, _span(chart, points), width)
    labels = {scale.row(value, 1): format_value(chart, value) for value in marked}
    for row, cells in enumerate(_plot(chart, near, scale, signs)):
        yield f"{labels.get(row, ''):>{margin}} |{cells}".rstrip()
    yield f"{'':>{margin}} |{_marked(chart.gaps, scale, signs.gap, signs.axis)}"
    if chart.firing:
        yield f"{'fires':>{margin}}  {_marked(chart.firing, scale, signs.fires, ' ')}".rstrip()
    yield f"{'':>{margin}}  {_times(scale, clock)}"
    yield from _legend(chart, points, far, signs, clock)


def format_value(chart: Chart, value: Decimal) -> str:
    """The value in the unit of the chart, rounded."""
    match chart.unit:
        case Unit.PERCENT:
            return format_percentage(value)
        case Unit.DURATION:
            return format_duration(int(value))
        case _:
            return format_amount(rough(value))


def _levels(chart: Chart, points: Sequence[Point]) -> tuple[list[Level], list[Level]]:
    """The levels near the values, and those that are too far away to be drawn."""
    values = [each.value for each in points]
    low, high = _range(values)
    reach = (high - low) * _NEAR
    near = [each for each in chart.levels if low - reach <= each.value <= high + reach]
    return near, [each for each in chart.levels if each not in near]


def _range(values: Iterable[Decimal]) -> tuple[Decimal, Decimal]:
    """The lowest and the highest value; of one value a range around it."""
    found = sorted(values)
    low, high = found[0], found[-1]
    if low == high:
        around = abs(low) / 10 or Decimal(1)
        return low - around, high + around
    return low, high


def _span(chart: Chart, points: Sequence[Point]) -> ChartSpan:
    """The time axis: it begins with the record, where that is younger than the span."""
    known = [each.since for each in chart.gaps if each.since > chart.span.since]
    return ChartSpan(min([points[0].at, *known]), chart.span.until)


def _plot(chart: Chart, levels: Sequence[Level], scale: _Scale, signs: Signs) -> Iterator[str]:
    """The lines of the plot: dots before levels."""
    dots = {dot for line in chart.lines for dot in _dots(line, scale)}
    rows_of_levels = {scale.row(each.value, 1) for each in levels}
    for row in range(HEIGHT):
        ground = signs.level if row in rows_of_levels else " "
        yield "".join(_cell(dots, row, column, signs) or ground for column in range(scale.width))


def _dots(line: Sequence[Point], scale: _Scale) -> Iterator[tuple[int, int]]:
    """The dots of one run of points, each joined with the one before."""
    before: tuple[int, int] | None = None
    for point in line:
        here = scale.column(point.at), scale.row(point.value)
        yield from _joined(before or here, here)
        before = here


def _joined(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The dots from one to another, as a straight line."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    for step in range(steps + 1):
        yield (
            start[0] + round((end[0] - start[0]) * step / steps),
            start[1] + round((end[1] - start[1]) * step / steps),
        )


def _cell(dots: set[tuple[int, int]], row: int, column: int, signs: Signs) -> str:
    """The character of a cell; empty without a dot in it."""
    bits = sum(
        _BITS[down][right]
        for down in range(_ROWS)
        for right in range(2)
        if (column * 2 + right, row * _ROWS + down) in dots
    )
    return (signs.dot or chr(_BRAILLE + bits)) if bits else ""


def _marked(spans: Iterable[ChartSpan], scale: _Scale, mark: str, ground: str) -> str:
    """A line with marks in the columns of the spans."""
    cells = [ground] * scale.width
    for since, until in spans:
        if until <= scale.span.since:
            continue
        for column in range(scale.column(since, 1), scale.column(until, 1) + 1):
            cells[column] = mark
    return "".join(cells)


def _times(scale: _Scale, clock: DisplayClock) -> str:
    """The first and the last instant, at either end; without room for both the first one."""
    first, last = clock.short_time(scale.span.since), clock.short_time(scale.span.until)
    room = scale.width - len(first)
    return f"{first}{last:>{room}}" if room > len(last) else first


def _legend(
    chart: Chart, points: Sequence[Point], far: Sequence[Level], signs: Signs, clock: DisplayClock
) -> Iterator[str]:
    last, values = points[-1], [each.value for each in points]
    low, high = (format_value(chart, value) for value in (min(values), max(values)))
    now = format_value(chart, last.value)
    yield f"last {now} at {clock.short_time(last.at)}, lowest {low}, highest {high}"
    near = [each for each in chart.levels if each not in far]
    for title, found in (("levels", near), ("too far away to be drawn", far)):
        if found:
            yield f"{title}: {', '.join(_named(chart, each) for each in found)}"
    if chart.gaps:
        yield f"{signs.gap * 3} no readings"
    if chart.note:
        yield chart.note


def _named(chart: Chart, level: Level) -> str:
    return f"{level.rule} {'ends at ' if level.clear else ''}{format_value(chart, level.value)}"
