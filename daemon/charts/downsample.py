"""Reduces readings to the lines of a chart, so that any number of them fits a picture. Pure.

    readings ──► `mark_gaps`: marks missing readings, also where only the distance shows them
             ──► `thin_out`:  first, lowest, highest and last per column; lines broken at gaps

One pass, so a year takes no more memory than an hour. No point is invented or moved, and a line
ends where readings are missing.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, islice, pairwise
from statistics import median
from typing import NamedTuple

from daemon.charts.chart import ChartSpan, Point
from daemon.types import Millis

COLUMNS = 640
"""Columns of a chart, about one per pixel."""

FACTOR = 3
"""Readings further apart than this many usual distances have a gap between them."""

RECENT = 9
"""Number of distances whose median is the usual one.

A new interval counts as usual after half as many.
"""

FIRST = 17
"""Readings that give the usual distance at the start."""

ENOUGH = 5
"""Fewer distances than this give no usual distance."""


class ChartPoint(NamedTuple):
    """A reading's value. None is a miss, or a field that was not sent."""

    at: Millis
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class FieldLine:
    """The lines, gaps and infinite spans of a field."""

    lines: tuple[tuple[Point, ...], ...] = ()
    gaps: tuple[ChartSpan, ...] = ()
    infinite: tuple[ChartSpan, ...] = ()


def downsample(
    marks: Iterable[ChartPoint], span: ChartSpan, every: Millis | None, columns: int = COLUMNS
) -> FieldLine:
    """Reduce the points of a span, oldest first, to what a chart shows.

    `every` is the account's polling interval, if known. A different interval in the record is
    recognised from the readings.
    """
    within = (mark for mark in marks if span.since <= mark.at < span.until)
    return thin_out(mark_gaps(within, span, every), span, columns)


def mark_gaps(
    marks: Iterable[ChartPoint], span: ChartSpan, every: Millis | None
) -> Iterator[ChartPoint]:
    """Add a missing point between readings that are too far apart, also at the ends of the span."""
    rest = iter(marks)
    first = list(islice(rest, FIRST))
    pace, last = _Pace.of(first, every), span.since
    for mark in chain(first, rest):
        if mark.value is not None:
            if not pace.usual(mark.at - last):
                yield ChartPoint(last, None)
            if last > span.since:
                pace.take(mark.at - last)
            last = mark.at
        yield mark
    if not pace.usual(span.until - last):
        yield ChartPoint(last, None)


@dataclass(slots=True)
class _Pace:
    """The usual distance of readings."""

    recent: deque[Millis]
    least: Millis
    """Distance that is always accepted."""

    @classmethod
    def of(cls, marks: Sequence[ChartPoint], every: Millis | None) -> "_Pace":
        instants = [mark.at for mark in marks if mark.value is not None]
        distances = [after - before for before, after in pairwise(instants)]
        usual = int(median(distances)) if len(distances) >= ENOUGH else every or 0
        return cls(deque([usual] * RECENT, RECENT), FACTOR * (every or 0))

    def usual(self, distance: Millis) -> bool:
        return distance <= self.least or distance <= FACTOR * sorted(self.recent)[RECENT // 2]

    def take(self, distance: Millis) -> None:
        self.recent.append(distance)


def thin_out(marks: Iterable[ChartPoint], span: ChartSpan, columns: int = COLUMNS) -> FieldLine:
    """Reduce points to lines of at most four points per column.

    A gap within one column cannot be seen and breaks no line.
    """
    sketch = _Sketch(span, columns)
    for mark in marks:
        if mark.value is None:
            sketch.miss()
        elif mark.value.is_finite():
            sketch.draw(Point(mark.at, mark.value))
        else:
            sketch.leave_out(mark.at)
    return sketch.finish()


@dataclass(slots=True)
class _Column:
    """The extreme points of one column, each with its index in the column."""

    index: int
    first: tuple[int, Point]
    low: tuple[int, Point]
    high: tuple[int, Point]
    last: tuple[int, Point]

    @classmethod
    def begun(cls, index: int, point: Point) -> "_Column":
        return cls(index, *[(0, point)] * 4)

    def add(self, point: Point) -> None:
        self.last = one = (self.last[0] + 1, point)
        if point.value < self.low[1].value:
            self.low = one
        elif point.value > self.high[1].value:
            self.high = one

    def points(self) -> list[Point]:
        """The points by time, each once."""
        return [point for _, point in sorted({self.first, self.low, self.high, self.last})]


@dataclass(slots=True)
class _Sketch:
    """Builds the lines point by point."""

    span: ChartSpan
    columns: int
    lines: list[list[Point]] = field(default_factory=list)
    gaps: list[ChartSpan] = field(default_factory=list)
    infinite: list[ChartSpan] = field(default_factory=list)
    column: _Column | None = None
    read_at: Millis | None = None
    """Instant of the last reading, whatever its value."""
    missing_since: Millis | None = None
    infinite_since: Millis | None = None
    broken: bool = True
    """Whether the next point begins a new line."""

    def miss(self) -> None:
        if self.missing_since is None:
            self.missing_since = self.span.since if self.read_at is None else self.read_at
            self._end_infinite(self.missing_since)

    def leave_out(self, at: Millis) -> None:
        self._end_gap(at)
        self.broken = True
        if self.infinite_since is None:
            self.infinite_since = at
        self.read_at = at

    def draw(self, point: Point) -> None:
        self._end_gap(point.at)
        self._end_infinite(point.at)
        self.read_at = point.at
        index = self._index(point.at)
        if self.column is not None and self.column.index == index:
            self.column.add(point)
            self.broken = False
            return
        self._put()
        if self.broken:
            self.lines.append([])
        self.column, self.broken = _Column.begun(index, point), False

    def finish(self) -> FieldLine:
        self._put()
        self._end_gap(self.span.until)
        self._end_infinite(self.span.until)
        return FieldLine(tuple(map(tuple, self.lines)), tuple(self.gaps), tuple(self.infinite))

    def _put(self) -> None:
        if self.column is not None:
            self.lines[-1] += self.column.points()

    def _end_gap(self, at: Millis) -> None:
        if self.missing_since is None:
            return
        if self._index(self.missing_since) != self._index(at):
            self.gaps.append(ChartSpan(self.missing_since, at))
            self.broken = True
        self.missing_since = None

    def _end_infinite(self, at: Millis) -> None:
        if self.infinite_since is None:
            return
        begun = ChartSpan(self.infinite_since, at)
        if self.infinite and self._index(self.infinite[-1].until) == self._index(begun.since):
            begun = ChartSpan(self.infinite.pop().since, at)
        self.infinite.append(begun)
        self.infinite_since = None

    def _index(self, at: Millis) -> int:
        return (at - self.span.since) * self.columns // max(1, self.span.until - self.span.since)
