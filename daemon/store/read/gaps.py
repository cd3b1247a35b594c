"""Reads the records from which gaps are derived: misses, recorded gaps, and neighbouring readings.

Readings are many and gaps are few. So misses and gaps are read row by row, and of the readings
between two of them only the first and the last. Reads only, a page in the caller's short
transaction. Instants are corrected by every clock step recorded after them (SEMANTICS A5).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from daemon.readings.gaps import ListedGap, Seen
from daemon.store.codec import INSTANTS, check
from daemon.store.database.corruption import at_row
from daemon.store.read import recorded as past
from daemon.store.read.time_index import FIRST, LAST, AccountRows, Steps
from daemon.store.schema import gaps, misses, snapshots
from daemon.types import Millis, Miss

PAGE = 1_000
"""Misses, or gaps, read at a time."""

_seq = attrgetter("seq")


@dataclass(frozen=True, slots=True)
class GapCursor:
    """The position up to which records were read."""

    events: int
    """The counter up to which misses and gaps were read."""
    readings: int
    """The counter from which readings were not read."""


@dataclass(frozen=True, slots=True)
class GapReader:
    """Reads the gap records of one account."""

    account_id: int
    steps: Steps

    def begin(self, connection: Connection, since: Millis) -> GapCursor:
        """The last reading at or before `since`: a gap that reaches into the span begins there."""
        found = AccountRows(connection, self.account_id, self.steps).begin(since, pushes=True)
        return GapCursor(FIRST, FIRST) if found is None else GapCursor(found - 1, found)

    def page(self, connection: Connection, place: GapCursor) -> tuple[list[Seen], GapCursor | None]:
        """Records after the place, and the new place; None instead of it at the end."""
        recorded, reach = self._some(connection, gaps, place.events, LAST)
        missed, reach = self._some(connection, misses, place.events, reach)
        # Of one counter the gap comes first: the input ended it.
        events = sorted([*(row for row in recorded if row.seq <= reach), *missed], key=_seq)
        seen: list[Seen] = []
        for row in events:
            seen += self._readings(connection, place.readings, row.seq)
            event = self._event(row)
            seen.append(event)
            place = GapCursor(row.seq, row.seq + isinstance(event, Miss))
        if reach < LAST:
            return seen, place
        return seen + list(self._readings(connection, place.readings, LAST)), None

    def _some(
        self, connection: Connection, table: Table, after: int, last: int
    ) -> tuple[Sequence[Row[Any]], int]:
        chosen = past.gap_rows().order_by(None) if table is gaps else select(misses)
        chosen = chosen.where(
            table.c.account_id == self.account_id, table.c.seq > after, table.c.seq <= last
        )
        rows = connection.execute(chosen.order_by(table.c.seq).limit(PAGE)).all()
        return rows, (last if len(rows) < PAGE else rows[-1].seq)

    def _event(self, row: Row[Any]) -> Miss | ListedGap:
        moved = self.steps.moved(row.seq)
        if "step_ms" not in row._fields:
            missed = past.miss(row)
            return Miss(missed.seq, missed.at + moved, missed.reason, missed.detail)
        gap = past.gap(row)
        return ListedGap(
            gap.reason, gap.started_at + moved, gap.ended_at + moved, gap.missed, gap.step
        )

    def _readings(self, connection: Connection, first: int, before: int) -> Iterator[Millis]:
        """Instants of the first and the last reading between two counters."""
        if first >= before:
            return
        seq = snapshots.c.seq
        ours = select(seq, snapshots.c.at).where(
            snapshots.c.account_id == self.account_id, seq >= first, seq < before
        )
        for order in (seq, seq.desc()):
            row = connection.execute(ours.order_by(order).limit(1)).one_or_none()
            if row is None:
                return
            with at_row("snapshots", row.seq, self.account_id):
                check(INSTANTS, (row.at,))
            yield row.at + self.steps.moved(row.seq)
