"""The past, for commands and the page: read by the page of rows, never holding a cursor, beside whoever writes.

Spans are half open: `since` belongs to them, `until` does not. Nothing here takes the lock, migrates or writes.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from heapq import merge
from operator import attrgetter
from typing import Any, Self, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, or_, select

from daemon.errors import StoreError
from daemon.store import engine as engines
from daemon.store import past, state, status
from daemon.store.codec import reading
from daemon.store.deliveries import Deliveries, deliveries
from daemon.store.failures import told
from daemon.store.migrate import check
from daemon.store.operations import Book, GapReason
from daemon.store.past import PastAlert, PastEpoch, PastGap, PastNotice
from daemon.store.schema import accounts, alerts, epochs, gaps, misses, notifications, snapshots
from daemon.store.state import Call
from daemon.store.status import AccountStatus, ChannelStatus
from daemon.types import ClockStep, Millis, Miss, Quality, Reading, Unconfirmed

T = TypeVar("T")

PAGE = 1_000
"""Rows read at a time."""

FIRST, LAST = -(2**63), 2**63 - 1
"""The ends of what a counter can be; imported readings have negative ones."""

Replayed: TypeAlias = Reading | Unconfirmed | Miss | ClockStep
"""The inputs that have rows of their own; a ConfigChange is an epoch's."""


class History:
    """Made by `open`; a context manager that closes itself."""

    def __init__(self, url: str) -> None:
        self._url = engines.parse(url)
        self._engine = engines.reading(self._url)

    @classmethod
    def open(cls, url: str) -> "History":
        """Raises StoreError where the database is missing, unreadable, or of another version."""
        history = cls(url)
        try:
            history._read(lambda connection: check(connection, history._url))
        except StoreError:
            history.close()
            raise
        return history

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def accounts(self) -> list[str]:
        """The names of all that were ever recorded, in their order of appearance."""
        return list(self._numbers())

    def readings(self, names: Collection[str], since: Millis, until: Millis) -> Iterator[tuple[str, Reading]]:
        """The readings of these accounts, whatever their quality, imported ones included, in the order of time."""
        numbers = self._numbers()
        return merge(
            *(self._readings_of(name, numbers[name], since, until) for name in names if name in numbers),
            key=lambda each: each[1].at,
        )

    def inputs(self, account: str, after: int, until: int | None = None) -> Iterator[Replayed]:
        """What was judged with a counter beyond `after`, up to and with `until`, in the order of replay."""
        number = self._numbers().get(account)
        if number is None:
            return iter(())
        last = LAST if until is None else until
        tables = (snapshots, misses, gaps)
        return merge(*(self._inputs_of(table, number, after, last) for table in tables), key=attrgetter("seq"))

    def alerts(self, since: Millis, until: Millis) -> Iterator[PastAlert]:
        """The alerts that were not over before `since`, in the order of their beginnings."""
        within = and_(alerts.c.started_at < until, or_(alerts.c.ended_at.is_(None), alerts.c.ended_at >= since))
        for rows in self._pages(past.alert_rows().where(within), alerts.c.id):
            yield from self._read(lambda connection: past.with_transitions(connection, rows))  # noqa: B023

    def notifications(self, since: Millis, until: Millis) -> Iterator[PastNotice]:
        """Those that were queued within the span, in that order."""
        within = and_(notifications.c.at >= since, notifications.c.at < until)
        for rows in self._pages(past.notice_rows().where(within), notifications.c.id):
            yield from map(past.notice, rows)

    def gaps(self, since: Millis, until: Millis) -> Iterator[PastGap]:
        """The recorded gaps that touch the span (those that misses make are derived from `inputs`)."""
        within = and_(gaps.c.ended_at >= since, gaps.c.started_at < until)
        found = self._read(lambda connection: connection.execute(past.gap_rows().where(within)).all())
        return map(past.gap, found)

    def epochs(self, since: Millis, until: Millis) -> Iterator[PastEpoch]:
        """Those that touch the span, in their order."""
        within = and_(epochs.c.started_at < until, or_(epochs.c.ended_at.is_(None), epochs.c.ended_at >= since))
        for rows in self._pages(select(epochs).where(within), epochs.c.id):
            yield from map(past.epoch, rows)

    def status(self, now: Millis) -> list[AccountStatus]:
        """How every account that was ever recorded stands; its counts are those of the last day."""
        return self._read(lambda connection: status.accounts_status(connection, now))

    def waiting(self) -> list[ChannelStatus]:
        """By channel, what is not delivered yet."""
        return self._read(status.channels_status)

    def deliveries(self) -> list[Deliveries]:
        """By channel, how attempts to deliver have ended of late."""
        return self._read(deliveries)

    def user_ids(self) -> dict[str, str]:
        """By the name of every account ever recorded: its user id, empty where that is not known."""
        return self._read(state.user_ids)

    def calls(self, since: Millis) -> list[Call]:
        """Calls to the exchange that left a reading or a miss, oldest first."""
        return self._read(lambda connection: state.calls(connection, since))

    def bookings(self, since: Millis) -> list[Book]:
        """Calls to the exchange that commands booked."""
        return self._read(lambda connection: state.bookings(connection, since))

    def _readings_of(self, name: str, number: int, since: Millis, until: Millis) -> Iterator[tuple[str, Reading]]:
        table = snapshots.c
        chosen = select(snapshots).where(table.account_id == number, table.at < until).order_by(table.at, table.seq)
        at, seq = since, FIRST
        while True:
            beyond = and_(table.at >= at, or_(table.at > at, table.seq > seq))
            rows = self._rows(chosen.where(beyond).limit(PAGE))
            yield from ((name, reading(row)) for row in rows)
            if len(rows) < PAGE:
                return
            at, seq = rows[-1].at, rows[-1].seq

    def _inputs_of(self, table: Table, number: int, after: int, until: int) -> Iterator[Replayed]:
        chosen = select(table).where(table.c.account_id == number, table.c.seq <= until)
        if table is gaps:
            chosen = chosen.where(gaps.c.reason == GapReason.CLOCK_STEP)
        for rows in self._pages(chosen, table.c.seq, after):
            for row in rows:
                yield self._input(table, row)

    def _input(self, table: Table, row: Row[Any]) -> Replayed:
        if table is snapshots and row.quality == Quality.UNCONFIRMED:
            return self._read(lambda connection: past.unconfirmed(connection, row))
        return past.INPUTS[table.name](row)

    def _numbers(self) -> dict[str, int]:
        rows = self._rows(select(accounts.c.name, accounts.c.id).order_by(accounts.c.id))
        return {row.name: row.id for row in rows}

    def _pages(self, chosen: Select[Any], key: ColumnElement[int], after: int = 0) -> Iterator[Sequence[Row[Any]]]:
        """By an ascending key that is among the columns, each page in a transaction of its own."""
        while True:
            rows = self._rows(chosen.where(key > after).order_by(key).limit(PAGE))
            if rows:
                yield rows
            if len(rows) < PAGE:
                return
            after = getattr(rows[-1], str(key.key))

    def _rows(self, chosen: Select[Any]) -> Sequence[Row[Any]]:
        return self._read(lambda connection: connection.execute(chosen).all())

    def _read(self, what: Callable[[Connection], T]) -> T:
        with told(self._url), self._engine.connect() as connection:
            return what(connection)
