"""The store of a daemon that collects: locked, migrated, with its writer and its readers.

Every read opens a short transaction of its own on read-only connections, from any thread.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine, select

from daemon.errors import StoreError
from daemon.readings.rollups import HourRollup
from daemon.store.database import corruption
from daemon.store.database import engine as engines
from daemon.store.database.failures import database_name, store_errors
from daemon.store.database.file import DatabaseFile
from daemon.store.database.files import refuse_unwritable
from daemon.store.database.lock import Lock, collect
from daemon.store.database.migrate import bring_up, check, must_hold_no_triggers
from daemon.store.operations import MessageKey, Operation, Unwritten, Written
from daemon.store.read import recovery, rollups
from daemon.store.read.channel_health import tested
from daemon.store.read.common import CommonReads
from daemon.store.read.recovery import KeptNotice, LastLife, RecordedDelivery
from daemon.store.read.rollups import RollupsLeft, UnseenInputs
from daemon.store.rows import AccountIds, account_number
from daemon.store.schema import accounts
from daemon.store.write import reports, silences
from daemon.store.write.apply import apply
from daemon.store.write.location import SERVER
from daemon.store.write.reports import OpenReport
from daemon.store.write.writer import FaultInjection, Hooks, Writer
from daemon.types import AccountState, Millis, Reading, Silence

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds that closing may take."""


