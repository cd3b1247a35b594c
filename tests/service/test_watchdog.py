import asyncio
from typing import ClassVar

from daemon.service.watchdog import NAP, TOGETHER, Drift, asleep, drift, offset, watch
from daemon.types import Millis
from tests.fakes import ManualClock


def test_a5_a_step_is_more_than_250_ms() -> None:
    """A5: 250 ms is noise, 251 ms a step, in both directions."""
    assert [drift(1_000, 1_000 + by) for by in (0, 250, 251, -250, -251)] == [0, 0, 251, 0, -251]


def test_a5_a_process_that_is_held_up_between_two_clocks_sees_no_step() -> None:
    """Stopped, swapped out or just slow: the two are read again until they belong together."""

    class Interrupted(ManualClock):
        pauses: ClassVar = [10_000, TOGETHER + 1]

        def now(self) -> Millis:
            if self.pauses:
                pause = self.pauses.pop()
                self._elapsed += pause
                self._now += pause
            return super().now()

    clock = Interrupted()
    assert offset(clock) == offset(ManualClock())


async def test_each_step_is_told_once() -> None:
    """A step is noticed, told and then part of the clock."""
    clock, steps = ManualClock(), list[Millis]()
    told = Drift(clock, offset(clock))
    task = asyncio.create_task(watch(told, lambda: steps.append(told.offset), steps.append))
    began = told.offset
    await clock.advance(3_000)
    clock.step(-60_000)
    await clock.advance(5_000)
    clock.step(700)
    await clock.advance(5_000)
    task.cancel()
    assert [each - began for each in steps] == [-60_000, -59_300]
    assert told.look() == (clock.now(), 0)


async def test_a3_a_suspend_is_told_once_and_is_no_step() -> None:
    """A3: time went on by both clocks, and the machine was not awake; a nap is nobody's business."""
    clock, naps, steps = ManualClock(), list[Millis](), list[None]()
    task = asyncio.create_task(watch(Drift(clock, offset(clock)), lambda: steps.append(None), naps.append))
    await clock.advance(3_000)
    for length in (60_000, NAP):
        await clock.suspend(length)
        await clock.advance(2_000)
    task.cancel()
    assert (naps, steps) == ([60_000], [])
    assert asleep(clock) == 60_000 + NAP
