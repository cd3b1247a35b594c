"""Waiting times after a miss (SEMANTICS B2): a pure ladder that makes no calls and never sleeps.

Instants are of any one clock; `Clock.elapsed` is the one that never steps.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from daemon.types import MINUTE, SECOND, Millis, Miss, MissReason

_LADDERS = {
    MissReason.RATE_LIMITED: (10 * SECOND, 30 * SECOND, 60 * SECOND),
    MissReason.BLOCKED: (30 * SECOND, 60 * SECOND),
    MissReason.AUTH: (30 * SECOND,),
    MissReason.PERMISSION: (30 * SECOND,),
    MissReason.WRONG_USER: (30 * SECOND,),
}
REFUSALS = frozenset(_LADDERS)
"""Miss reasons after which calls to the exchange pause."""

_BUSY = frozenset({MissReason.RATE_LIMITED, MissReason.BLOCKED})
"""Reasons of an overloaded exchange. They share one ladder, and so one streak."""

LONGEST: Millis = 5 * MINUTE
"""Longest pause."""

UNUSABLE_FOR: Millis = 10 * MINUTE
UNUSABLE: Millis = MINUTE
"""Time after which unusable answers lengthen the pauses, and the new pause.

An unknown code may mean a key that has expired for good, or maintenance that ends in a minute.
"""


@dataclass(frozen=True, slots=True)
class Pause:
    """The step of an account on the ladder. The default is no pause: call at the next slot."""

    reason: MissReason | None = None
    """Reason of the last refusal that causes a pause; None without one."""
    since: Millis = 0
    """Start of the streak of such refusals."""
    streak: int = 0
    length: Millis = 0
    """Length of the pause after the last attempt; 0 if the next slot may be used."""
    not_before: Millis = 0
    """Earliest instant of the next attempt."""
    unusable_since: Millis | None = None
    """Start of the streak of unusable answers; None without one."""

    def moved(self, by: Millis) -> "Pause":
        """The same pause by a clock that is `by` ahead."""
        if self == Pause():
            return self
        unusable_since = None if self.unusable_since is None else self.unusable_since + by
        return replace(
            self,
            since=self.since + by,
            not_before=self.not_before + by,
            unusable_since=unusable_since,
        )


def pause_after(pause: Pause, outcome: MissReason | None, now: Millis) -> Pause:
    """The pause after an attempt that ended now; `outcome` None is an answer, which ends any pause.

    A timeout, network failure, HTTP 5xx or bad answer during a pause is followed by the next slot.
    But it is no success: the next refusal continues the ladder. Bad answers that last are polled
    less often.
    """
    if outcome is None:
        return Pause()
    if outcome is MissReason.BAD_ANSWER:
        since = now if pause.unusable_since is None else pause.unusable_since
        length = UNUSABLE if now - since >= UNUSABLE_FOR else 0
        return replace(pause, length=length, not_before=now + length, unusable_since=since)
    if outcome not in _LADDERS:
        return replace(pause, length=0, not_before=now)
    goes_on = pause.reason is not None and (pause.reason in _BUSY) == (outcome in _BUSY)
    since = pause.since if goes_on else now
    streak = pause.streak + 1 if goes_on else 1
    length = _length(outcome, streak, now - since)
    return Pause(outcome, since, streak, length, now + length)


def pause_after_misses(misses: Iterable[Miss], now: Millis) -> Pause:
    """The pause after recorded misses in a row, oldest first; it starts now at the latest."""
    pause = Pause()
    for miss in misses:
        pause = pause_after(pause, miss.reason, miss.at)
    return replace(pause, not_before=min(pause.not_before, now + pause.length))


def _length(reason: MissReason, streak: int, lasted: Millis) -> Millis:
    if lasted >= (10 * MINUTE if reason in _BUSY else 5 * MINUTE):
        return LONGEST
    ladder = _LADDERS[reason]
    return ladder[min(streak, len(ladder)) - 1]


def pause_after_reload(pause: Pause) -> Pause:
    """The pause after a reload.

    A refused key is tried at once, because it may be new. An overloaded exchange keeps its pause.
    """
    return pause if pause.reason in _BUSY else Pause()
