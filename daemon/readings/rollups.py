"""Rollups: one hour of an account's readings in a few exact figures. Pure.

    judged readings of an hour, and the spans without readings ──► figures by field

Ratios have no rollups: a ratio may be infinite, and has no sum then.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from operator import attrgetter
from typing import TypeAlias

from daemon.readings.exact import EXACT, ZERO, quotient
from daemon.readings.fields import SENT
from daemon.types import HOUR, Millis, MissReason, Reading

Span: TypeAlias = tuple[Millis, Millis]
"""From, and up to but not including."""

ENDLESS: Millis = 2**62
"""End of a span that lasts."""


@dataclass(frozen=True, slots=True)
class FieldRollup:
    """Figures of one field over a span, in USDT; exact, as the readings are."""

    readings: int
    """Number of readings that have the field."""
    first: Decimal
    last: Decimal
    low: Decimal
    high: Decimal
    sum: Decimal

    @property
    def mean(self) -> Decimal:
        """Mean of the readings, rounded once to 28 digits."""
        found = quotient(self.sum, self.readings)
        return ZERO if found is None else found


@dataclass(frozen=True, slots=True)
class HourRollup:
    """One hour of an account; no fields if nothing known was judged in it."""

    at: Millis
    """Begin of the hour."""
    fields: Mapping[str, FieldRollup] = field(default_factory=dict)
    covered: Millis = 0
    """Time from the first reading to the end of the hour, without gaps."""
    gap: Millis = 0
    """Time in gaps: without readings because attempts failed, or no daemon ran."""
    misses: Mapping[MissReason, int] = field(default_factory=dict)
    """Number of failed attempts, by reason."""


def hour_of(at: Millis) -> Millis:
    """Begin of the hour (UTC) in which an instant lies."""
    return at - at % HOUR


def roll_up(
    at: Millis,
    readings: Sequence[Reading],
    absences: Iterable[Span],
    misses: Mapping[MissReason, int],
) -> HourRollup:
    """Figures of the hour that begins at `at`.

    `readings` are its judged readings in the order of time; `absences` may overlap each other, and
    reach beyond the hour.
    """
    fields = {name: found for name in SENT if (found := roll_up_field(name, readings)) is not None}
    if not fields:
        return HourRollup(at, misses=misses)
    first, end = readings[0].at, at + HOUR
    spans = list(absences)
    covered = end - first - _length_within(first, end, spans)
    return HourRollup(at, fields, covered, _length_within(at, end, spans), misses)


def roll_up_field(name: str, readings: Iterable[Reading]) -> FieldRollup | None:
    """Figures of a field that the exchange sends; None if none of these readings has it."""
    get = attrgetter(name)
    # Written out rather than `VALUES[name]`: this is done for every value ever recorded.
    found = (get(reading.balances) for reading in readings)
    return summarize([value for value in found if value is not None and not value.is_nan()])


def summarize(values: Sequence[Decimal]) -> FieldRollup | None:
    """Figures of known values in the order of time; None without any."""
    if not values:
        return None
    whole = reduce(EXACT.add, values, ZERO)
    return FieldRollup(len(values), values[0], values[-1], min(values), max(values), whole)


def joined(parts: Sequence[FieldRollup]) -> FieldRollup:
    """Figures over several spans, at least one, in the order of time."""
    return FieldRollup(
        sum(each.readings for each in parts),
        parts[0].first,
        parts[-1].last,
        min(each.low for each in parts),
        max(each.high for each in parts),
        reduce(EXACT.add, (each.sum for each in parts)),
    )


def absences(inputs: Iterable[tuple[int, Millis, bool]]) -> Iterator[Span]:
    """Spans in which attempts failed: from the reading before to the next one.

    `inputs` are counter, instant, and whether it was a reading. A last span may be endless.
    """
    since: Millis | None = None
    failed = False
    for _, at, is_reading in sorted(inputs):
        if is_reading and failed and since is not None:
            yield since, at
        if is_reading:
            since, failed = at, False
        else:
            since, failed = at if since is None else since, True
    if failed and since is not None:
        yield since, ENDLESS


def _length_within(begin: Millis, end: Millis, spans: Iterable[Span]) -> Millis:
    """Time between two instants that lies in these spans, counted once where they overlap."""
    length, reached = 0, begin
    for since, until in sorted(spans):
        start, stop = max(since, reached), min(until, end)
        if start < stop:
            length += stop - start
            reached = stop
    return length
