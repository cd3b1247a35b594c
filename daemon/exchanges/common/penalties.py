"""When to ask again after a miss (SEMANTICS B2): a pure ladder. It asks nothing and sleeps nowhere.

Instants are on any one clock that the caller keeps to; `Clock.elapsed` is the one that never steps.
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
"""The reasons of misses after which the exchange is left alone for a while."""

_BUSY = frozenset({MissReason.RATE_LIMITED, MissReason.BLOCKED})
"""The exchange has had enough of us. Both are steps of one penalty ladder, so their streak is
one.
"""

LONGEST: Millis = 5 * MINUTE
"""Of pauses."""

UNUSABLE_FOR: Millis = 10 * MINUTE
UNUSABLE: Millis = MINUTE
"""How long answers may be unusable before the pauses between calls grow, and to what.

Nobody knows what an unknown code means: a key that has expired for good, or maintenance that ends
in a minute.
"""


@dataclass(frozen=True, slots=True)
class Pause:
    """Where an account stands on the ladder. The default is no pause: ask at the next slot."""

    reason: MissReason | None = None
    """Of the last refusal that makes us pause; None when there is none."""
    since: Millis = 0
    """When the streak of such refusals began."""
    streak: int = 0
    length: Millis = 0
    """Of the pause after the last attempt; 0 when the next slot may be used."""
    not_before: Millis = 0
    """The earliest instant of the next attempt."""
    unusable_since: Millis | None = None
    """When the streak of unusable answers began; None where there is none."""

    def moved(self, by: Millis) -> "Pause":
        """By another clock, which shows so much more."""
        if self == Pause():
            return self
        unusable_since = None if self.unusable_since is None else self.unusable_since + by
        return replace(
            self,
            since=self.since + by,
            not_before=self.not_before + by,
            unusable_since=unusable_since,
        )


def after(pause: Pause, outcome: MissReason | None, now: Millis) -> Pause:
    """The pause that follows an attempt which ended now; `outcome` is None for an answer, which
    ends any pause.

    A timeout, broken network, HTTP 5xx or bad answer in the middle of a pause is followed by the
    next slot, but is no success: the ladder goes on from there at the next refusal. Bad answers
    that last are asked for less often.
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


def recalled(misses: Iterable[Miss], now: Millis) -> Pause:
    """The pause that follows misses in a row, oldest first, as they are recorded; it ends no later
    than from now.
    """
    pause = Pause()
    for miss in misses:
        pause = after(pause, miss.reason, miss.at)
    return replace(pause, not_before=min(pause.not_before, now + pause.length))


def _length(reason: MissReason, streak: int, lasted: Millis) -> Millis:
    if lasted >= (10 * MINUTE if reason in _BUSY else 5 * MINUTE):
        return LONGEST
    ladder = _LADDERS[reason]
    return ladder[min(streak, len(ladder)) - 1]


def reloaded(pause: Pause) -> Pause:
    """After a reload a refused key is tried at once, as it may be a new one; an exchange that is
    busy stays so.
    """
    return pause if pause.reason in _BUSY else Pause()
