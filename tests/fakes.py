"""Stand-ins shared by all tests: a clock that moves only when told to."""

import asyncio
import heapq
import itertools

from daemon.types import Millis

NOON = 1_767_265_200_000
"""2026-01-01 11:00 UTC, where manual clocks start."""


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
