"""Notices that the wall clock was set, which nothing else on the machine tells.

Wall time against time since boot (suspend included) moves only when somebody sets the clock. Whoever holds instants
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

TOGETHER: Millis = 20
"""Two clocks read within this time were read at once: else the process was held up in between."""


def offset(clock: Clock) -> Millis:
    """Wall time minus the time since boot, which only setting the clock changes."""
    while True:
        before, now = clock.elapsed(), clock.now()
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


async def watch(drift: Drift, stepped: Callable[[], None]) -> None:
    """Call `stepped` after every step of the wall clock; runs until cancelled."""
    while True:
        await drift.clock.sleep(EVERY)
        _, by = drift.look()
        if by:
            stepped()
