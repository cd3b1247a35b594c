"""The value table of one account: the present value of every field and window in its rules.

Equal windows of equal expressions are kept once, however many rules use them. Functions that need
the same aggregate of a window share it. The table moves the windows on from reading to reading and
knows no rules. Two tables fed with the same readings hold the same values, to the digit.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time, tzinfo
from decimal import Decimal
from functools import partial
from typing import TypeAlias

from daemon.readings.fields import AGE, VALUES
from daemon.readings.fields import Value as FieldValue
from daemon.rules import functions
from daemon.rules.evaluation.compile import Frame, Slots, Value, compile_number
from daemon.rules.evaluation.recorded_slots import RecordedSlot, RecordedSlots
from daemon.rules.evaluation.windows import ENTRY, Ring, Window
from daemon.rules.functions import (
    FunctionState,
    Parameter,
    RecordedState,
    WindowFunction,
)
from daemon.rules.language.tree import Call, Node, Number, TimeOfDay, look_back
from daemon.types import Balances, Millis

_TRIM_EVERY = 256
"""Readings between two removals of entries that no window needs."""

Step: TypeAlias = Callable[[Millis, Frame], None]
"""One action at an instant. Actions are ordered, so that each finds the values it needs."""


_OPEN = 8_000
"""Bytes that a ring, and each of its windows, takes for unpacked values."""


@dataclass(slots=True)
class ExpressionSeries:
    """One expression over time, and the windows that slide along it."""

    value: Value
    ring: Ring = field(default_factory=Ring)
    windows: dict[Millis, Window] = field(default_factory=dict)
    """Windows by their length."""

    def window(self, span: Millis) -> Window:
        if span not in self.windows:
            self.windows[span] = Window(self.ring, span)
        return self.windows[span]

    def memory(self, every: Millis) -> int:
        kept = sum(
            _OPEN + window.bytes_per_entry * (span // every + 1)
            for span, window in self.windows.items()
        )
        return _OPEN + ENTRY * (max(self.windows) // every + 1) + kept

    def feed(self, at: Millis, frame: Frame) -> None:
        """Add the expression's present value, unless it is unknown, and move the windows on."""
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
        """Move the windows on without a reading: entries that are too old leave."""
        steady = self.ring.steady(at)
        for window in self.windows.values():
            window.advance(steady)


