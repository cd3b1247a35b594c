"""A parsed expression: its meaning, without its spelling.

Two expressions are equal when their nodes are: whitespace, superfluous parentheses, aliases and the
spelling of numbers are gone. SEMANTICS D5 compares rules in this way. `str` of a node is its
canonical text, which parses to an equal node. Nodes evaluate nothing and do not know their place in
a text.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import time
from decimal import Decimal
from typing import ClassVar, TypeAlias

from daemon.readings.exact import EXACT
from daemon.rules import functions
from daemon.rules.functions import StatefulFunction
from daemon.text.durations import duration_text
from daemon.types import Millis


@dataclass(frozen=True, slots=True)
class Number:
    """A plain number; `20%` is 0.2."""

    value: Decimal
    percent: bool = field(default=False, compare=False)
    """Whether it was written as a percentage; ignored when nodes are compared."""
    binding: ClassVar[int] = 8

    def __str__(self) -> str:
        text = format(self.value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True)
class DurationLiteral:
    """A duration."""

    millis: Millis
    binding: ClassVar[int] = 8

    def __str__(self) -> str:
        return duration_text(self.millis)


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A time by the clock on the wall, such as `"08:00"`."""

    time: time
    binding: ClassVar[int] = 8

    def __str__(self) -> str:
        return f'"{self.time:%H:%M}"'


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a reading by its main name, never by an alias."""

    name: str
    binding: ClassVar[int] = 8

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language with its arguments."""

    name: str
    arguments: "tuple[Node, ...]"
    binding: ClassVar[int] = 8

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.arguments))})"

    @property
    def span(self) -> Millis:
        """Length of the window; 0 for a function without one."""
        return sum(part.millis for part in self.arguments if isinstance(part, DurationLiteral))


@dataclass(frozen=True, slots=True)
class Negative:
    """`-x`"""

    operand: "Node"
    binding: ClassVar[int] = 7

    def __str__(self) -> str:
        return f"-{_within(self.operand, self.binding)}"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`x + y`, `x - y`, `x * y` or `x / y`; of equal operators the left one binds first."""

    operator: str
    left: "Node"
    right: "Node"

    @property
    def binding(self) -> int:
        return 5 if self.operator in "+-" else 6

    def __str__(self) -> str:
        left = _within(self.left, self.binding)
        return f"{left} {self.operator} {_within(self.right, self.binding + 1)}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison; a chain such as `0 < x < 5` is an `Every` of comparisons."""

    operator: str
    left: "Node"
    right: "Node"
    binding: ClassVar[int] = 4

    def __str__(self) -> str:
        return f"{_within(self.left, 5)} {self.operator} {_within(self.right, 5)}"


@dataclass(frozen=True, slots=True)
class Not:
    operand: "Node"
    binding: ClassVar[int] = 3

    def __str__(self) -> str:
        return f"not {_within(self.operand, self.binding)}"


