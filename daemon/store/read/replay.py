"""Reads an account's inputs in the order of replay, a page per transaction, fast for years.

Each table is read by its primary key as plain tuples of the driver. Misses and clock steps are few:
they are merged into a page of readings where they lie within it. Values are exact: see `columns`
and `codec`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, Table, select
from sqlalchemy.exc import DBAPIError

from daemon.store import bulk
from daemon.store.bounded_extra import bounded_extra
from daemon.store.bulk import LEADING
from daemon.store.codec import FIELDS, check_instants, digits, theirs
from daemon.store.columns import load
from daemon.store.database.corruption import CAUSES, at_row
from daemon.store.read.time_index import FIRST
from daemon.store.schema import gaps, misses, snapshots
from daemon.types import (
    JUDGED,
    ClockStep,
    GapReason,
    Millis,
    Miss,
    MissReason,
    Quality,
    Reading,
    Unconfirmed,
)

Replayed: TypeAlias = Reading | Unconfirmed | Miss | ClockStep
"""Inputs with rows of their own; the row of a ConfigChange is its epoch."""

Raw: TypeAlias = Sequence[Any]
"""A row as the driver gives it."""

QUALITY, EXTRA = LEADING.index("quality"), LEADING.index("extra")

PAGE = 5_000
"""Rows read at a time."""

_seq = attrgetter("seq")


@dataclass(frozen=True, slots=True)
class ReadingStream:
    """Inputs of one account; its readings have only these fields, the others are unknown."""

    account_id: int
    fields: tuple[str, ...] = FIELDS

    unknown: bool = True
    """Whether unknown fields are read too, when `fields` are all known ones."""

    @property
    def whole(self) -> bool:
        return self.unknown and self.fields == FIELDS

    def page(self, connection: Connection, after: int, last: int) -> tuple[list[Replayed], int]:
        """Inputs with a counter above `after`, up to `last`, and the counter reached."""
        rows, reach = _some(connection, self._snapshots(after, last), last)
        missed, reach = _some(connection, self._of(misses, after, reach), reach)
        stepped, reach = _some(connection, self._of(gaps, after, reach), reach)
        inputs = self._settled(
            connection, [row for row in rows if row[0] <= reach] if stepped or missed else rows
        )
        if missed or stepped:
            inputs += [self._miss(*row) for row in missed if row[0] <= reach]
            inputs += [self._step(*row) for row in stepped]
            inputs.sort(key=_seq)
        return inputs, reach

    def judged(
        self, connection: Connection, after: int, last: int, most: int = PAGE
    ) -> tuple[list[Reading], int]:
        """Like `page`, but only judged readings, as judged, and at most `most` rows."""
        chosen = self._snapshots(after, last).where(snapshots.c.quality.in_(JUDGED))
        rows, reach = _some(connection, chosen, last, most)
        return self.readings(rows), reach

    def readings(self, rows: Sequence[Raw]) -> list[Reading]:
        try:
            return self._readings(rows)
        except CAUSES:
            for row in rows:  # slowly, to find the one
                with at_row("snapshots", row[0], self.account_id):
                    self._readings([row])
            raise

    def _miss(self, seq: int, at: Millis, reason: str, detail: str) -> Miss:
        with at_row("misses", seq, self.account_id):
            check_instants(at)
            return Miss(seq, at, MissReason(reason), detail)

    def _step(self, seq: int, at: Millis, by: Millis) -> ClockStep:
        with at_row("gaps", seq, self.account_id):
            check_instants(at, by)
            return ClockStep(seq, at, by)

    def _readings(self, rows: Sequence[Raw]) -> list[Reading]:
        if not rows:
            return []
        columns = list(zip(*rows, strict=True))
        found = bulk.readings(columns, self.fields)
        for place, extra in enumerate(columns[EXTRA]) if any(columns[EXTRA]) else ():
            if extra is not None and (self.whole or any(name in extra for name in self.fields)):
                found[place] = self._exact(found[place], extra)
        return found

    def _exact(self, found: Reading, extra: Any) -> Reading:
        """The reading with the digits that a float cannot keep, and unknown fields."""
        held: Any = load(extra) if isinstance(extra, str) else extra  # the driver's choice
        exact = {name: digits(held[name]) for name in self.fields if name in held}
        unknown = (
            {theirs(name): value for name, value in held.items() if name not in FIELDS}
            if self.whole
            else {}
        )
        return replace(found, balances=replace(found.balances, **exact), extra=unknown)

    def _settled(self, connection: Connection, rows: Sequence[Raw]) -> list[Replayed]:
        """The inputs, with each suspect reading in place of the row that found it unconfirmed."""
        found = self.readings(rows)
        settled: list[Replayed] = list(found)
        for place in [
            place for place, row in enumerate(rows) if row[QUALITY] == Quality.UNCONFIRMED
        ]:
            judged = found[place]
            settled[place] = Unconfirmed(judged.seq, judged.at, self._suspect(connection, judged))
        return settled

    def _suspect(self, connection: Connection, judged: Reading) -> Reading:
        """The last unsettled reading before that one; if it is gone, this row has its values."""
        chosen = self._snapshots(FIRST, judged.seq - 1).where(
            snapshots.c.quality.in_({*JUDGED, Quality.SUSPECT})
        )
        rows = raw_rows(connection, chosen.order_by(None).order_by(snapshots.c.seq.desc()).limit(1))
        found = self.readings(rows)
        if found and found[0].quality is Quality.SUSPECT:
            return found[0]
        return replace(judged, quality=Quality.SUSPECT)

    def _snapshots(self, after: int, last: int) -> Select[Any]:
        return _between(snapshots, (*LEADING, *self.fields), self.account_id, after, last)

    def _of(self, table: Table, after: int, last: int) -> Select[Any]:
        if table is misses:
            return _between(misses, ("seq", "at", "reason", "detail"), self.account_id, after, last)
        stepped = gaps.c.reason == GapReason.CLOCK_STEP
        return _between(gaps, ("seq", "ended_at", "step_ms"), self.account_id, after, last).where(
            stepped
        )


def _between(
    table: Table, columns: Sequence[str], account_id: int, after: int, last: int
) -> Select[Any]:
    seq = table.c.seq
    read = (bounded_extra() if name == "extra" else table.c[name] for name in columns)
    chosen = select(*read).where(table.c.account_id == account_id)
    return chosen.where(seq > after, seq <= last).order_by(seq)


def _some(
    connection: Connection, chosen: Select[Any], last: int, most: int = PAGE
) -> tuple[Sequence[Raw], int]:
    """The first rows, and the counter reached: `last`, unless there may be more."""
    rows = raw_rows(connection, chosen.limit(most))
    return rows, (last if len(rows) < most else rows[-1][0])


def raw_rows(connection: Connection, chosen: Select[Any]) -> Sequence[Raw]:
    """Tuples of the driver, without column types: this saves a call per row and column."""
    with connection.execute(chosen) as result:
        assert result.cursor is not None  # it is a SELECT  # noqa: S101
        driver = connection.dialect.loaded_dbapi
        try:
            rows: Sequence[Raw] = result.cursor.fetchall()
        except driver.Error as error:  # as SQLAlchemy tells it where it fetches
            raise DBAPIError.instance(None, None, error, driver.Error) from error
        return rows
