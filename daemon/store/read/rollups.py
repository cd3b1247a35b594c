"""Reads what rollups are made of, and the rollups themselves. Reads only.

    inputs not seen yet ──► their hours ──► the readings of an hour ──► `readings.rollups`

Hours are those of the recorded instants. Only own inputs have misses between them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from daemon.readings.rollups import (
    ENDLESS,
    FieldRollup,
    HourRollup,
    Span,
    absences,
    hour_of,
    roll_up,
)
from daemon.store.bounded_extra import bounded_extra
from daemon.store.bulk import LEADING
from daemon.store.codec import FIELDS, check_instants, digits
from daemon.store.database.corruption import at_row
from daemon.store.read.replay import QUALITY, Raw, ReadingStream, raw_rows
from daemon.store.read.time_index import FIRST
from daemon.store.schema import (
    accounts,
    gaps,
    miss_rollups,
    misses,
    pending_hours,
    rollups,
    snapshots,
    upkeep,
)
from daemon.store.write.rollups import TASK
from daemon.types import HOUR, JUDGED, GapReason, Millis, MissReason

PAGE = 20_000
"""Inputs of each table looked through at a time, by two or three columns."""

BEGINNING: Millis = 0
"""Before every recorded instant."""

BEHIND = 48
"""Hours to be rolled from which the log and `status` speak of it."""

BEHIND_INPUTS = 50_000
"""Likewise inputs that were not looked at."""

APART = 10_000
"""Readings whose counters are further apart are not neighbours: no hour has so many misses."""

_judged = frozenset(each.value for each in JUDGED)
_SEQ, _AT = LEADING.index("seq"), LEADING.index("at")


@dataclass(frozen=True, slots=True)
class UnseenInputs:
    """Inputs that were recorded since the last look."""

    hours: frozenset[Millis]
    """Hours whose rollups they change."""
    seq: int
    """The counter of the last of them."""


@dataclass(frozen=True, slots=True)
class RolledHours:
    """The hours before an instant, but for those that are pending; an hour that lasts is too."""

    before: Millis
    pending: frozenset[Millis] = frozenset()


@dataclass(frozen=True, slots=True)
class RollupsLeft:
    """Rest of the work, over all accounts."""

    hours: int = 0
    """Hours that are known to be due."""
    inputs: int = 0
    """Own inputs that were not looked at."""

    @property
    def is_behind(self) -> bool:
        """Whether more is left than a daemon that runs leaves between two looks."""
        return self.hours >= BEHIND or self.inputs >= BEHIND_INPUTS


def unseen(connection: Connection, account_id: int) -> UnseenInputs | None:
    """The next inputs that were not looked at; None when all were."""
    after = connection.scalar(_seen(account_id))
    after = FIRST if after is None else after
    pages = {table: _page(connection, table, account_id, after) for table in _COLUMNS}
    full = [rows[-1][_SEQ] for rows in pages.values() if len(rows) == PAGE]
    last = (
        min(full)
        if full
        else max((rows[-1][_SEQ] for rows in pages.values() if rows), default=None)
    )
    if last is None:
        return None
    hours = set(_hours_before(connection, account_id, after))
    for table in (snapshots, misses):
        hours |= {_hour(table, account_id, *row) for row in pages[table] if row[_SEQ] <= last}
    for seq, started_at, ended_at in pages[gaps]:
        if seq <= last:
            with at_row("gaps", seq, account_id):
                check_instants(started_at, ended_at)
            hours |= set(_hours_with_readings(connection, account_id, started_at, ended_at))
    return UnseenInputs(frozenset(hours), last)


def pending(
    connection: Connection, account_id: int, before: Millis, most: int
) -> dict[Millis, int]:
    """The first hours to be rolled that ended before this instant, with their marks."""
    p = pending_hours.c
    chosen = (
        select(p.at, p.mark)
        .where(p.account_id == account_id, p.at <= before - HOUR)
        .order_by(p.at)
        .limit(most)
    )
    return {row.at: row.mark for row in connection.execute(chosen)}


def left(connection: Connection, before: Millis) -> RollupsLeft:
    """The hours and inputs still to be done, over all accounts."""
    p, s = pending_hours.c, snapshots.c
    hours = select(func.count()).where(p.at <= before - HOUR)
    inputs = 0
    for number in connection.scalars(select(accounts.c.id)).all():
        seen = connection.scalar(_seen(number)) or 0
        last = connection.scalar(select(func.max(s.seq)).where(s.account_id == number)) or 0
        inputs += max(0, last - max(0, seen))
    return RollupsLeft(connection.scalar(hours) or 0, inputs)


def freshness(connection: Connection, account_id: int, since: Millis, until: Millis) -> RolledHours:
    """Which hours of the span have rollups of all their readings."""
    s, p = snapshots.c, pending_hours.c
    seen = connection.scalar(_seen(account_id))
    if seen is None:
        return RolledHours(BEGINNING)
    unseen_at = select(s.at).where(s.account_id == account_id, s.seq > seen).limit(PAGE)
    instants = [at for (at,) in raw_rows(connection, unseen_at)]
    before = hour_of(min(instants)) if instants else ENDLESS
    due = select(p.at).where(p.account_id == account_id, p.at >= since, p.at < until)
    return RolledHours(
        BEGINNING if len(instants) == PAGE else before, frozenset(connection.scalars(due))
    )


def roll_hours(
    connection: Connection, account_id: int, hours: Iterable[Millis]
) -> list[HourRollup]:
    """Rollups of these hours, made from the readings."""
    return [_roll(connection, account_id, at) for at in hours]


def field_rollups(
    connection: Connection, account_id: int, field: str, since: Millis, until: Millis
) -> list[tuple[Millis, FieldRollup]]:
    """Rollups of a field whose hour begins within the span, in order."""
    r = rollups.c
    chosen = select(rollups).where(
        r.account_id == account_id, r.field == field, r.at >= since, r.at < until
    )
    rows = connection.execute(chosen.order_by(r.at))
    return [(row.at, _field_rollup(row, account_id)) for row in rows]


def stored(connection: Connection, account_id: int, at: Millis) -> HourRollup | None:
    """The rollup of an hour as it is recorded; None without any."""
    r, m = rollups.c, miss_rollups.c
    rows = connection.execute(select(rollups).where(r.account_id == account_id, r.at == at)).all()
    counts = connection.execute(
        select(m.reason, m.misses).where(m.account_id == account_id, m.at == at)
    ).all()
    if not rows and not counts:
        return None
    fields = {row.field: _field_rollup(row, account_id) for row in rows}
    missed = {MissReason(row.reason): row.misses for row in counts}
    covered, gap = (rows[0].covered_ms, rows[0].gap_ms) if rows else (0, 0)
    return HourRollup(at, fields, covered, gap, missed)


def _field_rollup(row: Row[Any], account_id: int) -> FieldRollup:
    with at_row("rollups", (row.at, row.field), account_id):
        exact = row.exact or {}
        amounts = {
            name: digits(exact[name]) if name in exact else getattr(row, name)
            for name in ("first", "last", "low", "high", "sum")
        }
        return FieldRollup(row.readings, **amounts)


_COLUMNS = {
    snapshots: (snapshots.c.seq, snapshots.c.at),
    misses: (misses.c.seq, misses.c.at),
    gaps: (gaps.c.seq, gaps.c.started_at, gaps.c.ended_at),
}


def _seen(account_id: int) -> Any:
    return select(upkeep.c.seq).where(upkeep.c.account_id == account_id, upkeep.c.task == TASK)


def _page(connection: Connection, table: Table, account_id: int, after: int) -> Sequence[Raw]:
    """The next rows as tuples, the counter first."""
    chosen = select(*_COLUMNS[table]).where(table.c.account_id == account_id, table.c.seq > after)
    return raw_rows(connection, chosen.order_by(table.c.seq).limit(PAGE))


def _hour(table: Table, account_id: int, seq: int, at: Millis) -> Millis:
    with at_row(table.name, seq, account_id):
        check_instants(at)
        return hour_of(at)


def _hours_before(connection: Connection, account_id: int, seq: int) -> Iterator[Millis]:
    """The hour of the last reading seen: a miss after it begins a gap there."""
    s = snapshots.c
    chosen = select(s.seq, s.at).where(s.account_id == account_id, s.seq > 0, s.seq <= seq)
    row = connection.execute(chosen.order_by(s.seq.desc()).limit(1)).one_or_none()
    if row is not None:
        yield _hour(snapshots, account_id, *row)


def _hours_with_readings(
    connection: Connection, account_id: int, since: Millis, until: Millis
) -> Iterator[Millis]:
    """The hours that a gap touches and that have readings, which are few: those of its ends."""
    s = snapshots.c
    begin, end = hour_of(since), hour_of(until) + HOUR
    hour = s.at - s.at % HOUR
    chosen = select(hour).distinct().where(s.account_id == account_id, s.at >= begin, s.at < end)
    return iter(connection.scalars(chosen))


def _roll(connection: Connection, account_id: int, at: Millis) -> HourRollup:
    s, m = snapshots.c, misses.c
    columns = [s[name] for name in LEADING if name != "extra"]
    chosen = (
        select(*columns, bounded_extra().label("extra"), *(s[name] for name in FIELDS))
        .where(s.account_id == account_id, s.at >= at, s.at < at + HOUR)
        .order_by(s.at, s.seq)
    )
    rows = raw_rows(connection, chosen)
    stream = ReadingStream(account_id, unknown=False)
    judged = stream.readings([row for row in rows if row[QUALITY] in _judged])
    reasons = connection.scalars(
        select(m.reason).where(m.account_id == account_id, m.at >= at, m.at < at + HOUR)
    )
    spans = [*_failed(connection, account_id, rows), *_recorded(connection, account_id, at)]
    counts = Counter(MissReason(each) for each in reasons)
    return roll_up(at, judged, spans, dict(counts))


def _failed(connection: Connection, account_id: int, rows: Sequence[Raw]) -> Iterator[Span]:
    """Spans in which attempts failed, beside or between these readings."""
    own = sorted((row[_SEQ], row[_AT]) for row in rows if row[_SEQ] > 0)
    breaks = [
        place for place, (one, other) in enumerate(pairwise(own), 1) if other[0] - one[0] > APART
    ]
    for begin, end in pairwise([0, *breaks, len(own)]):
        if begin < end:
            yield from absences(_neighbours(connection, account_id, own[begin:end]))


def _neighbours(
    connection: Connection, account_id: int, own: Sequence[tuple[int, Millis]]
) -> Iterator[tuple[int, Millis, bool]]:
    """These readings, the misses among them, and the inputs on either side of them."""
    s, m = snapshots.c, misses.c
    low, high = own[0][0], own[-1][0]
    ours = select(s.seq, s.at).where(s.account_id == account_id, s.seq > 0)
    before = connection.execute(ours.where(s.seq < low).order_by(s.seq.desc()).limit(1)).first()
    after = connection.execute(ours.where(s.seq > high).order_by(s.seq).limit(1)).first()
    missed = select(m.seq, m.at).where(m.account_id == account_id).order_by(m.seq)
    first = missed.where(m.seq > (before.seq if before else 0), m.seq < low).limit(1)
    last = missed.where(m.seq > high).limit(1)
    if after is not None:
        last = last.where(m.seq < after.seq)
    for one in (before, after):
        if one is not None:
            yield one.seq, one.at, True
    among = raw_rows(connection, missed.where(m.seq > low, m.seq < high))
    if among:
        # All readings: after a clock step, those of other hours may lie between.
        between = raw_rows(connection, ours.where(s.seq >= low, s.seq <= high))
        yield from ((seq, at, True) for seq, at in between)
    else:
        yield from ((seq, at, True) for seq, at in own)
    for rows in (among, raw_rows(connection, first), raw_rows(connection, last)):
        yield from ((seq, at, False) for seq, at in rows)


def _recorded(connection: Connection, account_id: int, at: Millis) -> Iterator[Span]:
    g = gaps.c
    chosen = select(g.started_at, g.ended_at).where(
        g.account_id == account_id,
        g.reason != GapReason.CLOCK_STEP.value,
        g.started_at < at + HOUR,
        g.ended_at > at,
    )
    return ((row.started_at, row.ended_at) for row in connection.execute(chosen))
