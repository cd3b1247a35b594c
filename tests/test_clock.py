"""The machine's clock, read in one place."""

import asyncio
import time

from daemon.clock import SystemClock, ends_within


async def test_the_system_clock_counts_milliseconds() -> None:
    """Wall time counts from 1970; time since boot with suspend is never less than without."""
    clock = SystemClock()
    before = time.time()
    assert abs(clock.now() / 1_000 - before) < 60
    assert clock.elapsed() >= clock.awake()


async def test_a_sleep_lasts_at_least_as_long_as_asked() -> None:
    """Durations are milliseconds."""
    clock = SystemClock()
    began = clock.elapsed()
    await clock.sleep(20)
    assert clock.elapsed() - began >= 19


async def test_a_wait_ends_with_the_future_or_at_its_limit() -> None:
    """And never cancels the future."""
    clock, future = SystemClock(), asyncio.get_running_loop().create_future()
    assert not await ends_within(clock, future, 1)
    future.set_result(None)
    assert await ends_within(clock, future, 60_000)
