"""What the rules of one account look at: the frame with the present value of every field and window
they name.

Equal windows of equal expressions are kept once, however many rules name them, and functions that
need the same of a window share it. The board carries the windows along from reading to reading and
knows no rules; two boards fed with the same readings show the same values, to the digit.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TypeAlias

from daemon.readings.fields import AGE, VALUES
from daemon.readings.fields import Value as FieldValue
from daemon.rules import functions
from daemon.rules.evaluation.compile import Frame, Value, number
from daemon.rules.evaluation.windows import Ring, Window
from daemon.rules.functions import Parameter, WindowFunction
from daemon.rules.language.tree import Call, Node, Number, look_back
from daemon.types import Balances, Millis

_TRIM_EVERY = 256
"""Readings between two looks at what no window needs any more."""

Step: TypeAlias = Callable[[Millis, Frame], None]
"""One part of what is to be done at an instant, in an order in which nobody looks at what is not
there yet.
"""


_RING_ENTRY = 70
"""Bytes that a reading takes in a ring, measured with amounts of 24 characters: 35, and as much
again until the ring lets go of its past."""

_OPEN = 8_000
"""Bytes that a ring, and every window along it, takes for the values that are not packed."""


@dataclass(slots=True)
class ExpressionSeries:
    """One expression over time, and the windows that slide along it."""

    value: Value
    ring: Ring = field(default_factory=Ring)
    windows: dict[Millis, Window] = field(default_factory=dict)
    """By their length."""

    def window(self, span: Millis) -> Window:
        if span not in self.windows:
            self.windows[span] = Window(self.ring, span)
        return self.windows[span]

    def memory(self, every: Millis) -> int:
        kept = sum(
            _OPEN + window.bytes_per_entry * (span // every + 1)
            for span, window in self.windows.items()
        )
        return _OPEN + _RING_ENTRY * (max(self.windows) // every + 1) + kept

    def feed(self, at: Millis, frame: Frame) -> None:
        """Take the expression's present value in, unless it is unknown, and move on."""
        value = self.value(frame)
        steady = self.ring.steady(at)
        if value is not None:
            self.ring.append(at, value)
            for window in self.windows.values():
                window.enter(steady, value)
        for window in self.windows.values():
            window.advance(steady)
        if self.ring.end % _TRIM_EVERY == 0:
            self.ring.forget(min(window.first for window in self.windows.values()))

    def advance(self, at: Millis, _: Frame) -> None:
        """No reading: what is too old leaves."""
        steady = self.ring.steady(at)
        for window in self.windows.values():
            window.advance(steady)


class ValueTable:
    """The frame of one account. Slots are given out while rules are compiled, before the first
    reading.
    """

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
        self._series: dict[Node, ExpressionSeries] = {}
        # What is compiled later may look at what was compiled before, never the other way round: so
        # goes the order.
        self._feeding: list[Step] = []
        self._advancing: list[Step] = []

    def field(self, name: str) -> int:
        """The slot of a field."""
        if name not in self._field_slots:
            self._field_slots[name] = self._new_slot()
            if name in VALUES:  # age and the signs are shown by those who know them
                self._fields.append((self._field_slots[name], VALUES[name]))
        return self._field_slots[name]

    def window(self, call: Call) -> int:
        """The slot of a window function's value."""
        if call not in self._window_slots:
            function = functions.window(call.name)
            window = self._along(call.arguments[0]).window(call.span)
            value = self._value(call, function, window)
            slot = self._window_slots[call] = self._new_slot()
            self._then(_shown(slot, value, window, function.known_from))
            self.look_back = max(self.look_back, look_back(call))
        return self._window_slots[call]

    @property
    def fed(self) -> bool:
        """Whether there was a reading."""
        return self._fed_at is not None

    def held(self, call: Call) -> Window:
        """The window of a function that has a slot."""
        return self._series[call.arguments[0]].windows[call.span]

    def feed(self, at: Millis, balances: Balances) -> None:
        """A judged reading: show its values as they are at `at`, and take them into the windows."""
        self.balances, self._fed_at = balances, at
        frame = self.frame
        for slot, value in self._fields:
            frame[slot] = value(balances)
        self._show_age(at)
        for step in self._feeding:
            step(at, frame)

    def advance(self, at: Millis) -> None:
        """No reading at `at`: windows and age move on, the fields stay as they were."""
        self._show_age(at)
        for step in self._advancing:
            step(at, self.frame)

    def memory(self, every: Millis) -> int:
        """About how many bytes the windows take once they are full, with a reading `every` so
        often.
        """
        return sum(series.memory(every) for series in self._series.values())

    def shift(self, by: Millis) -> None:
        """A step of the clock: every instant held moves by `by`, so that durations stay true
        (SEMANTICS A5).
        """
        if self._fed_at is not None:
            self._fed_at += by
        for series in self._series.values():
            series.ring.shift(by)

    def _new_slot(self) -> int:
        self.frame.append(None)
        return len(self.frame) - 1

    def _then(self, feed: Step, advance: Step | None = None) -> None:
        self._feeding.append(feed)
        self._advancing.append(advance or feed)

    def _along(self, node: Node) -> ExpressionSeries:
        if node not in self._series:
            # Compiling comes first: windows inside `node` enter before it and so are fed before it.
            series = ExpressionSeries(number(node, self))
            self._series[node] = series
            self._then(series.feed, series.advance)
        return self._series[node]

    def _value(self, call: Call, function: WindowFunction, window: Window) -> Value:
        """What the function makes of the window, and of its level or its least."""
        given: list[object] = (
            [window] if function.keeps is None else [window, window.keep(function.keeps)]
        )
        arguments = dict(zip(function.parameters, call.arguments, strict=False))
        if Parameter.LEVEL in arguments:
            return _at_level(
                partial(function.value, *given), number(arguments[Parameter.LEVEL], self)
            )
        if Parameter.LEAST in function.parameters:
            least = arguments.get(Parameter.LEAST)
            given.append(least.value if isinstance(least, Number) else function.least)
        return _of_window(partial(function.value, *given))

    def _show_age(self, at: Millis) -> None:
        slot = self._field_slots.get(AGE)
        if slot is not None and self._fed_at is not None:
            self.frame[slot] = Decimal(at - self._fed_at)


def _of_window(value: Callable[[], Decimal | None]) -> Value:
    return lambda _: value()


def _at_level(value: Callable[[Decimal], Decimal | None], level: Value) -> Value:
    def at_level(frame: Frame) -> Decimal | None:
        present = level(frame)
        return None if present is None else value(present)

    return at_level


def _shown(slot: int, value: Value, window: Window, known_from: int) -> Step:
    """Shows the value, unknown while the window holds too few readings (SEMANTICS C2)."""

    def show(_: Millis, frame: Frame) -> None:
        frame[slot] = value(frame) if window.end - window.first >= known_from else None

    return show
