"""Sliding windows: the judged readings of the last `span`, updated instead of recomputed.

A `Ring` holds the values of one expression at each judged reading. A `Window` is a cursor into it.
A `RunningAggregate` is updated as readings enter and leave. All of it is derived state: never
stored, and rebuilt by feeding stored readings (DESIGN §3). Instants must not decrease except by
`shift`.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import ClassVar, TypeVar

from daemon.types import Millis

CHUNK = 64
"""Number of values that are packed and unpacked together."""

ENTRY = 70
"""Bytes of a reading in a ring, measured with amounts of 24 characters.

It takes 35, and as much again until the ring drops its old chunks.
"""

_NEVER: Millis = 1 << 80


class Ring:
    """Known values of one expression, oldest first. Entries have fixed numbers, counted from 0.

    Long windows cost memory, so all but the newest values are kept as text, chunk by chunk. Text
    takes a quarter of the memory of decimals and is exact; scaled integers would be no faster.
    Instants are kept in the ring's own time, which clock steps do not move.
    """

    __slots__ = ("_first", "_instants", "_open", "_packed", "_shifted", "end")

    def __init__(self) -> None:
        self._instants = array("q")
        self._packed: list[str] = []
        self._open: list[Decimal] = []
        self._first = 0
        self._shifted = 0
        self.end = 0
        """The number that the next entry will have."""

    def __len__(self) -> int:
        return len(self._instants)

    def append(self, at: Millis, value: Decimal) -> None:
        if len(self._open) == CHUNK:
            self._packed.append(" ".join(map(str, self._open)))
            self._open = []
        self._instants.append(at - self._shifted)
        self._open.append(value)
        self.end += 1

    def steady(self, at: Millis) -> Millis:
        """Convert an instant of our clock to the ring's own time."""
        return at - self._shifted

    def clock(self, steady: Millis) -> Millis:
        """Convert an instant of the ring's own time to our clock."""
        return steady + self._shifted

    def instant(self, number: int) -> Millis:
        """Instant of an entry, in the ring's own time."""
        return self._instants[number - self._first]

    def find(self, steady: Millis) -> int:
        """Number of the first entry at or after an instant of the ring's own time."""
        return self._first + bisect_left(self._instants, steady)

    def value(self, number: int) -> Decimal:
        """Value of an entry. Slow: unpacks its chunk."""
        return self.chunk(number)[(number - self._first) % CHUNK]

    def chunk(self, number: int) -> list[Decimal]:
        """Values of the chunk that holds an entry. The last chunk grows while readings come."""
        index = (number - self._first) // CHUNK
        if index == len(self._packed):
            return self._open
        return list(map(Decimal, self._packed[index].split(" ")))

    def shift(self, by: Millis) -> None:
        """Move every instant held by `by`."""
        self._shifted += by

    def forget(self, before: int) -> None:
        """Drop the chunks below number `before`, which no window needs.

        The rest moves up, so nothing is dropped until half of all entries can go: amortised O(1)
        per reading.
        """
        chunks = min((before - self._first) // CHUNK, len(self._packed))
        if 2 * chunks * CHUNK > len(self._instants):
            del self._instants[: chunks * CHUNK]
            del self._packed[:chunks]
            self._first += chunks * CHUNK


class RunningAggregate:
    """State that a function keeps of a window, so that it never reads the whole window."""

    __slots__ = ()

    bytes_per_entry: ClassVar[int] = 0
    """Memory per entry, measured by benchmarks/windows.py."""

    def enter(self, number: int, at: Millis, value: Decimal) -> None:
        """Add the entry, now the last of the window; `at` is in the ring's own time."""
        raise NotImplementedError

    def leave(self, number: int, at: Millis, value: Decimal) -> None:
        """Remove the entry, which was the first of the window."""
        raise NotImplementedError


R = TypeVar("R", bound=RunningAggregate)


class Window:
    """The entries of a ring in [t - span, t], both ends included (SEMANTICS C1)."""

    __slots__ = (
        "_chunk",
        "_chunk_first",
        "_kept",
        "_oldest",
        "_ring",
        "_running",
        "_span",
        "end",
        "first",
        "latest",
    )

    def __init__(self, ring: Ring, span: Millis) -> None:
        self._ring = ring
        self._span = span
        self._running: list[RunningAggregate] = []
        self._kept: dict[Callable[[], RunningAggregate], RunningAggregate] = {}
        self._chunk: list[Decimal] = []
        self._chunk_first = -CHUNK
        self._oldest = _NEVER
        self.first = self.end = ring.end
        """Numbers of the first entry held, and of the one after the last."""
        self.latest = Decimal(0)
        """Value of the last reading held; meaningless if the window is empty."""

    def __len__(self) -> int:
        return self.end - self.first

    def keep(self, kind: Callable[[], R]) -> R:
        """The aggregate of this kind, shared by all functions that need it.

        Must be called before the first reading.
        """
        kept = self._kept.get(kind)
        if kept is None:
            kept = self._kept[kind] = kind()
            self._running.append(kept)
        return kept  # type: ignore[return-value]  # a kind maps to its own instance

    def enter(self, at: Millis, value: Decimal) -> None:
        """Add the entry that the ring has just received, at an instant of the ring's own time."""
        for running in self._running:
            running.enter(self.end, at, value)
        if self.end == self.first:
            self._oldest = at
        self.end += 1
        self.latest = value

    def advance(self, at: Millis) -> None:
        """Move to an instant of the ring's own time: entries older than the span leave."""
        earliest = at - self._span
        while self._oldest < earliest:
            self._let_go()

    def _let_go(self) -> None:
        value = self.earliest
        for running in self._running:
            running.leave(self.first, self._oldest, value)
        self.first += 1
        self._oldest = self._ring.instant(self.first) if self.first < self.end else _NEVER

    @property
    def earliest(self) -> Decimal:
        """Value of the first reading held."""
        place = self.first - self._chunk_first
        if place >= CHUNK:
            self._chunk = self._ring.chunk(self.first)
            place = self.first % CHUNK
            self._chunk_first = self.first - place
        return self._chunk[place]

    def values(self) -> Iterator[Decimal]:
        """All values held, oldest first. Slow: unpacks the window."""
        for start in range(self.first - self.first % CHUNK, self.end, CHUNK):
            yield from self._ring.chunk(start)[max(0, self.first - start) : self.end - start]

    def entries(self) -> Iterator[tuple[Millis, Decimal]]:
        """All instants, by our clock, and values held, oldest first. Slow: unpacks the window."""
        for number, value in enumerate(self.values(), self.first):
            yield self._ring.clock(self._ring.instant(number)), value

    @property
    def bytes_per_entry(self) -> int:
        """Memory per entry of the aggregates, without the ring."""
        return sum(running.bytes_per_entry for running in self._running)

    @property
    def reach(self) -> tuple[Millis, Millis] | None:
        """Instants of the first and last reading held, by our clock; None for an empty window."""
        if not len(self):
            return None
        clock, instant = self._ring.clock, self._ring.instant
        return clock(instant(self.first)), clock(instant(self.end - 1))
