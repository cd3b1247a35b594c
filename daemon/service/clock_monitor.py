"""Notices that the wall clock was set, and that the machine was suspended, which nothing else on
the machine tells.

Wall time against time since boot (suspend included) moves only when somebody sets the clock, and
that against the time awake only in suspend. Each holder of instants has a `ClockDrift` of its own
and looks before each of its inputs, so that no input is judged by a clock that was set unnoticed.
The loop makes everybody look within a second.
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

TRIES = 10
"""How often two clocks are read until they were read at once; a host that steals time may never let
them be.
"""


def offset(clock: Clock) -> Millis:
    """Wall time minus the time since boot, which only setting the clock changes."""
    return _lead(clock.now, clock)[1]


def asleep(clock: Clock, known: Millis = 0) -> Millis:
    """For how long the machine has been suspended since boot: as `known`, unless the clocks
    contradict that.
    """
    return -_nearest(-known, _lead(clock.awake, clock))


def _lead(other: Callable[[], Millis], clock: Clock) -> tuple[Millis, Millis]:
    """How far another clock is ahead of the time since boot, at least and at most; the narrowest of
    some readings.
    """
    readings = []
    for _ in range(TRIES):
        before, there, after = clock.elapsed(), other(), clock.elapsed()
        readings.append((there - after, there - before))
        if after - before <= TOGETHER:
            break
    return min(readings, key=lambda lead: lead[1] - lead[0])


def _nearest(known: Millis, lead: tuple[Millis, Millis]) -> Millis:
    """The possible lead that is nearest to the known one: what a delay may explain is no change."""
    return min(max(known, lead[0]), lead[1])


def drift(before: Millis, now: Millis) -> Millis:
    """How far the clock was set between two offsets; 0 for less than a step."""
    by = now - before
    return by if abs(by) > STEP else 0


@dataclass(slots=True)
class ClockDrift:
    """What one holder of instants knows of the wall clock."""

    clock: Clock
    offset: Millis
    """As of the last look that found a step; it is what the holder's instants are meant by."""

    def look(self) -> tuple[Millis, Millis]:
        """The wall time, and by how much it was set since the last look; 0 where it was not."""
        found = _nearest(self.offset, _lead(self.clock.now, self.clock))
        by = drift(self.offset, found)
        self.offset += by
        return self.clock.elapsed() + found, by


async def watch(
    drift: ClockDrift, stepped: Callable[[], None], slept: Callable[[Millis], None]
) -> None:
    """Call `stepped` after every step of the wall clock, `slept` with the length of every suspend;
    until cancelled.
    """
    known = asleep(drift.clock)
    while True:
        await drift.clock.sleep(EVERY)
        before, known = known, asleep(drift.clock, known)
        if known - before > NAP:
            slept(known - before)
        _, by = drift.look()
        if by:
            stepped()
