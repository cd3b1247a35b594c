"""Detects that the wall clock was set, and that the machine was suspended.

Wall time against time since boot (suspend included) moves only when somebody sets the clock. Time
since boot against the time awake moves only in suspend. Each holder of instants has its own
`ClockDrift` and looks before each input, so that no input is judged by a changed clock. The loop
makes all of them look within a second.
"""

from collections.abc import Callable
from dataclasses import dataclass

from daemon.clock import Clock
from daemon.types import SECOND, Millis

STEP: Millis = 250
"""Smallest step that counts; anything smaller is slewing and noise (SEMANTICS A5)."""

EVERY: Millis = SECOND

NAP: Millis = SECOND
"""Shortest suspend that counts."""

TOGETHER: Millis = 20
"""Two clocks read within this time count as read at once; otherwise the process was held up."""

TRIES = 10
"""Most tries to read two clocks at once; on a busy host it may never succeed."""


def offset(clock: Clock) -> Millis:
    """Wall time minus the time since boot, which only setting the clock changes."""
    return _lead(clock.now, clock)[1]


def suspended_time(clock: Clock, known: Millis = 0) -> Millis:
    """Time in suspend since boot. Returns `known` unless the clocks contradict it."""
    return -_nearest(-known, _lead(clock.awake, clock))


def _lead(other: Callable[[], Millis], clock: Clock) -> tuple[Millis, Millis]:
    """Least and greatest lead of another clock over the time since boot.

    Uses the narrowest of up to TRIES readings.
    """
    readings = []
    for _ in range(TRIES):
        before, there, after = clock.elapsed(), other(), clock.elapsed()
        readings.append((there - after, there - before))
        if after - before <= TOGETHER:
            break
    return min(readings, key=lambda lead: lead[1] - lead[0])


def _nearest(known: Millis, lead: tuple[Millis, Millis]) -> Millis:
    """The possible lead nearest to `known`: a difference that a delay can explain is no change."""
    return min(max(known, lead[0]), lead[1])


def drift(before: Millis, now: Millis) -> Millis:
    """Change of the clock between two offsets; 0 if it is less than a step."""
    by = now - before
    return by if abs(by) > STEP else 0


@dataclass(slots=True)
class ClockDrift:
    """The wall clock's offset as one holder of instants knows it."""

    clock: Clock
    offset: Millis
    """As of the last look that found a step; the holder's instants are based on it."""

    def look(self) -> tuple[Millis, Millis]:
        """The wall time, and by how much it was set since the last look; 0 if it was not."""
        found = _nearest(self.offset, _lead(self.clock.now, self.clock))
        by = drift(self.offset, found)
        self.offset += by
        return self.clock.elapsed() + found, by


async def watch(
    drift: ClockDrift, stepped: Callable[[], None], slept: Callable[[Millis], None]
) -> None:
    """Call `stepped` after every clock step and `slept` after every suspend, until cancelled."""
    known = suspended_time(drift.clock)
    while True:
        await drift.clock.sleep(EVERY)
        before, known = known, suspended_time(drift.clock, known)
        if known - before > NAP:
            slept(known - before)
        _, by = drift.look()
        if by:
            stepped()
