import asyncio

from daemon.service.watchdog import drift, watch
from tests.fakes import ManualClock


def test_a5_a_step_is_more_than_250_ms() -> None:
    """A5: 250 ms is noise, 251 ms a step, in both directions."""
    assert [drift(1_000, 6_000 + by, 5_000) for by in (0, 250, 251, -250, -251)] == [0, 0, 251, 0, -251]


async def test_each_step_is_told_once() -> None:
    """A step is measured, told and then part of the clock."""
    clock, steps = ManualClock(), list[int]()
    task = asyncio.create_task(watch(clock, steps.append))
    await clock.advance(3_000)
    clock.step(-60_000)
    await clock.advance(5_000)
    clock.step(700)
    await clock.advance(5_000)
    task.cancel()
    assert steps == [-60_000, 700]
