"""The horizontal axis of a chart: round local times, few enough for a phone. Pure.

Tried instead: matplotlib's AutoDateLocator with ConciseDateFormatter. It leaves two ticks of ten
minutes, puts the day into a corner of the picture, and labels seconds with two digits.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial
from typing import NamedTuple, TypeAlias

from daemon.charts.chart import ChartSpan
from daemon.types import DAY, HOUR, MINUTE, SECOND, Millis

MOST = 5
"""Most ticks."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MIDNIGHT = time()
_DATE = "%-d %b"


class Tick(NamedTuple):
    at: Millis
    label: str


_Rhythm: TypeAlias = Callable[[datetime, datetime], Iterable[datetime]]
"""Round local times without a zone, covering at least the span between two of them."""


class _Step(NamedTuple):
    length: Millis
    rhythm: _Rhythm
    shown: str
    """Format of the label."""
    below: str
    """Format of the second line, written where it changes."""


def time_ticks(span: ChartSpan, zone: tzinfo | None, most: int = MOST) -> list[Tick]:
    """At most `most` ticks; a second line shows the day at the first and where it changes."""
    for step in STEPS:
        if (span.until - span.since) // step.length <= most:
            found = _instants(step.rhythm, span, zone)
            if len(found) <= most:
                return list(_labelled(found or [span.since], step, zone))
    return []


def local_time(at: Millis, zone: tzinfo | None) -> datetime:
    """The local time of an instant; no zone means the system's."""
    return (_EPOCH + at * _MILLISECOND).astimezone(zone)


def _instants(rhythm: _Rhythm, span: ChartSpan, zone: tzinfo | None) -> list[Millis]:
    first, last = (local_time(at, zone).replace(tzinfo=None) for at in span)
    found = (_instant(each, zone) for each in rhythm(first, last))
    return [at for at in found if at is not None and span.since <= at <= span.until]


def _instant(written: datetime, zone: tzinfo | None) -> Millis | None:
    """The instant of a local time; None if the zone's clocks skip it."""
    at = written.astimezone() if zone is None else written.replace(tzinfo=zone)
    millis = (at - _EPOCH) // _MILLISECOND
    return millis if local_time(millis, zone).replace(tzinfo=None) == written else None


def _labelled(instants: Iterable[Millis], step: _Step, zone: tzinfo | None) -> Iterator[Tick]:
    before = ""
    for at in instants:
        shown, below = (local_time(at, zone).strftime(form) for form in (step.shown, step.below))
        yield Tick(at, shown if below == before else f"{shown}\n{below}")
        before = below


def _times_of_day(step: Millis, first: datetime, last: datetime) -> Iterator[datetime]:
    for day in _days(1, first, last):
        begin, end = ((each - day) // _MILLISECOND for each in (first, last))
        within = range(max(0, begin // step * step), min(DAY, end + 1), step)
        yield from (day + past * _MILLISECOND for past in within)


def _days(count: int, first: datetime, last: datetime) -> Iterator[datetime]:
    """Midnights every `count` days; for 7, Mondays."""
    for number in range(first.toordinal(), last.toordinal() + 1):
        if (number - 1) % count == 0:
            yield datetime.combine(date.fromordinal(number), _MIDNIGHT)


def _months(count: int, first: datetime, last: datetime) -> Iterator[datetime]:
    for number in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        if number % count == 0:
            yield datetime.combine(date(number // 12, number % 12 + 1, 1), _MIDNIGHT)


CLOCK: tuple[Millis, ...] = (
    *(SECOND * count for count in (1, 2, 5, 10, 15, 30)),
    *(MINUTE * count for count in (1, 2, 5, 10, 15, 30)),
    *(HOUR * count for count in (1, 2, 3, 6, 12)),
)
"""Round lengths of less than a day."""

STEPS = (
    *(
        _Step(each, partial(_times_of_day, each), "%H:%M:%S" if each < MINUTE else "%H:%M", _DATE)
        for each in CLOCK
    ),
    *(_Step(count * DAY, partial(_days, count), _DATE, "%Y") for count in (1, 2, 7, 14)),
    *(_Step(count * 30 * DAY, partial(_months, count), "%b", "%Y") for count in (1, 2, 3, 6)),
    *(
        _Step(count * 360 * DAY, partial(_months, count * 12), "%Y", "")
        for count in (1, 2, 5, 10, 20)
    ),
)
"""Tick distances, from the finest."""
