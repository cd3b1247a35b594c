"""Fakes shared by all tests: a manual clock, notifiers and a store that follow orders."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from daemon.clock import Clock
from daemon.config import BudgetLimits
from daemon.errors import StoreError
from daemon.exchanges.common.rate_limit import Budget
from daemon.notifiers import Traits
from daemon.store.operations import CommitFailed, MessageKey, Operation, Written
from daemon.store.write.reports import OpenReport
from daemon.types import (
    AccountState,
    AttemptResult,
    Limit,
    Message,
    Millis,
    Notice,
    Outcome,
    Reading,
    Record,
    Silence,
    Unconfirmed,
)

NOON = 1_767_265_200_000
"""2026-01-01 11:00 UTC, where manual clocks start."""


def budget(clock: Clock, **limits: Limit) -> Budget:
    """The budget of a host with the limits of the configuration, or others."""
    given = replace(BudgetLimits(), **limits)
    return Budget(clock, given.host, given.user, {"assets": given.assets})


class ManualClock:
    """A clock that stands still until `advance`; sleepers wake in order of their instants."""

    def __init__(self, now: Millis = NOON) -> None:
        self._now = now
        self._elapsed = 1_000_000
        self._suspended = 0
        self._sleepers: list[tuple[Millis, int, asyncio.Future[None]]] = []
        self._ticket = itertools.count()

    def now(self) -> Millis:
        return self._now

    def elapsed(self) -> Millis:
        return self._elapsed

    def awake(self) -> Millis:
        return self._elapsed - self._suspended

    async def sleep(self, duration: Millis) -> None:
        if duration <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + duration, next(self._ticket), future))
        await future

    def step(self, by: Millis) -> None:
        """Set the wall clock, as an administrator or NTP does."""
        self._now += by

    async def suspend(self, duration: Millis) -> None:
        """Time passes while the machine sleeps: nobody wakes before it does."""
        await settle()
        self._suspended += duration
        self._move(self._elapsed + duration)
        self._sleepers = [(at + duration, ticket, future) for at, ticket, future in self._sleepers]

    async def advance(self, duration: Millis) -> None:
        """Let time pass, waking each sleeper at its instant and letting it run."""
        await settle()
        end = self._elapsed + duration
        while self._sleepers and self._sleepers[0][0] <= end:
            at, _, future = heapq.heappop(self._sleepers)
            self._move(at)
            if not future.done():
                future.set_result(None)
            await settle()
        self._move(end)
        await settle()

    def _move(self, elapsed: Millis) -> None:
        passed = max(0, elapsed - self._elapsed)
        self._elapsed += passed
        self._now += passed


async def settle(turns: int = 50) -> None:
    """Let every task that can run do so."""
    for _ in range(turns):
        await asyncio.sleep(0)


class ScriptedNotifier:
    """A way out that answers as told, then delivers; keeps what it was given."""

    def __init__(self, *script: AttemptResult) -> None:
        self.script = list(script)
        self.traits = Traits()
        self.sent: list[Message] = []
        self.gate: asyncio.Event | None = None
        """While it is there and not set, calls hang."""

    async def send(self, message: Message) -> AttemptResult:
        self.sent.append(message)
        if self.gate is not None:
            await self.gate.wait()
        return self.script.pop(0) if self.script else AttemptResult(Outcome.DELIVERED)


class RecordingWatcher:
    """Keeps what was judged and attempted."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.attempts: list[tuple[str, AttemptResult]] = []

    def judged(self, record: Record) -> None:
        self.records.append(record)

    def attempted(
        self, channel: str, message: Message, notices: Sequence[Notice], attempted: AttemptResult
    ) -> None:
        self.attempts.append((channel, attempted))


class ListJournal:
    """A store that keeps operations in a list, and fails or defers as told."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.answers: list[Written | Exception] = []
        self.unreadable = False
        self.hushed: list[Silence] = []
        self.mended: set[str] = set()
        """The channels to which tests got through since their last attempt."""
        self.asked = 0
        """Number of look-ups."""
        self.reports: list[OpenReport] = []
        self.hangs: asyncio.Event | None = None
        """The next write happens, but its answer waits for this event."""

    async def write(self, operation: Operation) -> Written:
        answer = self.answers.pop(0) if self.answers else Written.COMMITTED
        if isinstance(answer, Exception):
            raise answer
        self.operations.append(operation)
        hangs, self.hangs = self.hangs, None
        if hangs is not None:
            await hangs.wait()
        return answer

    async def insist(self, operation: Operation) -> None:
        while True:
            try:
                await self.write(operation)
            except CommitFailed:
                continue
            return

    async def load(self, account: str) -> AccountState:
        raise StoreError("this fake remembers nothing")

    async def silences(self, at: Millis) -> Sequence[Silence]:
        if self.unreadable:
            raise StoreError("the database cannot be reached")
        return self.hushed

    async def tested(self, since: MessageKey) -> bool:
        self.asked += 1
        if self.unreadable:
            raise StoreError("the database cannot be reached")
        return since.channel in self.mended

    async def open_reports(self) -> Sequence[OpenReport]:
        if self.unreadable:
            raise StoreError("the database cannot be reached")
        return self.reports

    async def recent(self, account: str, since: Millis) -> AsyncIterator[Reading | Unconfirmed]:
        if self.unreadable:
            raise StoreError("the database cannot be reached")
        nothing: list[Reading] = []
        for reading in nothing:
            yield reading

    async def standing(self, account: str, at: Millis) -> Reading | None:
        if self.unreadable:
            raise StoreError("the database cannot be reached")
        return None

    async def latest(self, account: str) -> Sequence[Reading]:
        if self.unreadable:
            raise StoreError("the database cannot be reached")
        return []
