"""The only thread that writes: waiting operations share a transaction, each in its own savepoint.

    submit ──► pending ──► one transaction ──► COMMITTED       the usual way
                  │             └─ refused ──► DEFERRED: the backlog, tried again
                  │                            every second, in order, until it works
                  └─ while down ─────────────► DEFERRED: the backlog

An operation that fails by itself affects no other. After a commit of unknown outcome, every
operation in it gets CommitFailed. The writer makes no decisions about the content, and never reads
the clock.

`stop` gives up operations not written in time. Nothing is committed after that, except a commit
already sent: it cannot be recalled, and counts as unknown. The owner of the database's lock
releases it when the thread has ended.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import Connection, Engine

from daemon.errors import StoreError
from daemon.store.database.failures import Refused, refusal, undecided
from daemon.store.operations import (
    UPKEEP,
    CommitFailed,
    Operation,
    Rejected,
    Unwritten,
    Written,
)
from daemon.store.rows import AccountIds
from daemon.store.write.apply import apply
from daemon.store.write.backlog import Backlog
from daemon.store.write.location import SERVER, DatabaseLocation

GROUP = 256
"""Most operations in one transaction."""

RETRY = 1.0
"""Seconds between attempts while the store refuses writes."""

LOOK = 10.0
"""Seconds without writes after which the database is checked."""

LIMIT = 100_000
"""Most operations kept in memory meanwhile: hours of a few accounts, at most some 100 MB."""

Wait: TypeAlias = Callable[[threading.Event, float], object]
"""Returns after so many seconds, or when the event is set."""

CLOSED = "the database is closed"

_log = logging.getLogger(__name__)


def _nothing(*_: object) -> None:
    pass


def _log_rejected(operation: Operation, error: Exception) -> None:
    _log.error(
        "an operation that waited for the database cannot be written: %s: %s",
        type(operation).__name__,
        error,
    )


@dataclass(frozen=True, slots=True)
class Hooks:
    """Listeners, called in the writer's thread."""

    on_down: Callable[[str], None] = _nothing
    """The store refuses writes, for this reason."""
    on_recovered: Callable[[], None] = _nothing
    """The store writes again, and all deferred operations are written."""
    on_rejected: Callable[[Operation, Exception], None] = _log_rejected
    """A deferred operation did not fit; nobody awaits its answer any more."""


@dataclass(frozen=True, slots=True)
class FaultInjection:
    """Parts replaced by tests: the commit of a transaction, and the wait for the next try."""

    commit: Callable[[Connection], None] = Connection.commit
    wait: Wait = threading.Event.wait
    look: float = LOOK
    limit: int = LIMIT


@dataclass(slots=True)
class _Waiting:
    operation: Operation
    future: Future[Written] = field(default_factory=Future)

    def __post_init__(self) -> None:
        # A submitted operation is written even if the caller stops waiting for it.
        self.future.set_running_or_notify_cancel()


