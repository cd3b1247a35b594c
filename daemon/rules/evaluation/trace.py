"""The value of every part of a condition now, and why a part is unknown. Pure.

Used by `explain` and by the sentences about rules that cannot be evaluated. It reads a value table
after an input and changes nothing. The conditions must be compiled on that table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeGuard

from daemon.readings.exact import INFINITY, known, rounded
from daemon.readings.fields import MADE_OF, SIGNS
from daemon.rules import functions
from daemon.rules.evaluation.compile import Slots, compile_number, compile_truth, is_duration_node
from daemon.rules.evaluation.values import ValueTable
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import Parameter, StatefulFunction, WindowFunction
from daemon.rules.language.tree import (
    Arithmetic,
    Call,
    Comparison,
    Either,
    Every,
    Field,
    Negative,
    Node,
    Not,
    TimeOfDay,
    children,
    compares_percentages,
    readable,
)
from daemon.rules.language.types import ValueType
from daemon.text.durations import duration_text
from daemon.types import Balances, Millis

_INFINITY = "\N{INFINITY}"
_OPERATORS = {
    "+": "+",
    "-": "\N{MINUS SIGN}",
    "*": "\N{MULTIPLICATION SIGN}",
    "/": "\N{DIVISION SIGN}",
}


@dataclass(frozen=True, slots=True)
class Held:
    """The readings in a window: their number, and the instants of the first and the last."""

    count: int
    first: Millis | None = None
    last: Millis | None = None
    needed: int = 1
    """How many readings the function needs."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One part of a condition. None is unknown; durations are in milliseconds."""

    text: str
    kind: ValueType
    value: Decimal | bool | None
    why: str = ""
    """Why the part is unknown; empty where a part below it is the cause."""
    held: Held | None = None
    """The readings of a window function."""
    children: tuple["Trace", ...] = ()
    """For a window function: its series and its level, with their present values."""
    percentage: bool = False
    """The value is a ratio that is compared with a percentage."""


def trace_condition(
    node: Node, table: ValueTable, slots: Slots | None = None, *, percentage: bool = False
) -> Trace:
    """Trace a condition, or a part of one, that was compiled on this table.

    `slots` are those of its rule, if it has recorded values.
    """
    slots = slots or table
    passed_on = (
        compares_percentages(node)
        if isinstance(node, Comparison)
        else percentage and _keeps_unit(node)
    )
    parts = tuple(
        trace_condition(part, table, slots, percentage=passed_on) for part in _parts(node)
    )
    if isinstance(node, Comparison | Not | Every | Either):
        return Trace(
            readable(node), ValueType.TRUTH, compile_truth(node, slots)(table.frame), children=parts
        )
    kind = ValueType.DURATION if is_duration_node(node) else ValueType.NUMBER
    value = compile_number(node, slots)(table.frame)
    held = _held(node, table) if _has_window(node) else None
    why = _why(node, table, parts, held) if value is None else ""
    return Trace(readable(node), kind, value, why, held, parts, percentage)


def _has_window(node: Node) -> TypeGuard[Call]:
    return isinstance(node, Call) and isinstance(functions.find(node.name), WindowFunction)


def _keeps_unit(node: Node) -> bool:
    """Whether the parts of a node are ratios if the node is one."""
    match node:
        case Negative() | Arithmetic("+" | "-"):
            return True
        case Call(name):
            return functions.find(name).keeps_unit
        case _:
            return False


def unknown_part(part: Trace) -> Trace | None:
    """The innermost unknown part that makes this one unknown; None when it is known."""
    if part.value is not None:
        return None
    return next(
        (found for child in part.children if (found := unknown_part(child)) is not None), part
    )


def describe_fault(part: Trace) -> str:
    """Why a part is unknown, in words that stay the same while the cause does.

    Empty when the part is known.
    """
    found = unknown_part(part)
    if found is None:
        return ""
    why = found.why
    if found.held is not None and found.held.count < found.held.needed:
        why = f"fewer than {found.held.needed} readings"
    return f"{found.text}: {why}" if why and not why.startswith(found.text) else why or found.text


def _parts(node: Node) -> Iterator[Node]:
    """The parts shown below a node.

    The length, the `least` and the time of day are left out: they are in the function's text.
    """
    if not _has_window(node):
        yield from (child for child in children(node) if not isinstance(child, TimeOfDay))
        return
    for parameter, argument in zip(
        functions.window(node.name).parameters, node.arguments, strict=False
    ):
        if parameter in (Parameter.SERIES, Parameter.LEVEL):
            yield argument


def _held(call: Call, table: ValueTable) -> Held:
    window = table.held(call)
    first, last = window.reach or (None, None)
    return Held(len(window), first, last, functions.window(call.name).known_from)


def _why(node: Node, table: ValueTable, parts: tuple[Trace, ...], held: Held | None) -> str:
    match node:
        case Field(name):
            return _unsent(name, table.balances) if table.fed else "no reading yet"
        case Call() if held is not None:
            return _of_window(node, held, parts, table.held(node))
        case Call(name) if isinstance(function := functions.find(name), StatefulFunction):
            return function.unknown
        case Arithmetic(sign) if all(part.value is not None for part in parts):
            return f" {_OPERATORS[sign]} ".join(_number(part.value) for part in parts)
        case _:
            return ""


def _unsent(name: str, balances: Balances) -> str:
    """Which sent fields are missing, for a field or for one derived from several."""
    if name in SIGNS:
        return f"nothing is known of {name} here"
    missing = [
        part for part in MADE_OF.get(name, (name,)) if known(getattr(balances, part)) is None
    ]
    if missing:
        return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not sent"
    return f"{name} has no value for {_INFINITY}"


def _of_window(call: Call, held: Held, parts: tuple[Trace, ...], window: Window) -> str:
    if held.count < held.needed:
        return f"{held.count} of {held.needed} readings needed in {duration_text(call.span)}"
    if any(part.value is None for part in parts[1:]):
        return ""
    infinite = not all(value.is_finite() for value in window.values())
    return f"{_INFINITY} among its readings" if infinite else "all its readings are of one instant"


def _number(value: Decimal | bool | None) -> str:
    if isinstance(value, Decimal) and value.is_finite():
        return format(rounded(value), "f")
    return _INFINITY if value == INFINITY else f"-{_INFINITY}"
