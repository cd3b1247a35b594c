"""One file per function of the rule language, found by its name.

A file `delta.py` here that assigns `FUNCTION` makes `delta(…)` part of the language; other files
are helpers. A name in a rule's text is looked up in the list of functions, and never imported
unseen.
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


class Parameter(Enum):
    """What an argument must be; the value names it for people."""

    SERIES = "x"
    """Any number, taken at every reading of the window."""
    LEVEL = "level"
    """Any number, as it is worth at the present instant."""
    SPAN = "duration"
    """How long the window is, written out."""
    LEAST = "least"
    """A number above 0, written out; it may be left out."""


@dataclass(frozen=True, slots=True)
class WindowFunction:
    """A function of the readings in a sliding window."""

    known_from: int
    """How many readings it needs (SEMANTICS C2); with fewer it is unknown."""
    value: Callable[..., Decimal | None]
    """Given the window, what is kept of it if `keeps` says so, and the level or the least if it has
    one of them.
    """
    keeps: Callable[[], RunningAggregate] | None = None
    """What it needs beside the window's ends; functions that keep the same share it."""
    parameters: tuple[Parameter, ...] = (Parameter.SERIES, Parameter.SPAN)
    """In their order, beginning with the series; what may be left out comes last."""
    least: Decimal = Decimal(1)
    """The least when it is left out."""
    result: ValueType = ValueType.NUMBER

    @property
    def usage(self) -> str:
        """Its parameters as people write them."""
        needed = ", ".join(each.value for each in self.parameters if each is not Parameter.LEAST)
        return (
            f"{needed}[, {Parameter.LEAST.value}]" if Parameter.LEAST in self.parameters else needed
        )

    @property
    def counts(self) -> tuple[int, int]:
        """How many arguments it takes, at least and at most."""
        return len(self.parameters) - (Parameter.LEAST in self.parameters), len(self.parameters)


@dataclass(frozen=True, slots=True)
class PlainFunction:
    """A function of numbers at one instant. It is unknown when any of them is."""

    value: Callable[..., Decimal]
    usage: str
    """Its parameters as people write them."""
    counts: tuple[int, int]
    """How many arguments it takes, at least and at most."""
    result: ValueType = ValueType.NUMBER


MARK = "FUNCTION"
"""What the file of a function assigns at its top level."""

MANY = 1_000
"""More arguments than a text has room for."""

Function: TypeAlias = WindowFunction | PlainFunction


@cache
def names() -> tuple[str, ...]:
    """The functions there are."""
    return modules_defining(__path__, MARK)


@cache
def find(name: str) -> Function:
    """The function called `name`, which must be one of `names()`."""
    function = import_module(f"{__name__}.{name}").FUNCTION
    if not isinstance(function, WindowFunction | PlainFunction):
        raise TypeError(f"daemon/rules/functions/{name}.py offers no function")
    return function


def window(name: str) -> WindowFunction:
    """The function called `name`, which must be one of windows."""
    function = find(name)
    if not isinstance(function, WindowFunction):
        raise TypeError(f"{name} looks at no window")
    return function
