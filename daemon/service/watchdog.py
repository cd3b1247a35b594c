"""Notices that the wall clock was set, which nothing else on the machine tells.

Wall time against time since boot (suspend included) moves only when somebody sets the clock. Pure arithmetic in
`drift`; the loop around it hands each step to whom it concerns.
"""

from collections.abc import Callable

from daemon.clock import Clock
from daemon.types import SECOND, Millis

STEP: Millis = 250
"""A smaller one is slewing and noise (SEMANTICS A5)."""

EVERY: Millis = SECOND


def drift(offset: Millis, now: Millis, elapsed: Millis) -> Millis:
    """How far the wall clock was moved since `offset` (wall minus boot time) was taken; 0 for less than a step."""
    by = now - elapsed - offset
    return by if abs(by) > STEP else 0


async def watch(clock: Clock, stepped: Callable[[Millis], None]) -> None:
    """Call `stepped(by)` after every step of the wall clock; runs until cancelled."""
    offset = clock.now() - clock.elapsed()
    while True:
        await clock.sleep(EVERY)
        by = drift(offset, clock.now(), clock.elapsed())
        if by:
            offset += by
            stepped(by)
