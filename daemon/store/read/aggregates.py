"""Exact figures that SQL computes over many readings: count, minimum, maximum, gaps.

    aggregates (a day of an account takes some hundredths of a second)
        ──► the few rows that they point to, read as usual

SQLite's REAL keeps the order of values that it rounds. So the minimum is among the rows with the
lowest REAL. Where such a row also has exact digits (`extra`), these decide.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, RowMapping, and_, false, func, select

from daemon.messages.report_data import FieldSummary, ReportSpan, Seen
from daemon.readings.fields import CORE
from daemon.store.bounded_extra import snapshot_rows
from daemon.store.codec import digits, reading
from daemon.store.database.corruption import Damaged, at_row
from daemon.store.read.time_index import AccountRows
from daemon.store.schema import snapshots
from daemon.types import JUDGED, Millis, Reading

s = snapshots.c


class _End(NamedTuple):
    """The minimum or maximum of a field, as SQL found it."""

    field: str
    end: Callable[[Iterable[Decimal]], Decimal]
    """`min` or `max`."""
    value: Decimal


@dataclass(frozen=True, slots=True)
class ReadingAggregates:
    """An account's judged readings between two counters, both included."""

    record: AccountRows
    first: int
    last: int

    @property
    def ours(self) -> ColumnElement[bool]:
        within = and_(
            s.account_id == self.record.account_id, s.seq >= self.first, s.seq <= self.last
        )
        return and_(within, s.quality.in_(JUDGED))

    def summaries(self) -> tuple[int, dict[str, FieldSummary]]:
        """The number of readings, and a summary by field, without fields that no reading has."""
        summary = self._summary()
        known = [name for name in CORE if summary[f"{name}_last"] is not None]
        ends = [
            each
            for name in known
            for each in self._ends(name, summary[f"{name}_low"], summary[f"{name}_high"])
        ]
        found = self._rows_of(ends)
        places = {
            name: (low, high, summary[f"{name}_last"])
            for name, low, high in zip(known, found[::2], found[1::2], strict=True)
        }
        rows = self._readings({seq for each in places.values() for seq in each})
        courses = {
            name: FieldSummary(*(self._seen(rows[seq], name) for seq in places[name]))
            for name in known
        }
        return summary["readings"], courses

    def gaps(self, span: ReportSpan, patience: Millis) -> list[ReportSpan]:
        """Times in the span without readings for longer than `patience`."""
        ends = [self._instant(order) for order in (s.seq, s.seq.desc())]
        if ends[0] is None or ends[1] is None:
            apart = [span]
        else:
            apart = [
                ReportSpan(span.since, ends[0]),
                *self._apart(patience),
                ReportSpan(ends[1], span.until),
            ]
        return [each for each in apart if each.lasted > patience]

    def _summary(self) -> RowMapping:
        """The count; by field its minimum and maximum, and the last row that has it."""
        columns: list[ColumnElement[Any]] = [func.count().label("readings")]
        for name in CORE:
            value, known = s[name], s[name].is_not(None)
            columns += [func.min(value).label(f"{name}_low"), func.max(value).label(f"{name}_high")]
            columns += [func.max(s.seq).filter(known).label(f"{name}_last")]
        return self.record.connection.execute(select(*columns).where(self.ours)).mappings().one()

    def _ends(self, name: str, low: Decimal, high: object) -> tuple[_End, _End]:
        # SQLite keeps whatever it is given, and takes text for higher than numbers.
        if not isinstance(high, Decimal):
            seq = self.record.connection.scalar(
                select(s.seq).where(self.ours).order_by(s[name].desc()).limit(1)
            )
            raise Damaged("snapshots", seq or 0, self.record.account_id)
        return _End(name, min, low), _End(name, max, high)

    def _rows_of(self, ends: Sequence[_End]) -> list[int]:
        """The first row that has each of these ends."""
        if not ends:
            return []
        columns: list[ColumnElement[Any]] = []
        for each in ends:
            alike = s[each.field] == each.value
            columns += [
                func.min(s.seq).filter(alike),
                func.count().filter(alike, self._has_digits(each.field)),
            ]
        found = self.record.connection.execute(select(*columns).where(self.ours)).one()
        pairs = zip(ends, found[::2], found[1::2], strict=True)
        return [self._by_digits(each) if digits else seq for each, seq, digits in pairs]

    def _has_digits(self, name: str) -> ColumnElement[bool]:
        """Whether exact digits are kept beside a value. PostgreSQL keeps them in the value."""
        if self.record.connection.dialect.name != "sqlite":
            return false()
        return and_(s.extra.is_not(None), s.extra[name].as_string().is_not(None))

    def _by_digits(self, end: _End) -> int:
        """The first row with the exact minimum or maximum, of rows that are equal to SQLite."""
        told = s.extra[end.field].as_string()
        alike = (
            select(told, func.min(s.seq)).where(self.ours, s[end.field] == end.value).group_by(told)
        )
        rows = self.record.connection.execute(alike).all()
        values = [
            (end.value if text is None else self._exact(text, seq), seq) for text, seq in rows
        ]
        utmost = end.end(value for value, _ in values)
        return min(int(seq) for value, seq in values if value == utmost)

    def _exact(self, text: str, seq: int) -> Decimal:
        with at_row("snapshots", seq, self.record.account_id):
            return digits(text)

    def _readings(self, seqs: Collection[int]) -> dict[int, Reading]:
        chosen = snapshot_rows().where(
            s.account_id == self.record.account_id, s.seq.in_(sorted(seqs))
        )
        return {row.seq: reading(row) for row in self.record.connection.execute(chosen)}

    def _seen(self, found: Reading, name: str) -> Seen:
        return Seen(attrgetter(name)(found.balances), self._meant(found.seq, found.at))

    def _instant(self, order: ColumnElement[int]) -> Millis | None:
        """The instant of the first row in this order."""
        chosen = select(s.seq, s.at).where(self.ours).order_by(order).limit(1)
        row = self.record.connection.execute(chosen).one_or_none()
        return None if row is None else self._meant(row.seq, row.at)

    def _apart(self, patience: Millis) -> list[ReportSpan]:
        """Neighbouring readings too far apart, or perhaps so because the clock was set."""
        before = [
            func.lag(column).over(order_by=s.seq).label(f"{column.name}_before")
            for column in (s.seq, s.at)
        ]
        pairs = select(s.seq, s.at, *before).where(self.ours).subquery()
        distance = pairs.c.at - pairs.c.at_before
        far = select(pairs).where(distance > patience - self._set_by()).order_by(pairs.c.seq)
        return [
            ReportSpan(self._meant(row.seq_before, row.at_before), self._meant(row.seq, row.at))
            for row in self.record.connection.execute(far)
        ]

    def _set_by(self) -> Millis:
        """An upper bound for how much the clock was set within."""
        known = self.record.steps
        moves = [
            known.moved(self.first),
            *(known.moved(seq) for seq in known.seqs if self.first <= seq <= self.last),
        ]
        return sum(abs(after - before) for before, after in pairwise(moves))

    def _meant(self, seq: int, at: Millis) -> Millis:
        return at + self.record.steps.moved(seq)
