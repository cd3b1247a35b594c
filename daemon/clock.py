"""The clock: the only place that reads the machine's time.

`Clock` is passed to everything else; tests pass a manual one. `now` is wall time, for people and
records. `elapsed` is for durations (CLOCK_BOOTTIME): it includes suspend and ignores steps of the
wall clock. `awake` (CLOCK_MONOTONIC) stops in suspend, so a clock step differs from a suspend.
"""

import asyncio
import time
from typing import Any, Protocol

from daemon.types import Millis


class Clock(Protocol):
    def now(self) -> Millis:
        """Wall time in milliseconds UTC."""
        ...

    def elapsed(self) -> Millis:
        """Milliseconds since boot, suspend included; never steps."""
        ...

    def awake(self) -> Millis:
        """Milliseconds since boot, suspend excluded; never steps."""
        ...

    async def sleep(self, duration: Millis) -> None: ...


async def ends_within(clock: Clock, future: asyncio.Future[Any], limit: Millis) -> bool:
    """Wait for the future, at most `limit` ms; whether it has ended. It is not cancelled."""
    timer = asyncio.ensure_future(clock.sleep(limit))
    try:
        await asyncio.wait([future, timer], return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()
    return future.done()


class SystemClock:
    def now(self) -> Millis:
        return time.time_ns() // 1_000_000

    def elapsed(self) -> Millis:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def awake(self) -> Millis:
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000_000

    async def sleep(self, duration: Millis) -> None:
        await asyncio.sleep(duration / 1_000)
