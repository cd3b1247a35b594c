"""Sliding windows: the judged readings of the last `span`, carried along instead of recomputed.

A `Ring` holds what one expression was worth at each judged reading, a `Window` is a cursor into it,
and a `RunningAggregate` is what functions keep while readings enter and leave. All of it is
derived: a function of the readings in the window, never stored, rebuilt by feeding stored readings
(DESIGN §3). Instants must not decrease except by `shift`.
"""

from array import array
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import ClassVar, TypeVar

from daemon.types import Millis

CHUNK = 64
"""Values that are packed, and unpacked, together."""

_NEVER: Millis = 1 << 80


class Ring:
    """The known values of one expression, by time. Entries have numbers that never change, from 0.

    Memory is what a long window costs, so all but the last values are kept as text, chunk by chunk:
    a quarter of what decimals take, exact to the last digit and however long, and as fast as
    scaling integers back and forth. Instants are kept in the ring's own steady time, which no step
    of the clock moves.
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
        """An instant of our clock in the ring's own time."""
        return at - self._shifted

    def clock(self, steady: Millis) -> Millis:
        """An instant of the ring's own time by our clock."""
        return steady + self._shifted

    def instant(self, number: int) -> Millis:
        """In the ring's own time."""
        return self._instants[number - self._first]

    def chunk(self, number: int) -> list[Decimal]:
        """The values of the chunk that holds an entry; the last chunk grows while readings come."""
        index = (number - self._first) // CHUNK
        return (
            self._open
            if index == len(self._packed)
            else list(map(Decimal, self._packed[index].split(" ")))
        )

    def shift(self, by: Millis) -> None:
        """Move every instant held by `by`."""
        self._shifted += by

    def forget(self, before: int) -> None:
        """Let go of the chunks below number `before`, which no window needs any more.

        The rest moves up, so nothing happens until half of all can go: amortised O(1) a reading.
        """
        chunks = min((before - self._first) // CHUNK, len(self._packed))
        if 2 * chunks * CHUNK > len(self._instants):
            del self._instants[: chunks * CHUNK]
            del self._packed[:chunks]
            self._first += chunks * CHUNK


class RunningAggregate:
    """What functions keep of a window while readings enter and leave it, so that none of them looks
    at all of it.
    """

    __slots__ = ()

    bytes_per_entry: ClassVar[int] = 0
    """What it takes in memory, measured by benchmarks/windows.py."""

    def enter(self, number: int, at: Millis, value: Decimal) -> None:
        """The entry, at an instant of the ring's own time, is now the window's last."""
        raise NotImplementedError

    def leave(self, number: int, at: Millis, value: Decimal) -> None:
        """The entry, which was the window's first, is in it no more."""
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
        """The numbers of the earliest entry held, and of the one after the last."""
        self.latest = Decimal(0)
        """The value of the last reading held, if any is."""

    def __len__(self) -> int:
        return self.end - self.first

    def keep(self, kind: Callable[[], R]) -> R:
        """What is kept by functions that keep the same, once for all of them; to be asked before
        readings come.
        """
        kept = self._kept.get(kind)
        if kept is None:
            kept = self._kept[kind] = kind()
            self._running.append(kept)
        return kept  # type: ignore[return-value]  # what stands under a kind is of that kind

    def enter(self, at: Millis, value: Decimal) -> None:
        """Take in the entry that the ring has just got, at an instant of its own time."""
        for running in self._running:
            running.enter(self.end, at, value)
        if self.end == self.first:
            self._oldest = at
        self.end += 1
        self.latest = value

    def advance(self, at: Millis) -> None:
        """Move to an instant of the ring's own time: what is older than the span leaves."""
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
        """The value of the first reading held."""
        place = self.first - self._chunk_first
        if place >= CHUNK:
            self._chunk = self._ring.chunk(self.first)
            place = self.first % CHUNK
            self._chunk_first = self.first - place
        return self._chunk[place]

    def values(self) -> Iterator[Decimal]:
        """All that is held, in its order: for the curious, as it takes time."""
        for start in range(self.first - self.first % CHUNK, self.end, CHUNK):
            yield from self._ring.chunk(start)[max(0, self.first - start) : self.end - start]

    def entries(self) -> Iterator[tuple[Millis, Decimal]]:
        """The instants by our clock, and the values, of all that is held, in its order. It takes
        time.
        """
        for number, value in enumerate(self.values(), self.first):
            yield self._ring.clock(self._ring.instant(number)), value

    @property
    def bytes_per_entry(self) -> int:
        """What is kept beside the ring."""
        return sum(running.bytes_per_entry for running in self._running)

    @property
    def reach(self) -> tuple[Millis, Millis] | None:
        """The instants of the first and the last reading held, by our clock; None when none is."""
        if not len(self):
            return None
        clock, instant = self._ring.clock, self._ring.instant
        return clock(instant(self.first)), clock(instant(self.end - 1))
