"""What the rules of one account look at: the frame with the present value of every field and window they name.

Equal windows of equal expressions are kept once, however many rules name them. The board carries the windows along
from reading to reading and knows no rules; two boards fed with the same readings show the same values, to the digit.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from daemon.readings.fields import AGE, VALUES
from daemon.readings.fields import Value as FieldValue
from daemon.rules import functions
from daemon.rules.compile import Frame, Value, number
from daemon.rules.tree import Call, Node, look_back
from daemon.rules.windows import Ring, Window
from daemon.types import Balances, Millis

_TRIM_EVERY = 256
"""Readings between two looks at what no window needs any more."""


@dataclass(slots=True)
class Series:
    """One expression over time, and the windows that slide along it."""

    value: Value
    ring: Ring = field(default_factory=Ring)
    windows: list[tuple[int, Window]] = field(default_factory=list)
    """Each with the slot that shows its value."""

    def feed(self, at: Millis, frame: Frame) -> None:
        """Take the expression's present value in, unless it is unknown, and move on."""
        value = self.value(frame)
        if value is not None:
            self.ring.append(at, value)
        self.advance(at, frame)
        if self.ring.end % _TRIM_EVERY == 0:
            self.ring.forget(min(window.first for _, window in self.windows))

    def advance(self, at: Millis, frame: Frame) -> None:
        for slot, window in self.windows:
            frame[slot] = window.advance(at)


class Board:
    """The frame of one account. Slots are given out while rules are compiled, before the first reading."""

    def __init__(self) -> None:
        self.frame: Frame = []
        self.balances = Balances()
        """Of the last reading fed."""
        self.look_back: Millis = 0
        """How far into the past the windows reach, the longest of them."""
        self._fed_at: Millis | None = None
        self._field_slots: dict[str, int] = {}
        self._window_slots: dict[Call, int] = {}
        self._fields: list[tuple[int, FieldValue]] = []
        self._series: dict[Node, Series] = {}

    def field(self, name: str) -> int:
        """The slot of a field."""
        if name not in self._field_slots:
            self._field_slots[name] = self._new_slot()
            if name != AGE:
                self._fields.append((self._field_slots[name], VALUES[name]))
        return self._field_slots[name]

    def window(self, call: Call) -> int:
        """The slot of a window function's value."""
        if call not in self._window_slots:
            function = functions.find(call.name)
            series = self._along(call.arguments[0])
            slot = self._window_slots[call] = self._new_slot()
            series.windows.append((slot, Window(series.ring, call.span, function.known_from, function.start())))
            self.look_back = max(self.look_back, look_back(call))
        return self._window_slots[call]

    def feed(self, at: Millis, balances: Balances) -> None:
        """A judged reading: show its values as they are at `at`, and take them into the windows."""
        self.balances, self._fed_at = balances, at
        frame = self.frame
        for slot, value in self._fields:
            frame[slot] = value(balances)
        self._show_age(at)
        for series in self._series.values():
            series.feed(at, frame)

    def advance(self, at: Millis) -> None:
        """No reading at `at`: windows and age move on, the fields stay as they were."""
        self._show_age(at)
        for series in self._series.values():
            series.advance(at, self.frame)

    def shift(self, by: Millis) -> None:
        """A step of the clock: every instant held moves by `by`, so that durations stay true (SEMANTICS A5)."""
        if self._fed_at is not None:
            self._fed_at += by
        for series in self._series.values():
            series.ring.shift(by)

    def _new_slot(self) -> int:
        self.frame.append(None)
        return len(self.frame) - 1

    def _along(self, node: Node) -> Series:
        if node not in self._series:
            # Compiling comes first: windows inside `node` enter before it and so are fed before it.
            value = number(node, self)
            self._series[node] = Series(value)
        return self._series[node]

    def _show_age(self, at: Millis) -> None:
        slot = self._field_slots.get(AGE)
        if slot is not None and self._fed_at is not None:
            self.frame[slot] = Decimal(at - self._fed_at)
