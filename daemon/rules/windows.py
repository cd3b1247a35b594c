"""Sliding windows: the judged readings of the last `span`, carried along instead of recomputed.

A `Ring` holds what one expression was worth at each judged reading, a `Window` is a cursor into it, and a `Running`
is what one function keeps while readings enter and leave. All of it is derived: a function of the readings in the
window, never stored, rebuilt by feeding stored readings (DESIGN §3). Instants must not decrease except by `shift`.
"""

from array import array
from decimal import Decimal

from daemon.types import Millis


class Ring:
    """The known values of one expression, by time. Entries have numbers that never change, from 0."""

    __slots__ = ("_first", "_instants", "_shifted", "_values", "end")

    def __init__(self) -> None:
        self._instants = array("q")
        self._values: list[Decimal] = []
        self._first = 0
        self._shifted = 0
        self.end = 0
        """The number that the next entry will have."""

    def __len__(self) -> int:
        return len(self._values)

    def append(self, at: Millis, value: Decimal) -> None:
        self._instants.append(at - self._shifted)
        self._values.append(value)
        self.end += 1

    def at(self, number: int) -> Millis:
        return self._instants[number - self._first] + self._shifted

    def value(self, number: int) -> Decimal:
        return self._values[number - self._first]

    def shift(self, by: Millis) -> None:
        """Move every instant held by `by`."""
        self._shifted += by

    def forget(self, before: int) -> None:
        """Let go of the entries below number `before`, which no window needs any more.

        The rest moves up, so nothing happens until half of all can go: amortised O(1) a reading.
        """
        count = before - self._first
        if 2 * count > len(self._values):
            del self._instants[:count]
            del self._values[:count]
            self._first = before


class Running:
    """What a window function keeps; this one keeps nothing and looks at the window's ends only."""

    __slots__ = ()

    def enter(self, number: int, value: Decimal) -> None:
        """The entry is now the window's last."""

    def leave(self, number: int) -> None:
        """The entry, which was the window's first, is in it no more."""

    def result(self, window: "Window") -> Decimal | None:
        """The function's value over a window that holds enough readings."""
        raise NotImplementedError


class Window:
    """The entries of a ring in [t - span, t], both ends included (SEMANTICS C1)."""

    __slots__ = ("_end", "_known_from", "_ring", "_running", "_span", "first")

    def __init__(self, ring: Ring, span: Millis, known_from: int, running: Running) -> None:
        self._ring = ring
        self._span = span
        self._known_from = known_from
        self._running = running
        self._end = 0
        self.first = 0
        """The number of the earliest entry held."""

    def advance(self, at: Millis) -> Decimal | None:
        """Move to the instant `at`; the function's value there, None while too few readings are held (C2)."""
        ring, running = self._ring, self._running
        while self._end < ring.end:
            running.enter(self._end, ring.value(self._end))
            self._end += 1
        earliest = at - self._span
        while self.first < self._end and ring.at(self.first) < earliest:
            running.leave(self.first)
            self.first += 1
        return running.result(self) if self._end - self.first >= self._known_from else None

    @property
    def earliest(self) -> Decimal:
        """The value of the first reading held."""
        return self._ring.value(self.first)

    @property
    def latest(self) -> Decimal:
        """The value of the last reading held."""
        return self._ring.value(self._end - 1)
