"""One file per function of the rule language, found by its name.

A file `delta.py` here that assigns `FUNCTION` adds `delta(…)` to the language; other files are
helpers. A name in a rule is looked up in the list of functions, and only listed names are imported.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib import import_module
from typing import TypeAlias

from daemon.discovery import modules_defining
from daemon.rules.evaluation.windows import RunningAggregate
from daemon.rules.language.types import ValueType

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
    """For a ratio: the limits beyond which a number compared with it must be meant as percent."""
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

Function: TypeAlias = WindowFunction | PlainFunction


@cache
def names() -> tuple[str, ...]:
    """The names of all functions."""
    return modules_defining(__path__, MARK)


@cache
def find(name: str) -> Function:
    """The function of this name, which must be one of `names()`."""
    function = import_module(f"{__name__}.{name}").FUNCTION
    if not isinstance(function, WindowFunction | PlainFunction):
        raise TypeError(f"daemon/rules/functions/{name}.py offers no function")
    return function


def window(name: str) -> WindowFunction:
    """The window function of this name. Raises TypeError for a plain function."""
    function = find(name)
    if not isinstance(function, WindowFunction):
        raise TypeError(f"{name} looks at no window")
    return function
