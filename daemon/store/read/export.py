"""Reads for exports: rows in the order of recording, whatever the clock did meanwhile."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select

from daemon.store.bounded_extra import snapshot_rows
from daemon.store.read import recorded
from daemon.store.read.recorded import PastAlert
from daemon.store.read.time_index import FIRST
from daemon.store.schema import accounts, alerts, snapshots, transitions
from daemon.types import Millis


@dataclass(frozen=True, slots=True)
class RecordedRange:
    """Readings of one account by counter, and by instant as recorded."""

    account_id: int
    since: Millis
    until: Millis
    after: int
    """The counter before the first one."""
    last: int
    """The counter of the last one."""
    count: int

    def rows(self) -> Select[Any]:
        """The readings, in the order of their counters."""
        table = snapshots.c
        # A sum keeps the planner from the index of instants: it would sort the rest for each page.
        within = and_(table.at + 0 >= self.since, table.at + 0 < self.until)
        ours = and_(table.account_id == self.account_id, table.seq <= self.last, within)
        return snapshot_rows().where(ours).order_by(table.seq)


def find_range(
    connection: Connection, account_id: int, since: Millis, until: Millis, after: int
) -> RecordedRange:
    """The readings with a counter above `after` and an instant in the span."""
    table = snapshots.c
    # The index of instants is small, but holds the whole history; few readings follow a counter.
    at = table.at if after == FIRST else table.at + 0
    chosen = select(
        func.min(table.seq).label("first"), func.max(table.seq).label("last"), func.count()
    ).where(table.account_id == account_id, table.seq > after, at >= since, at < until)
    first, last, count = connection.execute(chosen).one()
    if not count:
        return RecordedRange(account_id, since, until, after, after, 0)
    return RecordedRange(account_id, since, until, first - 1, last, count)


def last_counter(connection: Connection, account_id: int) -> int | None:
    """The counter of the account's last reading; None without one."""
    chosen = select(func.max(snapshots.c.seq)).where(snapshots.c.account_id == account_id)
    return connection.execute(chosen).scalar()


def move_rows(since: Millis, until: Millis) -> Select[Any]:
    """Transitions in the span, each with its alert as that is now."""
    name = func.coalesce(accounts.c.name, "").label("account")
    return (
        select(transitions, alerts.c.rule, alerts.c.seq, alerts.c.data, name)
        .join_from(transitions, alerts)
        .join(accounts, isouter=True)
        .where(transitions.c.at >= since, transitions.c.at < until)
    )


def move(row: Row[Any]) -> tuple[int, PastAlert]:
    """The number of a transition, and its alert with this transition alone."""
    found = recorded.move(row)
    return row.id, PastAlert(row.account, found.alert, (found.transition,))
