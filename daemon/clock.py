"""The clock: the only place that reads the machine's time.

`Clock` is passed to everything else; tests pass a manual one. `now` is wall time, for people and
records. `elapsed` is for durations (CLOCK_BOOTTIME): it includes suspend and ignores steps of the
wall clock. `awake` (CLOCK_MONOTONIC) stops in suspend, so a clock step differs from a suspend.
"""

import asyncio
import time
from typing import Protocol

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


class SystemClock:
    def now(self) -> Millis:
        return time.time_ns() // 1_000_000

    def elapsed(self) -> Millis:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def awake(self) -> Millis:
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000_000

    async def sleep(self, duration: Millis) -> None:
        await asyncio.sleep(duration / 1_000)
