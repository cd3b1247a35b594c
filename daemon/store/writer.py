"""The one thread that writes: what waits shares a transaction, each operation in a savepoint of its own.

    submit ──► pending ──► one transaction ──► COMMITTED            the usual way
                  │             └─ refused ──► DEFERRED: the backlog, tried again every second, in order, until it works
                  └─ while down ─────────────► DEFERRED: the backlog

An operation that fails by itself takes nothing with it. A commit that failed for an unknown reason is told to
everyone in it (CommitFailed). The writer decides nothing about what it writes, and never reads the clock.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from sqlalchemy import Connection, Engine

from daemon.errors import StoreError
from daemon.store.apply import apply
from daemon.store.backlog import Backlog
from daemon.store.failures import Refused, refusal
from daemon.store.operations import CommitFailed, Operation, Rejected, Written
from daemon.store.rows import AccountIds

GROUP = 256
"""The most operations in one transaction."""

RETRY = 1.0
"""Seconds between attempts while the store refuses writes."""

LOOK = 10.0
"""Seconds without anything to write, after which the database is looked at."""

LIMIT = 100_000
"""Operations kept in memory meanwhile: hours of a few accounts, some 100 MB at the most."""

Wait: TypeAlias = Callable[[threading.Event, float], object]
"""Returns after so many seconds, or when the event is set."""

_log = logging.getLogger(__name__)


def _nothing(*_: object) -> None:
    pass


def _log_rejected(operation: Operation, error: Exception) -> None:
    _log.error("an operation that waited for the database cannot be written: %s: %s", type(operation).__name__, error)


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who is told, in the writer's thread."""

    on_down: Callable[[str], None] = _nothing
    """The store refuses writes, for this reason."""
    on_recovered: Callable[[], None] = _nothing
    """It writes again, and everything that waited is written."""
    on_rejected: Callable[[Operation, Exception], None] = _log_rejected
    """An operation that had waited turned out not to fit; nobody awaits its answer any more."""


@dataclass(frozen=True, slots=True)
class Seams:
    """What tests replace: how a transaction is committed, and how the next attempt is awaited."""

    commit: Callable[[Connection], None] = Connection.commit
    wait: Wait = threading.Event.wait
    look: float = LOOK
    limit: int = LIMIT


class Place(Protocol):
    """Where the database is, if that can change."""

    def verify(self) -> None:
        """Raises Refused where what is written now would be lost."""
        ...

    def renew(self) -> None:
        """The store refused to write: connect anew. A file may have been put back meanwhile."""
        ...


class Server:
    """PostgreSQL's session keeps its lock, unless it was lost anyway."""

    def verify(self) -> None:
        """It stays where it is."""

    def renew(self) -> None:
        """It connects anew by itself."""


SERVER = Server()


@dataclass(slots=True)
class _Waiting:
    operation: Operation
    future: Future[Written] = field(default_factory=Future)

    def __post_init__(self) -> None:
        self.future.set_running_or_notify_cancel()  # what was submitted is written, whoever stops waiting for it