class Writer:
    """Starts its thread at once, which calls `ended` last. It alone may use `engine`."""

    def __init__(
        self,
        engine: Engine,
        hooks: Hooks | None = None,
        fault_injection: FaultInjection | None = None,
        place: DatabaseLocation = SERVER,
        ended: Callable[[], None] = _nothing,
    ) -> None:
        self._engine = engine
        self._place = place
        self._ended = ended
        self._hooks = hooks or Hooks()
        self._fault_injection = fault_injection or FaultInjection()
        self._ids = AccountIds()
        self._work = threading.Condition()
        self._pending: deque[_Waiting] = deque()
        self._backlog = Backlog(self._fault_injection.limit)
        self._writing = 0
        """Operations being written: no longer pending, and not in the backlog."""
        self._committing = 0
        """Operations whose commit is sent but unanswered."""
        self._undecided = 0
        """The oldest operations of the backlog whose failed commit may be on disk."""
        self._latest: Future[Written] | None = None
        self._unwritten: Unwritten | None = None
        """Set when this writer is given up: nothing is committed after that."""
        self._down: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def down(self) -> str | None:
        """The reason why the store refuses writes at present."""
        return self._down

    def submit(self, operation: Operation) -> Future[Written]:
        """Write the operation; the returned future cannot be cancelled.

        It raises Rejected, CommitFailed, or StoreError after `stop`.
        """
        waiting = _Waiting(operation)
        with self._work:
            if self._stop.is_set():
                waiting.future.set_exception(StoreError(CLOSED))
            elif self._down is not None and isinstance(operation, UPKEEP):
                waiting.future.set_exception(StoreError(self._down))
            elif self._down is not None:
                self._backlog.add(operation)
                waiting.future.set_result(Written.DEFERRED)
            else:
                self._pending.append(waiting)
                self._latest = waiting.future
                self._work.notify()
        return waiting.future

    def flush(self, timeout: float) -> bool:
        """Wait until all submitted operations are written or deferred; False at the timeout (s)."""
        with self._work:
            latest = self._latest
        return latest is None or bool(wait([latest], timeout).done)

    def stop(self, timeout: float) -> Unwritten:
        """Write as much as possible within `timeout` seconds; returns the counts not recorded."""
        with self._work:
            self._stop.set()
            self._work.notify()
        self._thread.join(timeout)
        with self._work:
            if self._unwritten is None:
                self._unwritten = self._count()
            given_up = [*self._pending]
            self._pending.clear()
        for waiting in given_up:
            waiting.future.set_exception(StoreError(CLOSED))
        return self._unwritten

    def join(self, timeout: float) -> bool:
        """Wait for the end of the thread; False after `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _count(self) -> Unwritten:
        left = self._writing + _recorded(self._pending) + len(self._backlog)
        unknown = min(left, max(self._committing, self._undecided))
        return Unwritten(left - unknown, unknown)

    def _run(self) -> None:
        try:
            self._write_all()
        finally:
            self._ended()

    def _write_all(self) -> None:
        while True:
            group = self._next()
            if group:
                self._write(group)
            elif self._stop.is_set():
                return
            else:
                self._look()
            while self._down is not None:
                self._fault_injection.wait(self._stop, RETRY)
                self._catch_up()
                if self._stop.is_set() and self._down is not None:
                    return

    def _next(self) -> list[_Waiting]:
        """Wait for operations; empty once stopped, or when it is time to check the database."""
        with self._work:
            self._work.wait_for(
                lambda: self._pending or self._stop.is_set(), self._fault_injection.look
            )
            group = self._group()
            self._writing = _recorded(group)
            return group

    def _group(self) -> list[_Waiting]:
        """The next operations of one transaction; upkeep has one of its own, never a reading's."""
        if self._pending and isinstance(self._pending[0].operation, UPKEEP):
            return [self._pending.popleft()]
        group: list[_Waiting] = []
        while self._pending and len(group) < GROUP:
            if isinstance(self._pending[0].operation, UPKEEP):
                break
            group.append(self._pending.popleft())
        return group

    def _look(self) -> None:
        """Check the database when nothing is written, so that a failure is noticed."""
        try:
            self._place.verify()
        except Refused as refused:
            self._defer([], refused)

    def _write(self, group: list[_Waiting]) -> None:
        try:
            failures = self._transact([waiting.operation for waiting in group])
        except Refused as refused:
            self._defer(group, refused)
        except CommitFailed as failed:
            self._settle()
            for waiting in group:
                waiting.future.set_exception(failed)
        else:
            self._settle()
            for waiting, failure in zip(group, failures, strict=True):
                _answer(waiting.future, failure)

    def _settle(self) -> None:
        """Note that the current group has its answers."""
        with self._work:
            self._writing = self._committing = 0

    def _defer(self, group: list[_Waiting], refused: Refused) -> None:
        with self._work:
            everyone = [*group, *self._pending]
            self._pending.clear()
            for waiting in everyone:
                if not isinstance(waiting.operation, UPKEEP):
                    self._backlog.add(waiting.operation)
            self._down, self._writing, self._committing = str(refused), 0, 0
            self._undecided = _recorded(group) if refused.undecided else 0
        self._tell(self._hooks.on_down, str(refused))
        for waiting in everyone:
            if isinstance(waiting.operation, UPKEEP):
                waiting.future.set_exception(StoreError(str(refused)))
            else:
                waiting.future.set_result(Written.DEFERRED)

    def _catch_up(self) -> None:
        """Write the backlog from its start, as far as possible; when it is empty, writes resume."""
        try:
            self._place.verify()
            self._write_backlog()
        except Refused as refused:
            self._still_down(str(refused))
        except CommitFailed:
            return
        else:
            if self._down is None:
                self._tell(self._hooks.on_recovered)

    def _still_down(self, reason: str) -> None:
        """Report the failure again if its reason has changed."""
        if reason != self._down:
            self._down = reason
            self._tell(self._hooks.on_down, reason)

    def _write_backlog(self) -> None:
        while operations := self._oldest():
            try:
                failures = self._transact(operations)
            except (Refused, CommitFailed) as failed:
                self._keep(len(operations), failed)
                raise
            with self._work:
                self._backlog.drop(len(operations))
                self._committing, self._undecided = 0, max(0, self._undecided - len(operations))
            for operation, failure in zip(operations, failures, strict=True):
                if failure is not None:
                    self._tell(self._hooks.on_rejected, operation, failure)

    def _keep(self, count: int, failed: Exception) -> None:
        """Keep the oldest operations in the backlog. An unanswered commit may be on disk."""
        with self._work:
            self._committing = 0
            if not isinstance(failed, Refused) or failed.undecided:
                self._undecided = max(self._undecided, count)

    def _oldest(self) -> list[Operation]:
        """The next operations of the backlog; empty at its end (up again), or once given up."""
        with self._work:
            if self._unwritten is not None:
                return []
            operations = self._backlog.head(GROUP)
            if not operations:
                self._down = None
            return operations

    def _transact(self, operations: Sequence[Operation]) -> list[Exception | None]:
        """Run one transaction; returns for each operation its own failure, if any.

        Raises Refused or CommitFailed for all of them. Operations committed into a file that was
        lost meanwhile are written again: they are idempotent.
        """
        try:
            self._place.verify()
            with self._engine.connect() as connection:
                alone = len(operations) == 1
                failures = [
                    self._attempt(connection, operation, alone=alone) for operation in operations
                ]
                self._begin_commit(sum(not isinstance(each, UPKEEP) for each in operations))
                self._fault_injection.commit(connection)
            self._verify_committed()
            return failures  # noqa: TRY300 -- every exit of the block above is a failure
        except Exception as error:
            self._ids.forget()
            reason = refusal(error)
            if reason is not None:
                self._place.renew()
                raise Refused(
                    reason, undecided=bool(self._committing) and undecided(error)
                ) from error
            raise CommitFailed(f"it is unknown whether this was recorded: {error}") from error

    def _verify_committed(self) -> None:
        try:
            self._place.verify()
        except Refused as refused:
            raise Refused(str(refused), undecided=True) from None  # it is in the file that was lost

    def _begin_commit(self, count: int) -> None:
        """Pass the point of no return: earlier give-ups roll back, later ones cannot stop it."""
        with self._work:
            if self._unwritten is not None:
                raise Refused(CLOSED)
            self._committing = count

    def _attempt(
        self, connection: Connection, operation: Operation, *, alone: bool
    ) -> Exception | None:
        """Apply the operation; returns its own failure. Alone, it needs no savepoint."""
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

    def _tell(self, hook: Callable[..., None], *arguments: object) -> None:
        """Call a listener. Its failure must not end the thread; a given-up writer calls none."""
        if self._unwritten is not None:
            return
        try:
            hook(*arguments)
        except Exception:  # noqa: BLE001 -- whatever it was
            _log.exception("a listener of the store failed")


def _recorded(waiting: Iterable[_Waiting]) -> int:
    """The number of operations that record something: what upkeep derives is derived again."""
    return sum(not isinstance(each.operation, UPKEEP) for each in waiting)


def _answer(future: Future[Written], failure: Exception | None) -> None:
    if failure is None:
        future.set_result(Written.COMMITTED)
    elif isinstance(failure, Rejected):
        future.set_exception(failure)
    else:
        rejected = Rejected(f"this was not recorded: {failure}")
        rejected.__cause__ = failure
        future.set_exception(rejected)
