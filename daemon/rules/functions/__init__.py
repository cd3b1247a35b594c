"""One file per function of the rule language, found by its name.

A file `delta.py` here that assigns `FUNCTION` adds `delta(…)` to the language; other files are
helpers. A name in a rule is looked up in the list of functions, and only listed names are imported.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, tzinfo
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib import import_module
from typing import TypeAlias

from daemon.discovery import modules_defining
from daemon.rules.evaluation.windows import RunningAggregate
from daemon.rules.language.types import ValueType
from daemon.types import Millis

MULTIPLES = (-10, 10)
"""Limits between which a number compared with a ratio may be a multiple.

Whether `available_margin` includes what positions bind is not settled (fact sheet 6). If it does
not, a usage of 2 is real: twice as much bound as free. At 10, ten elevenths would be bound. Above
that, and for growth too, people mean percent.
"""


class Parameter(Enum):
    """The kind of an argument; the enum value names it in messages."""

    SERIES = "x"
    """A number, taken at every reading of the window."""
    LEVEL = "level"
    """A number at the present instant."""
    SPAN = "duration"
    """The length of the window, as a literal."""
    LEAST = "least"
    """A literal number above 0; optional."""
    TIME = '"HH:MM"'
    """A time of day, as a literal."""


@dataclass(frozen=True, slots=True)
class WindowFunction:
    """A function of the readings in a sliding window."""

    known_from: int
    """Readings that it needs (SEMANTICS C2); with fewer the value is unknown."""
    value: Callable[..., Decimal | None]
    """The computation of the value.

    Its arguments: the window, the aggregate if `keeps` is set, then the level or the `least`.
    """
    keeps: Callable[[], RunningAggregate] | None = None
    """The aggregate that it needs; functions with the same aggregate share it."""
    parameters: tuple[Parameter, ...] = (Parameter.SERIES, Parameter.SPAN)
    """Parameters in order: the series first, the optional one last."""
    least: Decimal = Decimal(1)
    """The default of `least`."""
    result: ValueType = ValueType.NUMBER
    keeps_unit: bool = False
    """Whether the value is in the unit of the series."""
    adds_up: bool = False
    """Whether the value grows with the number of readings."""
    ratio: tuple[int, int] | None = None
    """For a ratio: the limits beyond which a number compared with it must be meant as percent.

    Messages show a ratio as a percentage.
    """
    forgets: bool = False
    """Whether it compares with a step itself, once that is old: the alert ends (SEMANTICS D6)."""
    is_distance: bool = False
    """Whether the value does not show the direction of a change."""

    @property
    def usage(self) -> str:
        """The parameters as people write them."""
        needed = ", ".join(each.value for each in self.parameters if each is not Parameter.LEAST)
        return (
            f"{needed}[, {Parameter.LEAST.value}]" if Parameter.LEAST in self.parameters else needed
        )

    @property
    def counts(self) -> tuple[int, int]:
        """The smallest and the largest number of arguments."""
        return len(self.parameters) - (Parameter.LEAST in self.parameters), len(self.parameters)


class FunctionState(ABC):
    """State that a function keeps from one judged reading to the next.

    It is derived, like windows: a rebuild feeds the readings of the function's look-back.
    """

    __slots__ = ()

    @abstractmethod
    def read(self, at: Millis, value: Decimal | None) -> Decimal | None:
        """Take the series' value at a judged reading, and return the function's value there."""

    @abstractmethod
    def advance(self, at: Millis) -> Decimal | None:
        """The function's value at a miss."""

    def shift(self, by: Millis) -> None:  # noqa: B027 - most hold no instants
        """Move every instant held by a step of the clock (SEMANTICS A5)."""

    def memory(self, every: Millis) -> int:
        """Estimated bytes, with a reading every `every` ms."""
        return 0


class RecordedState(ABC):
    """A value that is recorded: it depends on more readings than are kept.

    A rebuild does not feed it; it begins with the recorded value.
    """

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held: Decimal | None = None
        """The value to record; None before the first."""

    @abstractmethod
    def supersedes(self, value: Decimal, held: Decimal) -> bool:
        """Whether a value of the series takes the place of the one held."""

    def read(self, value: Decimal | None) -> Decimal | None:
        """Take the series' value at a judged reading, and return the value held."""
        if value is not None and (self.held is None or self.supersedes(value, self.held)):
            self.held = value
        return self.held


@dataclass(frozen=True, slots=True)
class StatefulFunction:
    """A function that remembers earlier readings, without a window whose length is written."""

    start: Callable[[time, tzinfo | None], FunctionState | RecordedState]
    """The state before the first reading, given the time of day of the call and the time zone."""
    look_back: Millis
    """How far its value depends on readings."""
    unknown: str
    """Why the value may be unknown, for people."""
    excess: str
    """What to write instead, when there are too many arguments."""
    parameters: tuple[Parameter, ...] = (Parameter.SERIES,)
    """Parameters in order: the series first."""
    one_reading: bool = False
    """Whether the series must be a value of one reading, so without look-back."""
    recorded: bool = False
    """Whether its state is a `RecordedState`."""
    result: ValueType = ValueType.NUMBER
    keeps_unit: bool = True

    @property
    def usage(self) -> str:
        """The parameters as people write them."""
        return ", ".join(each.value for each in self.parameters)

    @property
    def counts(self) -> tuple[int, int]:
        """The smallest and the largest number of arguments."""
        return len(self.parameters), len(self.parameters)


@dataclass(frozen=True, slots=True)
class PlainFunction:
    """A function of numbers at one instant; unknown when any of them is."""

    value: Callable[..., Decimal]
    usage: str
    """The parameters as people write them."""
    counts: tuple[int, int]
    """The smallest and the largest number of arguments."""
    result: ValueType = ValueType.NUMBER
    keeps_unit: bool = False
    """Whether the value is in the unit of the arguments."""


MARK = "FUNCTION"
"""The name that the file of a function assigns at its top level."""

MANY = 1_000
"""More arguments than a condition has room for."""

Function: TypeAlias = WindowFunction | StatefulFunction | PlainFunction


@cache
def names() -> tuple[str, ...]:
    """The names of all functions."""
    return modules_defining(__path__, MARK)


@cache
def find(name: str) -> Function:
    """The function of this name, which must be one of `names()`."""
    function = import_module(f"{__name__}.{name}").FUNCTION
    if not isinstance(function, WindowFunction | StatefulFunction | PlainFunction):
        raise TypeError(f"daemon/rules/functions/{name}.py offers no function")
    return function


def stateful(name: str) -> StatefulFunction:
    """The stateful function of this name. Raises TypeError for another one."""
    function = find(name)
    if not isinstance(function, StatefulFunction):
        raise TypeError(f"{name} remembers nothing")
    return function


def window(name: str) -> WindowFunction:
    """The window function of this name. Raises TypeError for one without a window."""
    function = find(name)
    if not isinstance(function, WindowFunction):
        raise TypeError(f"{name} looks at no window")
    return function
