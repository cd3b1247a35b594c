"""Notices that the wall clock was set, and that the machine was suspended, which nothing else on the machine tells.

Wall time against time since boot (suspend included) moves only when somebody sets the clock, and that against the time
awake only in suspend. Whoever holds instants
has a `Drift` of its own and looks before each of its inputs, so that no input is judged by a clock that was set and
not noticed; the loop sees to it that everybody looks within a second.
"""

from collections.abc import Callable
from dataclasses import dataclass

from daemon.clock import Clock
from daemon.types import SECOND, Millis

STEP: Millis = 250
"""A smaller one is slewing and noise (SEMANTICS A5)."""

EVERY: Millis = SECOND

NAP: Millis = SECOND
"""A shorter suspend keeps nobody waiting."""

TOGETHER: Millis = 20
"""Two clocks read within this time were read at once: else the process was held up in between."""


def offset(clock: Clock) -> Millis:
    """Wall time minus the time since boot, which only setting the clock changes."""
    return _beyond(clock.now, clock)


def asleep(clock: Clock) -> Millis:
    """For how long the machine has been suspended since boot."""
    return -_beyond(clock.awake, clock)


def _beyond(other: Callable[[], Millis], clock: Clock) -> Millis:
    """How far another clock is ahead of the time since boot."""
    while True:
        before, now = clock.elapsed(), other()
        if clock.elapsed() - before <= TOGETHER:
            return now - before


def drift(before: Millis, now: Millis) -> Millis:
    """How far the clock was set between two offsets; 0 for less than a step."""
    by = now - before
    return by if abs(by) > STEP else 0


@dataclass(slots=True)
class Drift:
    """What one holder of instants knows of the wall clock."""

    clock: Clock
    offset: Millis
    """As of the last look that found a step; it is what the holder's instants are meant by."""

    def look(self) -> tuple[Millis, Millis]:
        """The wall time, and by how much it was set since the last look; 0 where it was not."""
        found = offset(self.clock)
        by = drift(self.offset, found)
        self.offset += by
        return self.clock.elapsed() + found, by


async def watch(drift: Drift, stepped: Callable[[], None], slept: Callable[[Millis], None]) -> None:
    """Call `stepped` after every step of the wall clock, `slept` with the length of every suspend; until cancelled."""
    known = asleep(drift.clock)
    while True:
        await drift.clock.sleep(EVERY)
        before, known = known, asleep(drift.clock)
        if known - before > NAP:
            slept(known - before)
        _, by = drift.look()
        if by:
            stepped()