class Writer:
    """Starts its thread at once. `engine` must be for it alone."""

    def __init__(
        self, engine: Engine, hooks: Hooks | None = None, seams: Seams | None = None, place: Place = SERVER
    ) -> None:
        self._engine = engine
        self._place = place
        self._hooks = hooks or Hooks()
        self._seams = seams or Seams()
        self._ids = AccountIds()
        self._work = threading.Condition()
        self._pending: deque[_Waiting] = deque()
        self._backlog = Backlog(self._seams.limit)
        self._writing = 0
        self._down: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def down(self) -> str | None:
        """Why the store refuses writes at present."""
        return self._down

    def submit(self, operation: Operation) -> Future[Written]:
        """Write it; the answer cannot be cancelled. It raises Rejected, CommitFailed, or StoreError after `stop`."""
        waiting = _Waiting(operation)
        with self._work:
            if self._stop.is_set():
                waiting.future.set_exception(StoreError("the database is closed"))
            elif self._down is not None:
                self._backlog.add(operation)
                waiting.future.set_result(Written.DEFERRED)
            else:
                self._pending.append(waiting)
                self._work.notify()
        return waiting.future

    def stop(self, timeout: float) -> int:
        """Write what can be written within so many seconds; returns how many operations are lost."""
        with self._work:
            self._stop.set()
            self._work.notify()
        self._thread.join(timeout)
        with self._work:
            return self._writing + len(self._pending) + len(self._backlog)

    def _run(self) -> None:
        while True:
            group = self._next()
            if group:
                self._write(group)
            elif self._stop.is_set():
                return
            else:
                self._look()
            while self._down is not None:
                self._seams.wait(self._stop, RETRY)
                self._catch_up()
                if self._stop.is_set() and self._down is not None:
                    return

    def _next(self) -> list[_Waiting]:
        """What waits, as soon as something does; nothing once stopped, or when it is time to look at the database."""
        with self._work:
            self._work.wait_for(lambda: self._pending or self._stop.is_set(), self._seams.look)
            group = [self._pending.popleft() for _ in range(min(GROUP, len(self._pending)))]
            self._writing = len(group)
            return group

    def _look(self) -> None:
        """Where nothing is written, nobody would notice that nothing can be."""
        try:
            self._place.verify()
        except Refused as refused:
            self._defer([], str(refused))

    def _write(self, group: list[_Waiting]) -> None:
        try:
            failures = self._transact([waiting.operation for waiting in group])
        except Refused as refused:
            self._defer(group, str(refused))
        except CommitFailed as failed:
            for waiting in group:
                waiting.future.set_exception(failed)
        else:
            for waiting, failure in zip(group, failures, strict=True):
                _answer(waiting.future, failure)
        self._writing = 0

    def _defer(self, group: list[_Waiting], reason: str) -> None:
        with self._work:
            everyone = [*group, *self._pending]
            self._pending.clear()
            for waiting in everyone:
                self._backlog.add(waiting.operation)
            self._down, self._writing = reason, 0
        _guarded(self._hooks.on_down, reason)
        for waiting in everyone:
            waiting.future.set_result(Written.DEFERRED)

    def _catch_up(self) -> None:
        """Write the backlog from its beginning, as far as the store lets us; up again once nothing is left."""
        try:
            self._place.verify()
            self._write_backlog()
        except Refused as refused:
            self._still_down(str(refused))
        except CommitFailed:
            return
        else:
            _guarded(self._hooks.on_recovered)

    def _still_down(self, reason: str) -> None:
        """Told again only where the reason is another one."""
        if reason != self._down:
            self._down = reason
            _guarded(self._hooks.on_down, reason)

    def _write_backlog(self) -> None:
        while operations := self._oldest():
            failures = self._transact(operations)
            with self._work:
                self._backlog.drop(len(operations))
            for operation, failure in zip(operations, failures, strict=True):
                if failure is not None:
                    _guarded(self._hooks.on_rejected, operation, failure)

    def _oldest(self) -> list[Operation]:
        with self._work:
            operations = self._backlog.head(GROUP)
            if not operations:
                self._down = None
            return operations

    def _transact(self, operations: Sequence[Operation]) -> list[Exception | None]:
        """One transaction; by operation, why it alone failed. Raises Refused or CommitFailed for all of them.

        What was committed into a file that was lost meanwhile is written again: writing twice is writing once.
        """
        try:
            self._place.verify()
            with self._engine.connect() as connection:
                alone = len(operations) == 1
                failures = [self._attempt(connection, operation, alone=alone) for operation in operations]
                self._seams.commit(connection)
            self._place.verify()
            return failures  # noqa: TRY300 -- every exit of the block above is a failure
        except Exception as error:
            self._ids.forget()
            reason = refusal(error)
            if reason is not None:
                self._place.renew()
                raise Refused(reason) from error
            raise CommitFailed(f"nobody knows whether this was recorded: {error}") from error

    def _attempt(self, connection: Connection, operation: Operation, *, alone: bool) -> Exception | None:
        """Why it failed by itself. One that is alone needs no savepoint: its transaction is undone."""
        savepoint = None if alone else connection.begin_nested()
        try:
            apply(connection, self._ids, operation)
            if savepoint is not None:
                savepoint.commit()
        except Exception as error:
            if refusal(error) is not None:
                raise
            self._ids.forget()
            (savepoint or connection).rollback()
            return error
        return None


def _answer(future: Future[Written], failure: Exception | None) -> None:
    if failure is None:
        future.set_result(Written.COMMITTED)
    elif isinstance(failure, Rejected):
        future.set_exception(failure)
    else:
        rejected = Rejected(f"nothing of this was recorded: {failure}")
        rejected.__cause__ = failure
        future.set_exception(rejected)


def _guarded(hook: Callable[..., None], *arguments: object) -> None:
    """Whoever is told must not end the thread that writes."""
    try:
        hook(*arguments)
    except Exception:  # noqa: BLE001 -- whatever it was
        _log.exception("a listener of the store failed")
