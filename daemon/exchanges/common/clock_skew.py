"""Estimates how far an exchange's clock is ahead of ours, from its answers. Pure.

An answer is written after its request is sent and before it arrives. It shows that moment by the
exchange's clock: the header `Date` to the second, its own time to the millisecond. So each answer
bounds the difference, and several together bound it closely. A slow answer gives loose bounds
instead of looking like a wrong clock.
"""

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from daemon.types import SECOND, Millis

KEPT = 16
"""Number of answers that are combined."""

TOLERATED: Millis = SECOND
"""Largest difference that is not corrected."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Least and greatest lead of the exchange's clock, in ms; negative if it is behind."""

    low: Millis
    high: Millis

    def within(self, other: "Bounds") -> "Bounds | None":
        """The intersection of two bounds; None if they contradict each other."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Bounds(low, high) if low <= high else None


def bounds(sent: Millis, heard: Millis, date: str, time: Millis | None) -> Bounds | None:
    """Bounds from one answer; None if it shows nothing.

    `sent` and `heard` are by our clock, `date` is the header, `time` the answer's own time. That
    time counts only where the header agrees, because data may stand still.
    """
    second = parse_date(date)
    if second is None:
        return None
    shown = Bounds(second - heard, second + SECOND - 1 - sent)
    return shown if time is None else shown.within(Bounds(time - heard, time - sent)) or shown


def parse_date(date: str) -> Millis | None:
    """Parse a `Date` header, in ms; None if unusable."""
    try:
        at = parsedate_to_datetime(date)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()) * SECOND
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Skew:
    """Bounds from the last answers, newest first."""

    shown: tuple[Bounds, ...] = ()

    def seen(self, one: Bounds | None) -> "Skew":
        return self if one is None else Skew((one, *self.shown[: KEPT - 1]))

    @property
    def bounds(self) -> Bounds | None:
        """Common bounds of the newest answers.

        An older answer that contradicts them is from before a clock was set.
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
        """Correction to add to our time; 0 unless the clocks certainly differ by over a second.

        Only the certain part is corrected, so corrected time is never farther off than ours.
        """
        found = self.bounds or Bounds(0, 0)
        if found.low > TOLERATED:
            return found.low
        return found.high if found.high < -TOLERATED else 0
