"""One file per function of the rule language, found by its name.

A file `delta.py` here makes `delta(…)` part of the language; it offers `FUNCTION`. Files whose name begins with an
underscore are no functions. What a rule's text names is looked up in the list of files and never imported unseen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from daemon.rules.windows import Running


class Parameter(Enum):
    """What an argument must be; the value names it for people."""

    SERIES = "x"
    """Any number, taken at every reading of the window."""
    SPAN = "duration"
    """How long the window is, written out."""


@dataclass(frozen=True, slots=True)
class WindowFunction:
    """A function of the readings in a sliding window."""

    known_from: int
    """How many readings it needs (SEMANTICS C2); with fewer it is unknown."""
    start: Callable[[], Running]
    parameters: tuple[Parameter, ...] = (Parameter.SERIES, Parameter.SPAN)


PLANNED = frozenset(
    {"avg", "median", "sum", "count", "first", "last", "stddev", "change", "drop", "rise", "slope", "time_to"}
    | {"zscore", "spike", "abs", "least", "greatest"},
)
"""Functions of the language that this version does not have yet."""


@cache
def names() -> tuple[str, ...]:
    """The functions there are."""
    return tuple(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


@cache
def find(name: str) -> WindowFunction:
    """The function called `name`, which must be one of `names()`."""
    function = import_module(f"{__name__}.{name}").FUNCTION
    if not isinstance(function, WindowFunction):
        raise TypeError(f"daemon/rules/functions/{name}.py offers no function")
    return function
