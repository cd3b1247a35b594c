import asyncio
from typing import ClassVar

from daemon.service.watchdog import TOGETHER, Drift, drift, offset, watch
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
    task = asyncio.create_task(watch(told, lambda: steps.append(told.offset)))
    began = told.offset
    await clock.advance(3_000)
    clock.step(-60_000)
    await clock.advance(5_000)
    clock.step(700)
    await clock.advance(5_000)
    task.cancel()
    assert [each - began for each in steps] == [-60_000, -59_300]
    assert told.look() == (clock.now(), 0)
