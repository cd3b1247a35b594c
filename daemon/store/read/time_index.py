"""Finds an instant in an account's record, although the clock may have been set in between.

Our clock only goes back at a clock step (SEMANTICS A1), and an instant before a step is corrected
by it (A5). Corrected instants never decrease along the counter, so a binary search works: a handful
of look-ups by the primary key, however long the record is and however often the clock was set.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

from sqlalchemy import ColumnElement, Connection, Row, Table, func, select, true

from daemon.store.codec import INSTANTS, check
from daemon.store.database.corruption import at_row
from daemon.store.schema import gaps, misses, snapshots
from daemon.types import JUDGED, GapReason, Millis, Source

FIRST, LAST = -(2**63), 2**63 - 1
"""The range of counters; imported readings have negative ones."""

ASKED: ColumnElement[bool] = snapshots.c.source != Source.WS.value
"""A reading that was polled or imported: no push."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Clock steps of an account: their counters, and the total correction of earlier instants."""

    seqs: tuple[int, ...]
    moves: tuple[Millis, ...]
    own: int = 0
    """The first own reading: imported ones before it follow the same clock."""

    @classmethod
    def of(cls, steps: Iterable[tuple[int, Millis]], own: int = 0) -> "Steps":
        """Steps from (seq, by), in order."""
        found = list(steps)
        moves = list(accumulate((by for _, by in reversed(found)), initial=0))
        return cls(tuple(seq for seq, _ in found), tuple(reversed(moves)), own)

    def moved(self, seq: int) -> Millis:
        """The correction of an instant of the input `seq`, in ms."""
        return self.moves[bisect_right(self.seqs, seq if seq > 0 else self.own)]


NO_STEPS = Steps((), (0,))


def steps(connection: Connection, account_id: int, until: int = LAST) -> Steps:
    """The clock steps up to and including the input `until`."""
    rows = connection.execute(
        select(gaps.c.seq, gaps.c.step_ms)
        .where(
            gaps.c.account_id == account_id,
            gaps.c.reason == GapReason.CLOCK_STEP,
            gaps.c.seq <= until,
        )
        .order_by(gaps.c.seq),
    )
    own = select(func.min(snapshots.c.seq)).where(
        snapshots.c.account_id == account_id, snapshots.c.seq > 0
    )
    return Steps.of((step_of(account_id, row) for row in rows), connection.scalar(own) or 0)


def step_of(account_id: int, row: Row[int, Millis]) -> tuple[int, Millis]:
    """The counter of a clock step, and how far the clock was set, in ms."""
    with at_row("gaps", row[0], account_id):
        check(INSTANTS, row)
        return row[0], row[1]


ENDS = (func.min, func.max)

Place: TypeAlias = tuple[int, Millis]
"""A counter and its instant."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Size of a span of the record, found without reading it."""

    first_at: Millis
    last_at: Millis
    inputs: int
    """Approximate number: fewer if inputs were pruned or lost."""


