import asyncio
import itertools
from collections.abc import Sequence
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.service.clock_monitor import (
    NAP,
    STEP,
    TOGETHER,
    TRIES,
    ClockDrift,
    drift,
    offset,
    suspended_time,
    watch,
)
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
    told = ClockDrift(clock, offset(clock))
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
    """A3: both clocks went on while the machine slept; a short suspend is not reported."""
    clock, naps, steps = ManualClock(), list[Millis](), list[None]()
    task = asyncio.create_task(
        watch(ClockDrift(clock, offset(clock)), lambda: steps.append(None), naps.append)
    )
    await clock.advance(3_000)
    for length in (60_000, NAP):
        await clock.suspend(length)
        await clock.advance(2_000)
    task.cancel()
    assert (naps, steps) == ([60_000], [])
    assert suspended_time(clock) == 60_000 + NAP


class Stolen(ManualClock):
    """The host takes the processor away before each clock reading, for the drawn times."""

    def __init__(self, stolen: Sequence[Millis]) -> None:
        super().__init__()
        self.readings = 0
        self._stolen = itertools.cycle(stolen)

    def _lose(self) -> None:
        self.readings += 1
        lost = next(self._stolen)
        self._now += lost
        self._elapsed += lost

    def now(self) -> Millis:
        self._lose()
        return super().now()

    def elapsed(self) -> Millis:
        self._lose()
        return super().elapsed()

    def awake(self) -> Millis:
        return self.elapsed() - self._suspended


STOLEN = st.lists(st.integers(0, 3_000), min_size=1, max_size=40)


@given(STOLEN)
def test_strict_8_stolen_time_is_no_step_and_no_suspend(stolen: list[Millis]) -> None:
    """Strict 8: under any delays every look ends, and finds no step and no suspend."""
    clock = Stolen(stolen)
    drift, known = ClockDrift(clock, offset(ManualClock())), suspended_time(clock)
    for _ in range(5):
        _, by = drift.look()
        assert (by, suspended_time(clock, known)) == (0, known) == (0, 0)
    assert clock.readings <= 11 * (3 * TRIES + 1)


@given(STOLEN, st.integers(-10_000, 10_000), st.integers(0, 10_000))
def test_strict_8_a_step_or_a_suspend_is_never_taken_for_more(
    stolen: list[Millis], step: Millis, length: Millis
) -> None:
    """Strict 8: delays hide a part, which is found once the clocks can be read at once."""
    clock = Stolen(stolen)
    drift = ClockDrift(clock, offset(ManualClock()))
    clock.step(step)
    clock._suspended += length
    _, by = drift.look()
    assert 0 <= by * (1 if step > 0 else -1) <= abs(step)
    found = suspended_time(clock)
    assert 0 <= found <= length
    clock._stolen = itertools.cycle([0])
    assert by + drift.look()[1] - step in range(-STEP, STEP + 1)
    assert suspended_time(clock, found) == length


@pytest.mark.parametrize(
    ("stolen", "by"),
    [
        ([0], 1_000),
        ([TOGETHER], 1_000 - TOGETHER),
        ([TOGETHER // 2], 1_000 - TOGETHER // 2),
        ([400], 600),
        ([900, 0, 0, 0], 1_000),
        ([1_000], 0),
    ],
)
def test_strict_8_a_step_of_a_second_under_delays(stolen: list[Millis], by: Millis) -> None:
    """Strict 8: the part of it that delays cannot explain."""
    clock = Stolen(stolen)
    drift = ClockDrift(clock, offset(ManualClock()))
    clock.step(1_000)
    assert drift.look()[1] == by
