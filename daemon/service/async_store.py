"""Asynchronous access to the store: awaited, so that it never blocks the event loop.

Writing goes to the store's one writer thread, reading to short-lived threads of their own.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from daemon.clock import Clock
from daemon.store import Store
from daemon.store.operations import CommitFailed, MessageKey, Operation, Rejected, Written
from daemon.store.write.reports import OpenReport
from daemon.types import SECOND, AccountState, Millis, Reading, Silence, Unconfirmed

_log = logging.getLogger("marginwatch")


class AsyncStore(Protocol):
    async def write(self, operation: Operation) -> Written:
        """Commit the operation, or keep it until the store can write again (see `Written`).

        Raises CommitFailed if the outcome is unknown; Rejected if nothing is recorded;
        StaleSilences if the silences of a RecordWithClaims have changed.
        """
        ...

    async def insist(self, operation: Operation) -> None:
        """Write something that has happened already; repeat until it is recorded.

        An operation that the store rejects for good is logged and dropped.
        """
        ...

    async def load(self, account: str) -> AccountState:
        """The recorded state of the account; raises StoreError if it cannot be read."""
        ...

    async def silences(self, at: Millis) -> Sequence[Silence]:
        """Silences that are active at `at` or later; raises StoreError."""
        ...

    async def tested(self, since: MessageKey) -> bool:
        """Whether a test was delivered to this message's channel after it; raises StoreError."""
        ...

    async def open_reports(self) -> Sequence[OpenReport]:
        """The reports that wait for their channels; raises StoreError."""
        ...

    def recent(self, account: str, since: Millis) -> AsyncIterator[Reading | Unconfirmed]:
        """The judged readings from the last one at or before `since` on, oldest first."""
        ...

    async def standing(self, account: str, at: Millis) -> Reading | None:
        """The last judged reading at or before `at`; raises StoreError."""
        ...

    async def latest(self, account: str) -> Sequence[Reading]:
        """The account's last readings of any quality, oldest first; raises StoreError."""
        ...


class ThreadedStore:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def write(self, operation: Operation) -> Written:
        return await asyncio.wrap_future(self._store.submit(operation))

    async def insist(self, operation: Operation) -> None:
        name, failures = type(operation).__name__, 0
        while True:
            try:
                await self.write(operation)
            except Rejected as error:
                _log.error("a completed action cannot be recorded: %s: %s", name, error)
                return
            except CommitFailed as error:
                if not failures:
                    _log.warning(
                        "a completed action is not recorded yet and is written again"
                        " every second: %s: %s",
                        name,
                        error,
                    )
                failures += 1
                await self._clock.sleep(SECOND)
            else:
                if failures:
                    _log.info(
                        "the completed action is recorded now: %s",
                        name,
                        extra={"failures": failures},
                    )
                return

    async def load(self, account: str) -> AccountState:
        return await asyncio.to_thread(self._store.load, account)

    async def silences(self, at: Millis) -> Sequence[Silence]:
        return await asyncio.to_thread(self._store.silences, at)

    async def tested(self, since: MessageKey) -> bool:
        return await asyncio.to_thread(self._store.tested, since)

    async def open_reports(self) -> Sequence[OpenReport]:
        return await asyncio.to_thread(self._store.open_reports)

    async def recent(self, account: str, since: Millis) -> AsyncIterator[Reading | Unconfirmed]:
        pages = self._store.recent(account, since)
        while page := await asyncio.to_thread(next, pages, ()):
            for reading in page:
                yield reading

    async def standing(self, account: str, at: Millis) -> Reading | None:
        return await asyncio.to_thread(self._store.standing, account, at)

    async def latest(self, account: str) -> Sequence[Reading]:
        return await asyncio.to_thread(self._store.latest, account)