@dataclass(frozen=True, slots=True)
class AccountRows:
    """One account's rows, as they were once the input `until` was recorded."""

    connection: Connection
    account_id: int
    steps: Steps
    until: int = LAST

    @classmethod
    def of(cls, connection: Connection, account_id: int, until: int = LAST) -> "AccountRows":
        """The rows with the clock steps that are recorded among them."""
        return cls(connection, account_id, steps(connection, account_id, until), until)

    def begin(self, at: Millis, *, pushes: bool = False) -> int | None:
        """The last judged reading at or before `at` (SEMANTICS C1); None when there is none.

        Windows do not begin with a push: only polled readings show whether the exchange's time
        moves on.
        """
        beyond = self.first(snapshots, at + 1)
        chosen = (
            select(snapshots.c.seq)
            .where(snapshots.c.account_id == self.account_id, snapshots.c.quality.in_(JUDGED))
            .where(
                snapshots.c.seq < beyond if beyond is not None else snapshots.c.seq <= self.until
            )
            .where(true() if pushes else ASKED)
            .order_by(snapshots.c.seq.desc())
            .limit(1)
        )
        return self.connection.scalar(chosen)

    def end(self, at: Millis) -> int:
        """The counter before the first input at or after `at`; LAST when none is that late."""
        found = [self.first(table, at) for table in (snapshots, misses, gaps)]
        return min((seq - 1 for seq in found if seq is not None), default=LAST)

    def bounds(self, begin: Millis, end: Millis) -> tuple[int, int]:
        """Counters of the first and last input of a replay that needs readings from `begin` on."""
        first = self.begin(begin)
        return (FIRST + 1 if first is None else first), self.end(end)

    def extent_between(self, since: Millis, until: Millis) -> Extent | None:
        """The size of what a replay of the span reads; None when it is nothing."""
        first, last = self.bounds(since, until)
        return self.extent(first - 1, last)

    def extent(self, after: int, last: int) -> Extent | None:
        """The size of the record above the counter `after`, up to `last`; None when it is empty."""
        ends = [self._ends(table, after, last) for table in (snapshots, misses)]
        firsts, lasts = (
            [first for first, _ in filter(None, ends)],
            [last for _, last in filter(None, ends)],
        )
        if not firsts:
            return None
        (low, first_at), (high, last_at) = min(firsts), max(lasts)
        own = max(0, high - max(low, 1) + 1)
        return Extent(first_at, last_at, own + self._imported(low, high))

    def _imported(self, low: int, high: int) -> int:
        """The number of imported readings, counted as their counters have gaps; 0 without any."""
        seq = snapshots.c.seq
        chosen = select(func.count()).where(*self._ours(snapshots), seq >= low, seq <= min(high, 0))
        return 0 if low > 0 else self.connection.scalar(chosen) or 0

    def first(self, table: Table, at: Millis) -> int | None:
        """The first row of the table at or after `at`; None when all are earlier."""
        # Apart: SQLite looks up one end in an index, but reads the whole table for both.
        low, high = [
            self.connection.scalar(select(end(table.c.seq)).where(*self._ours(table)))
            for end in ENDS
        ]
        if low is None or high is None or not self._late(table, self._row(table, high), at):
            return None
        while low < high:
            middle = (low + high) // 2
            row = self._row(table, middle)
            if self._late(table, row, at):
                high = middle
            else:
                low = row.seq + 1
        return int(self._row(table, low).seq)

    def _ends(self, table: Table, after: int, last: int) -> tuple[Place, Place] | None:
        chosen = select(table.c.seq, table.c.at).where(
            *self._ours(table), table.c.seq > after, table.c.seq <= last
        )
        ends = [
            self.connection.execute(chosen.order_by(order).limit(1)).one_or_none()
            for order in (table.c.seq, table.c.seq.desc())
        ]
        first, final = [None if row is None else (row.seq, self._meant(table, row)) for row in ends]
        return None if first is None or final is None else (first, final)

    def _late(self, table: Table, row: Row[int, Millis], at: Millis) -> bool:
        return self._meant(table, row) >= at

    def _meant(self, table: Table, row: Row[int, Millis]) -> Millis:
        """The corrected instant of a row."""
        with at_row(table.name, row[0], self.account_id):
            return row[1] + self.steps.moved(row[0])

    def _row(self, table: Table, seq: int) -> Row[int, Millis]:
        """The first row at or after `seq`, with its instant."""
        instant = table.c.ended_at if table is gaps else table.c.at
        chosen = (
            select(table.c.seq, instant)
            .where(*self._ours(table), table.c.seq >= seq)
            .order_by(table.c.seq)
        )
        return self.connection.execute(chosen.limit(1)).one()

    def _ours(self, table: Table) -> tuple[ColumnElement[bool], ...]:
        return table.c.account_id == self.account_id, table.c.seq <= self.until