class ValueTable:
    """The frame of one account. Slots are assigned while rules are compiled, before any reading."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        """An empty table. `zone` is that of times of day; None is the zone of the system."""
        self._zone = zone
        self.frame: Frame = []
        self.recorded = RecordedSlots(self.frame)
        self.balances = Balances()
        """Balances of the last reading fed."""
        self.look_back: Millis = 0
        """Length of the longest look-back of any window."""
        self._fed_at: Millis | None = None
        self._field_slots: dict[str, int] = {}
        self._window_slots: dict[Call, int] = {}
        self._fields: list[tuple[int, FieldValue]] = []
        self._series: dict[Node, ExpressionSeries] = {}
        self._states: dict[Call, FunctionState] = {}
        # An expression may use what was compiled before it, never the reverse; hence the order.
        self._feeding: list[Step] = []
        self._advancing: list[Step] = []

    def field(self, name: str) -> int:
        """The slot of a field."""
        if name not in self._field_slots:
            self._field_slots[name] = self._new_slot()
            if name in VALUES:  # age and the signals are written by their owners
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

    def of_rule(self, rule: str) -> Slots:
        """The slots for a rule, which has recorded values of its own."""
        return _RuleSlots(self, rule)

    def recorded_slot(self, rule: str, call: Call) -> int:
        """The slot of a value that a rule keeps."""
        key = rule, str(call)
        slot = self.recorded.find(key)
        if slot is None:
            value, slot = compile_number(call.arguments[0], self), self._new_slot()
            state = _start(call, self._zone)
            assert isinstance(state, RecordedState)  # noqa: S101 - its function says so
            self.recorded.add(key, RecordedSlot(slot, value, state))
        return slot

    def stateful(self, call: Call) -> int:
        """The slot of a stateful function's value."""
        if functions.stateful(call.name).recorded:
            return self.recorded_slot("", call)
        if call not in self._window_slots:
            # Compile first, as for a window: what is inside is fed before.
            value = compile_number(call.arguments[0], self)
            slot = self._window_slots[call] = self._new_slot()
            state = _start(call, self._zone)
            assert isinstance(state, FunctionState)  # noqa: S101 - the others are recorded
            self._states[call] = state
            self._then(_remembered(slot, value, state), _recalled(slot, state))
            self.look_back = max(self.look_back, look_back(call))
        return self._window_slots[call]

    @property
    def fed(self) -> bool:
        """Whether a reading was fed."""
        return self._fed_at is not None

    def held(self, call: Call) -> Window:
        """The window of a function that has a slot."""
        return self._series[call.arguments[0]].windows[call.span]

    def feed(self, at: Millis, balances: Balances) -> None:
        """Feed a judged reading: update fields, age and windows at `at`."""
        self.balances, self._fed_at = balances, at
        frame = self.frame
        for slot, value in self._fields:
            frame[slot] = value(balances)
        self._show_age(at)
        for step in self._feeding:
            step(at, frame)

    def advance(self, at: Millis) -> None:
        """Move windows and age to `at` without a reading; the fields stay as they were."""
        self._show_age(at)
        for step in self._advancing:
            step(at, self.frame)

    def memory(self, every: Millis) -> int:
        """Estimated bytes of the full windows, with a reading every `every` ms."""
        windows = sum(series.memory(every) for series in self._series.values())
        return windows + sum(state.memory(every) for state in self._states.values())

    def shift(self, by: Millis) -> None:
        """Move every held instant by a step of the clock, so durations stay true (SEMANTICS A5)."""
        if self._fed_at is not None:
            self._fed_at += by
        for series in self._series.values():
            series.ring.shift(by)
        for state in self._states.values():
            state.shift(by)

    def _new_slot(self) -> int:
        self.frame.append(None)
        return len(self.frame) - 1

    def _then(self, feed: Step, advance: Step | None = None) -> None:
        self._feeding.append(feed)
        self._advancing.append(advance or feed)

    def _along(self, node: Node) -> ExpressionSeries:
        if node not in self._series:
            # Compile first: windows inside `node` are registered before it, and so fed before it.
            series = ExpressionSeries(compile_number(node, self))
            self._series[node] = series
            self._then(series.feed, series.advance)
        return self._series[node]

    def _value(self, call: Call, function: WindowFunction, window: Window) -> Value:
        """The value of a window function, given its window and its level or `least`."""
        given: list[object] = (
            [window] if function.keeps is None else [window, window.keep(function.keeps)]
        )
        arguments = dict(zip(function.parameters, call.arguments, strict=False))
        if Parameter.LEVEL in arguments:
            return _at_level(
                partial(function.value, *given), compile_number(arguments[Parameter.LEVEL], self)
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
    """Write the value; unknown while the window holds too few readings (SEMANTICS C2)."""

    def show(_: Millis, frame: Frame) -> None:
        frame[slot] = value(frame) if window.end - window.first >= known_from else None

    return show


@dataclass(frozen=True, slots=True)
class _RuleSlots:
    """The slots of a table, with those of one rule's recorded values."""

    table: ValueTable
    rule: str

    def field(self, name: str) -> int:
        return self.table.field(name)

    def window(self, call: Call) -> int:
        return self.table.window(call)

    def stateful(self, call: Call) -> int:
        if functions.stateful(call.name).recorded:
            return self.table.recorded_slot(self.rule, call)
        return self.table.stateful(call)


def _start(call: Call, zone: tzinfo | None) -> FunctionState | RecordedState:
    times = [each.time for each in call.arguments if isinstance(each, TimeOfDay)]
    return functions.stateful(call.name).start(times[0] if times else time(0), zone)


def _remembered(slot: int, value: Value, state: FunctionState) -> Step:
    def read(at: Millis, frame: Frame) -> None:
        frame[slot] = state.read(at, value(frame))

    return read


def _recalled(slot: int, state: FunctionState) -> Step:
    def advance(at: Millis, frame: Frame) -> None:
        frame[slot] = state.advance(at)

    return advance
