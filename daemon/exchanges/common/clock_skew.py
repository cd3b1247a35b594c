"""How far an exchange's clock is ahead of ours, as its answers show. Pure, and the same for every
exchange.

An answer was written after its request was sent and before it arrived, and says when by the
exchange's clock: the header `Date` to the second, the answer's own time to the millisecond. So each
answer bounds the difference; several together bound it closely, and a slow one bounds it loosely
instead of looking like a wrong clock.
"""

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from daemon.types import SECOND, Millis

KEPT = 16
"""Answers that are looked at together."""

TOLERATED: Millis = SECOND
"""A smaller difference is not corrected."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """By how much the exchange's clock is ahead, at least and at most; negative where it is
    behind.
    """

    low: Millis
    high: Millis

    def within(self, other: "Bounds") -> "Bounds | None":
        """What both allow; None where they contradict each other."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Bounds(low, high) if low <= high else None


def bounds(sent: Millis, heard: Millis, date: str, time: Millis | None) -> Bounds | None:
    """What one answer shows; `sent` and `heard` are of our clock, `date` is the header, `time` the
    answer's own.

    The answer's own time counts only where the header agrees, as data may stand still. None where
    nothing is shown.
    """
    second = instant(date)
    if second is None:
        return None
    shown = Bounds(second - heard, second + SECOND - 1 - sent)
    return shown if time is None else shown.within(Bounds(time - heard, time - sent)) or shown


def instant(date: str) -> Millis | None:
    """What a header `Date` says, in ms; None where it cannot be used."""
    try:
        at = parsedate_to_datetime(date)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()) * SECOND
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Skew:
    """What the last answers have shown, newest first."""

    shown: tuple[Bounds, ...] = ()

    def seen(self, one: Bounds | None) -> "Skew":
        return self if one is None else Skew((one, *self.shown[: KEPT - 1]))

    @property
    def bounds(self) -> Bounds | None:
        """What the newest answers agree on: an older one that contradicts them is of before a clock
        was set.
        """
        if not self.shown:
            return None
        agreed = self.shown[0]
        for older in self.shown[1:]:
            both = agreed.within(older)
            if both is None:
                break
            agreed = both
        return agreed

    @property
    def correction(self) -> Millis:
        """What to add to our time; 0 unless it is certain that the clocks differ by more than a
        second.

        Never more than is certain, so that corrected time is never farther off than ours.
        """
        found = self.bounds or Bounds(0, 0)
        if found.low > TOLERATED:
            return found.low
        return found.high if found.high < -TOLERATED else 0
