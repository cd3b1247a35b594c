"""One file per function of the rule language, found by its name.

A file `delta.py` here makes `delta(…)` part of the language; it offers `FUNCTION`. Files whose name begins with an
underscore are no functions. What a rule's text names is looked up in the list of files and never imported unseen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeAlias

from daemon.rules.kinds import Kind
from daemon.rules.windows import Running


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
    """Given the window, what is kept of it if `keeps` says so, and the level or the least if it has one of them."""
    keeps: Callable[[], Running] | None = None
    """What it needs beside the window's ends; functions that keep the same share it."""
    parameters: tuple[Parameter, ...] = (Parameter.SERIES, Parameter.SPAN)
    """In their order, beginning with the series; what may be left out comes last."""
    least: Decimal = Decimal(1)
    """The least when it is left out."""
    result: Kind = Kind.NUMBER

    @property
    def usage(self) -> str:
        """Its parameters as people write them."""
        needed = ", ".join(each.value for each in self.parameters if each is not Parameter.LEAST)
        return f"{needed}[, {Parameter.LEAST.value}]" if Parameter.LEAST in self.parameters else needed

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
    result: Kind = Kind.NUMBER


MANY = 1_000
"""More arguments than a text has room for."""

Function: TypeAlias = WindowFunction | PlainFunction


@cache
def names() -> tuple[str, ...]:
    """The functions there are."""
    return tuple(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


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