class Store(CommonReads):
    """Created by `open`, ended by `close`."""

    def __init__(
        self,
        url: str,
        writing: Engine,
        lock: Lock,
        hooks: Hooks,
        fault_injection: FaultInjection | None,
    ) -> None:
        self._url = engines.parse(url)
        self.is_new = False
        """Whether the database was created by this opening."""
        self.name = database_name(self._url)
        """The database's name for people."""
        self._lock = lock
        self._writing = writing
        self._reading = engines.reading(self._url)
        self._file: DatabaseFile | None = None
        if self._url.get_backend_name() == "sqlite":
            self._file = DatabaseFile(self._url, lock, writing, self._reading)
        self._writer = Writer(
            writing,
            self._noting(hooks),
            fault_injection,
            self._file or SERVER,
            self._release,
        )

    @classmethod
    def open(
        cls,
        url: str,
        *,
        hooks: Hooks | None = None,
        fault_injection: FaultInjection | None = None,
        patience: Millis = engines.PATIENCE,
        **listeners: Callable[..., None],
    ) -> "Store":
        """Take the lock, bring the schema up to date, start writing.

        `listeners` are hooks by name (`on_down`, `on_recovered`, `on_rejected`), called in the
        writer's thread; `patience` is how long a locked database is waited for. Raises StoreError
        where the database cannot be used.
        """
        parsed = engines.parse(url)
        writing = engines.writing(parsed, patience)
        lock = collect(parsed, writing)
        try:
            with store_errors(parsed), writing.begin() as connection:
                is_new = bring_up(connection, parsed)
            store = cls(url, writing, lock, replace(hooks or Hooks(), **listeners), fault_injection)
        except BaseException:
            writing.dispose()
            lock.release()
            raise
        store.is_new = is_new
        return store

    def close(self, timeout: float = PATIENCE) -> Unwritten:
        """Write as much as possible within `timeout` seconds; returns the counts not recorded.

        Nothing is committed after that, except operations counted as `unknown`. The lock is held
        until the writer has ended.
        """
        return self._writer.stop(timeout)

    def ended(self, timeout: float) -> bool:
        """Wait, after `close`, until the lock is free; False after `timeout` seconds."""
        return self._writer.join(timeout)

    def flush(self, timeout: float) -> bool:
        """Wait until all submitted operations are written or deferred; False at the timeout (s)."""
        return self._writer.flush(timeout)

    def _release(self) -> None:
        """Release everything when the writer's thread ends; the last to close a file tidies it."""
        self._reading.dispose()
        self._writing.dispose()
        if self._file is not None:
            self._file.close()
        self._lock.release()

    @property
    def down(self) -> str | None:
        """The reason why writes are refused at present; None while they are not."""
        return self._writer.down

    def submit(self, operation: Operation) -> Future[Written]:
        """Write it, in order of submission; see Writer.submit."""
        return self._writer.submit(operation)

    def load(self, account: str) -> AccountState:
        """The recorded state of an account. Raises StoreError, as all reads do."""
        return self._read(lambda connection: recovery.load(connection, account))

    def last_life(self) -> LastLife:
        """The run before the next start."""
        return self._read(recovery.last_life)

    def recent(self, account: str, since: Millis) -> Iterator[list[Reading]]:
        """Pages of judged readings, from the last one at or before `since` on, oldest first."""
        begin = self._read(lambda connection: recovery.start(connection, account, since))
        while begin is not None:
            page = self._read(partial(recovery.page, begin=begin, most=recovery.PAGE))
            if page:
                yield page
            begin = replace(begin, seq=page[-1].seq + 1) if len(page) == recovery.PAGE else None

    def standing(self, account: str, at: Millis) -> Reading | None:
        """The last judged reading at or before an instant."""
        return self._read(lambda connection: recovery.standing(connection, account, at))

    def latest(self, account: str) -> list[Reading]:
        """The last own readings, of any quality, oldest first: they show what is believed (B5)."""
        return self._read(lambda connection: recovery.latest(connection, account))

    def open_notices(self) -> list[KeptNotice]:
        """Notifications queued, or being sent when the daemon ended, oldest first."""
        return self._read(recovery.open_notices)

    def open_reports(self) -> list[OpenReport]:
        """Reports that wait, or were being sent when the daemon ended, oldest first."""
        return self._read(reports.open_reports)

    def episode_deliveries(self) -> list[RecordedDelivery]:
        """Each channel's knowledge of alerts that are open or still have notifications waiting."""
        return self._read(recovery.episode_deliveries)

    def tested(self, since: MessageKey) -> bool:
        """Whether a test of `check --notify` reached this message's channel after its attempt."""
        return self._read(lambda connection: tested(connection, since))

    def recorded_accounts(self) -> list[str]:
        """Names of all accounts ever recorded."""
        return self._read(lambda connection: list(connection.scalars(select(accounts.c.name))))

    def unseen_inputs(self, account: str) -> UnseenInputs | None:
        """The next inputs whose hours are to be rolled; None when all were looked at."""
        return self._read(
            lambda connection: rollups.unseen(connection, account_number(connection, account))
        )

    def pending_hours(self, account: str, before: Millis, most: int) -> dict[Millis, int]:
        """The first hours to be rolled that ended before an instant, with their marks."""
        return self._read(
            lambda connection: rollups.pending(
                connection, account_number(connection, account), before, most
            )
        )

    def roll_hours(self, account: str, hours: Iterable[Millis]) -> list[HourRollup]:
        """Rollups of these hours, made from the readings."""
        return self._read(
            lambda connection: rollups.roll_hours(
                connection, account_number(connection, account), hours
            )
        )

    def rollups_left(self, now: Millis) -> RollupsLeft:
        """Hours and inputs that are still to be rolled, over all accounts."""
        return self._read(lambda connection: rollups.left(connection, now))

    def codes(self) -> set[str]:
        """Codes of all alerts ever raised."""
        return self._read(recovery.codes)

    def stateful(self) -> list[str]:
        """Accounts with open alerts, or with values that rules keep, configured or not."""
        return self._read(recovery.stateful)

    def silences(self, now: Millis) -> list[Silence]:
        """Silences in force at `now`, or later."""
        return self._read(lambda connection: silences.in_force(connection, now))

    def _noting(self, hooks: Hooks) -> Hooks:
        """Hooks that also note in the lock what they report, where `status` finds it."""

        def on_down(reason: str) -> None:
            self._lock.note(reason)
            hooks.on_down(reason)

        def on_recovered() -> None:
            self._lock.note("")
            hooks.on_recovered()

        return replace(hooks, on_down=on_down, on_recovered=on_recovered)

    def _read(self, what: Callable[[Connection], T]) -> T:
        if self._file is not None and (trouble := self._file.trouble()):
            raise StoreError(f"the record cannot be read: {trouble}")
        with (
            store_errors(self._url),
            self._reading.connect() as connection,
            corruption.damage_errors(self._url, connection),
        ):
            return what(connection)


def write_once(url: str, operation: Operation) -> None:
    """Write one row in a short transaction beside a running daemon; raises StoreError or Unfit."""
    with beside(url) as connection:
        apply(connection, AccountIds(), operation)


@contextmanager
def beside(url: str) -> Iterator[Connection]:
    """A transaction in a database of the present version, without its lock."""
    parsed = engines.parse(url)
    # It must exist: a command that only adds a row makes no database.
    engines.reading(parsed).dispose()
    refuse_unwritable(parsed)
    engine = engines.writing(parsed)
    try:
        with store_errors(parsed), engine.begin() as connection:
            check(connection, parsed)
            must_hold_no_triggers(connection, parsed)
            yield connection
    finally:
        engine.dispose()