@dataclass(frozen=True, slots=True)
class Every:
    """`a and b and c`: at least two parts, none of them an `Every` itself."""

    parts: "tuple[Node, ...]"
    binding: ClassVar[int] = 2

    def __str__(self) -> str:
        return " and ".join(_within(part, self.binding + 1) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Either:
    """`a or b or c`: at least two parts, none of them an `Either` itself."""

    parts: "tuple[Node, ...]"
    binding: ClassVar[int] = 1

    def __str__(self) -> str:
        return " or ".join(_within(part, self.binding + 1) for part in self.parts)


Node: TypeAlias = (
    Number
    | DurationLiteral
    | TimeOfDay
    | Field
    | Call
    | Negative
    | Arithmetic
    | Comparison
    | Not
    | Every
    | Either
)


def _within(node: Node, binding: int) -> str:
    return str(node) if node.binding >= binding else f"({node})"


def every(parts: list[Node]) -> Node:
    """The conjunction of `parts`, flattened: `(a and b) and c` becomes `a and b and c`.

    A single part is returned as it is.
    """
    flat = [leaf for part in parts for leaf in (part.parts if isinstance(part, Every) else (part,))]
    return Every(tuple(flat)) if len(flat) > 1 else flat[0]


def either(parts: list[Node]) -> Node:
    """The disjunction of `parts`, flattened like `every`."""
    flat = [
        leaf for part in parts for leaf in (part.parts if isinstance(part, Either) else (part,))
    ]
    return Either(tuple(flat)) if len(flat) > 1 else flat[0]


@dataclass(frozen=True, slots=True)
class _Percentage(Number):
    """A number that is printed with a percent sign."""

    def __str__(self) -> str:
        return f"{Number(self.value.scaleb(2, EXACT))}%"


def readable(node: Node) -> str:
    """The text of a node for people, with percentages. Like `str`, it parses to an equal node."""
    return str(_with_percentages(node))


def _with_percentages(node: Node) -> Node:
    match node:
        case Number(value) if node.percent:
            return _Percentage(value, percent=True)
        case Call(name, arguments):
            return Call(name, tuple(map(_with_percentages, arguments)))
        case Negative(operand) | Not(operand):
            return replace(node, operand=_with_percentages(operand))
        case Arithmetic(_, left, right) | Comparison(_, left, right):
            return replace(node, left=_with_percentages(left), right=_with_percentages(right))
        case Every(parts) | Either(parts):
            return replace(node, parts=tuple(map(_with_percentages, parts)))
        case _:
            return node


def is_percentage(node: Node) -> bool:
    """Whether a node is a constant written as a percentage, or computed from percentages.

    The value compared with such a constant is shown as a percentage too.
    """
    if isinstance(node, Number):
        return node.percent
    if varies(node):
        return False
    parts = [is_percentage(part) for part in children(node)]
    match node:
        case Arithmetic("*"):
            return any(parts)
        case Arithmetic("/"):
            return parts == [True, False]
        case _:
            return bool(parts) and all(parts)


def compares_percentages(comparison: "Comparison") -> bool:
    """Whether the two sides are ratios to be shown as percentages."""
    return is_percentage(comparison.left) or is_percentage(comparison.right)


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Number() | DurationLiteral() | TimeOfDay() | Field():
            return ()
        case Call(_, arguments):
            return arguments
        case Negative(operand) | Not(operand):
            return (operand,)
        case Arithmetic(_, left, right) | Comparison(_, left, right):
            return (left, right)
        case _:
            return node.parts


def walk(node: Node) -> Iterator[Node]:
    """The node and all nodes below it, parents first."""
    yield node
    for child in children(node):
        yield from walk(child)


def varies(node: Node) -> bool:
    """Whether the value can differ from one reading to the next."""
    return any(
        isinstance(part, Field) or (isinstance(part, Call) and part.span > 0) for part in walk(node)
    )


def uses(node: Node, field: str) -> bool:
    return Field(field) in walk(node)


DAY_FUNCTIONS = ("today", "since")


def recorded_calls(node: Node) -> Iterator[Call]:
    """The calls of functions whose value is recorded."""
    for part in walk(node):
        function = functions.find(part.name) if isinstance(part, Call) else None
        if isinstance(function, StatefulFunction) and function.recorded:
            yield part  # type: ignore[misc]  # only a call has a function


def day_calls(node: Node) -> Iterator[Call]:
    """The distinct calls of functions whose value depends on the time zone."""
    calls = dict.fromkeys(part for part in walk(node) if isinstance(part, Call))
    return (call for call in calls if call.name in DAY_FUNCTIONS)


def look_back(node: Node) -> Millis:
    """How far the value looks into the past; nested windows add up (SEMANTICS C1).

    Only the first argument of a function is taken over its window. The others are taken at the
    present instant.
    """
    return _reach(node, _own_look_back)


def longest_window(node: Node) -> Millis:
    """The longest of the windows whose length is written; nested windows add up."""
    return _reach(node, lambda call: call.span)


def _own_look_back(call: Call) -> Millis:
    function = functions.find(call.name)
    return function.look_back if isinstance(function, StatefulFunction) else call.span


def _reach(node: Node, own: Callable[[Call], Millis]) -> Millis:
    reaches = [_reach(child, own) for child in children(node)]
    if isinstance(node, Call):
        reaches[0] += own(node)
    return max(reaches, default=0)
