"""Listing of `marginwatch history --every`: a field in steps of time.

    whole hours that are rolled up ──► their rollups ─┐
    everything else ──► the readings themselves ──────┴──► joined by step

Steps of days begin at midnight in the configured zone, all others at multiples of their length
in UTC.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

from daemon.cli.options import Format
from daemon.cli.output import times
from daemon.cli.output.tables import MOST, Row, Table, exact, last_of, write_csv, write_json
from daemon.cli.output.terminal import echo
from daemon.cli.output.times import DisplayClock
from daemon.cli.record_access import OpenRecord
from daemon.cli.show.history_rows import value_field
from daemon.errors import UsageError
from daemon.readings.fields import SENT, VALUES
from daemon.readings.rollups import FieldRollup, hour_of, joined, summarize
from daemon.store.history import History
from daemon.text.durations import parse_duration
from daemon.text.numbers import format_amount
from daemon.types import DAY, HOUR, JUDGED, SECOND, Millis

COLUMNS = ("account", "at", "readings", "first", "last", "low", "high", "mean")

_FIGURES = COLUMNS[3:]

SHORTEST: Millis = SECOND
"""The shortest step: no account is read more often."""

LONGEST: Millis = 366 * DAY

Part: TypeAlias = tuple[Millis, FieldRollup]
"""Figures of a part of a step, with the instant at which it begins."""


@dataclass(frozen=True, slots=True)
class StepLength:
    """Steps of one length, in a time zone."""

    every: Millis
    zone: tzinfo | None

    def start(self, at: Millis) -> Millis:
        """The begin of the step in which an instant lies."""
        if self.every % DAY:
            return at - at % self.every
        day = times.to_local(at, self.zone).date().toordinal()
        first = date.fromordinal(day - day % (self.every // DAY) or 1)
        return times.either(datetime.combine(first, datetime.min.time()), self.zone)[0]

    def holds(self, hour: Millis) -> bool:
        """Whether a whole hour lies within one step."""
        return self.start(hour) == self.start(hour + HOUR - 1)


@dataclass(frozen=True, slots=True)
class StepOptions:
    """The options of one call, but for the span."""

    account: str
    every: Millis
    field: str
    output: Format


def step_options(
    every: str, field: str | None, output: Format, *, account: str, fields: object, changes: bool
) -> StepOptions:
    """The options as given; raises UsageError for what makes no steps."""
    if fields is not None or changes:
        raise UsageError(
            "--fields and --changes list readings: leave them out, or leave out --every"
        )
    length = parse_duration(every)
    if length is None:
        raise UsageError(f'"{every}" is no duration: write --every 5m, 1h or 1d')
    if length < SHORTEST:
        raise UsageError("--every is finer than any reading: the shortest step is 1s")
    if length > LONGEST:
        raise UsageError("--every is longer than a year: the longest step is 366d")
    return StepOptions(account, length, value_field(field or SENT[0]), output)


def show(
    record: OpenRecord, wish: StepOptions, since: str | None, until: str | None, now: Millis
) -> None:
    """Print the steps that have judged readings, account by account."""
    begin, end = record.span(since, until, now)
    steps = StepLength(wish.every, record.zone)
    if since is None and wish.output is Format.TABLE:
        begin = max(0, min(end, now) - MOST * wish.every)
    begin, end = steps.start(begin), min(end, now + 1) if until is None else end
    found = (
        (account, at, figures)
        for account in record.matching(wish.account)
        for at, figures in in_steps(record.history, account, wish.field, (begin, end), steps)
    )
    match wish.output:
        case Format.JSON:
            write_json(_row(*each, record.zone) for each in found)
        case Format.CSV:
            write_csv(COLUMNS, (_row(*each, record.zone) for each in found))
        case Format.TABLE:
            _show_last(found, DisplayClock(now, record.zone))


def in_steps(
    history: History, account: str, field: str, span: tuple[Millis, Millis], steps: StepLength
) -> Iterator[Part]:
    """The figures of each step of the span that has judged readings, in order."""
    parts = _parts(history, account, field, span, steps)
    for start, within in groupby(parts, key=lambda part: steps.start(part[0])):
        yield start, joined([figures for _, figures in within])


def _parts(
    history: History, account: str, field: str, span: tuple[Millis, Millis], steps: StepLength
) -> Iterable[Part]:
    """Rollups of whole hours, and figures of the readings of all other times, in order."""
    since, until = span
    if field not in SENT or steps.every < HOUR:
        return _from_readings(history, account, field, span, steps)
    fresh = history.rolled_hours(account, hour_of(since), until)
    rolled = history.rollups(account, field, hour_of(since), min(until, fresh.before))
    whole = [
        (at, figures)
        for at, figures in rolled
        if at not in fresh.pending and since <= at and at + HOUR <= until and steps.holds(at)
    ]
    others = {at for at, _ in rolled} | {at for at in fresh.pending if at < fresh.before}
    spans = [(max(at, since), min(at + HOUR, until)) for at in others - dict(whole).keys()]
    spans.append((max(fresh.before, since), until))
    unrolled = (
        part
        for each in sorted(spans)
        for part in _from_readings(history, account, field, each, steps)
    )
    return merge(whole, unrolled, key=itemgetter(0))


def _from_readings(
    history: History, account: str, field: str, span: tuple[Millis, Millis], steps: StepLength
) -> Iterator[Part]:
    value = VALUES[field]
    readings = (each for _, each in history.readings([account], *span) if each.quality in JUDGED)
    for start, within in groupby(readings, key=lambda reading: steps.start(reading.at)):
        known = [found for each in within if (found := value(each.balances)) is not None]
        figures = summarize(known)
        if figures is not None:
            yield max(start, span[0]), figures


def _row(account: str, at: Millis, figures: FieldRollup, zone: tzinfo | None) -> Row:
    amounts = {name: exact(getattr(figures, name)) for name in _FIGURES}
    return {
        "account": account,
        "at": times.format_iso(at, zone),
        "readings": figures.readings,
        **amounts,
    }


def _show_last(found: Iterable[tuple[str, Millis, FieldRollup]], now: DisplayClock) -> None:
    last, remark = last_of(found, "steps")
    several = len({account for account, *_ in last}) > 1
    rows = []
    for account, at, figures in last:
        amounts = [format_amount(getattr(figures, name)) for name in _FIGURES]
        rows.append([*[account] * several, now.clock_time(at), f"{figures.readings:,}", *amounts])
    if rows:
        columns = [*["account"] * several, *COLUMNS[1:]]
        Table(columns, rows, frozenset(COLUMNS[2:])).write()
    if remark:
        echo(remark)
