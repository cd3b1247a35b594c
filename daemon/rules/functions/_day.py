"""The change of a value since a time of day, by the clock on the wall.

The value at that time is the one of the last reading at or before it, if it is at most an hour old;
else of the first reading after it.
"""

from datetime import time, tzinfo
from decimal import Decimal

from daemon.readings.exact import subtracted
from daemon.rules.evaluation.windows import ENTRY, Ring
from daemon.rules.functions import FunctionState
from daemon.rules.local_time import day_around
from daemon.types import HOUR, LATEST, Millis

LONGEST_DAY: Millis = 27 * HOUR
"""The longest day there was: Casey station put its clock back by three hours in 2010."""

RECENT: Millis = HOUR
"""Largest age of a reading that shows how an account stood at the beginning of a day."""

LOOK_BACK: Millis = LONGEST_DAY + RECENT

_TRIM_EVERY = 256
"""Readings between two removals of those of earlier days."""


class DayChange(FunctionState):
    """The change since the last instant at which the clock showed `begins`."""

    __slots__ = ("_began", "_begins", "_latest", "_number", "_opening", "_ring", "_until", "_zone")

    def __init__(self, begins: time, zone: tzinfo | None) -> None:
        self._begins = begins
        self._zone = zone
        self._ring = Ring()
        self._latest = Decimal(0)
        # The present day, and the entry with which it compares.
        self._began, self._until = LATEST, 0
        self._number = -1
        self._opening = Decimal(0)

    def read(self, at: Millis, value: Decimal | None) -> Decimal | None:
        if value is not None:
            self._ring.append(at, value)
            self._latest = value
        if self._ring.end % _TRIM_EVERY == 0:
            self._ring.forget(self._ring.find(self._ring.steady(at) - LOOK_BACK))
        return self.advance(at)

    def advance(self, at: Millis) -> Decimal | None:
        if not self._began <= at < self._until:
            self._began, self._until = day_around(at, self._begins, self._zone)
        ring = self._ring
        began = ring.steady(max(self._began, at - LONGEST_DAY))
        if not len(ring) or ring.instant(ring.end - 1) < began:
            return None
        return subtracted(self._latest, self._value_at(began))

    def shift(self, by: Millis) -> None:
        self._ring.shift(by)

    def memory(self, every: Millis) -> int:
        return ENTRY * (LOOK_BACK // every + 1)

    def _value_at(self, began: Millis) -> Decimal:
        """How the account stood at an instant of the ring's own time."""
        number = self._ring.find(began + 1) - 1
        if number < self._ring.find(began - RECENT):
            number += 1
        if number != self._number:
            self._number, self._opening = number, self._ring.value(number)
        return self._opening
