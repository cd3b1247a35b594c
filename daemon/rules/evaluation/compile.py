"""Compiles a tree to closures: the tree is walked once, and the closures run at every reading.

Closures read a frame: a list of values with one slot per field and window used by the rules. They
do not know who fills the frame. Truth is three-valued: None is unknown (SEMANTICS C2). No
thread-local decimal context is used: arithmetic goes through `readings.exact`, and comparing
decimals never rounds.
"""

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol, TypeAlias

from daemon.readings.exact import added, divided, multiplied, negated, subtracted
from daemon.readings.fields import AGE, NAMES, RATIOS, SIGNS, WORSE_WHEN_HIGH
from daemon.rules import functions
from daemon.rules.functions import PlainFunction, StatefulFunction, WindowFunction
from daemon.rules.language.tree import (
    Arithmetic,
    Call,
    Comparison,
    DurationLiteral,
    Either,
    Every,
    Field,
    Negative,
    Node,
    Not,
    Number,
    children,
    compares_percentages,
    readable,
    varies,
)
from daemon.rules.language.types import ValueType
from daemon.types import DecidingComparison

Frame: TypeAlias = list[Decimal | None]
"""Values at one instant, by slot. Durations are in milliseconds; None is unknown."""

Value: TypeAlias = Callable[[Frame], Decimal | None]
Truth: TypeAlias = Callable[[Frame], bool | None]
Deciding: TypeAlias = Callable[[Frame], DecidingComparison]

_ARITHMETIC = {"+": added, "-": subtracted, "*": multiplied, "/": divided}
_COMPARING: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


class Slots(Protocol):
    """Gives each field and window its slot in the frame, and arranges that the slot is filled."""

    def field(self, name: str) -> int: ...

    def window(self, call: Call) -> int: ...

    def stateful(self, call: Call) -> int: ...


def compile_number(node: Node, slots: Slots) -> Value:
    """Compile a number or a duration, in milliseconds, to a function of a frame."""
    match node:
        case Number(value):
            return _always(value)
        case DurationLiteral(millis):
            return _always(Decimal(millis))
        case Field(name):
            return operator.itemgetter(slots.field(name))
        case Call():
            return _call(node, slots)
        case Negative(operand):
            return _settled(node, _applied(negated, compile_number(operand, slots)))
        case Arithmetic(sign, left, right):
            combine = _ARITHMETIC[sign]
            return _settled(
                node, _combined(combine, compile_number(left, slots), compile_number(right, slots))
            )
        case _:
            raise TypeError(f"not a number: {node}")


def compile_truth(node: Node, slots: Slots) -> Truth:
    """Compile a condition to a function of a frame."""
    match node:
        case Comparison():
            return _comparison(oriented(node), slots)
        case Not(operand):
            holds = compile_truth(operand, slots)
            return lambda frame: inverse(holds(frame))
        case Every(parts):
            return _every([compile_truth(part, slots) for part in parts])
        case Either(parts):
            return _either([compile_truth(part, slots) for part in parts])
        case _:
            raise TypeError(f"not a condition: {node}")


def compile_deciding(node: Node, slots: Slots, *, opposite: bool = False) -> Deciding:
    """The comparison that decides a condition: the first part with the same result as the whole.

    Of two bounds on one field, the bound on the worse side is chosen: `0 < available_margin < 100`
    is decided by `available_margin < 100`. Under a `not` (`opposite`) the comparison is inverted:
    `not x > 5` is decided by `x <= 5`.
    """
    match node:
        case Comparison():
            sign = _OPPOSITE[node.operator] if opposite else node.operator
            return _judged(Comparison(sign, node.left, node.right), slots)
        case Not(operand):
            return compile_deciding(operand, slots, opposite=not opposite)
        case _:
            parts = [
                (compile_truth(part, slots), compile_deciding(part, slots, opposite=opposite))
                for part in children(node)
            ]
            return _first_like(compile_truth(node, slots), parts)


def oriented(comparison: Comparison) -> Comparison:
    """The comparison with the side that varies on the left: `100 > x` is `x < 100`."""
    if varies(comparison.left) or not varies(comparison.right):
        return comparison
    return Comparison(_MIRRORED[comparison.operator], comparison.right, comparison.left)


def inverse(known: bool | None) -> bool | None:
    """Three-valued `not`."""
    return None if known is None else not known


def _always(value: Decimal | None) -> Value:
    return lambda _: value


def _settled(node: Node, value: Value) -> Value:
    """Evaluate a constant once, at compile time."""
    return value if varies(node) else _always(value([]))


def _applied(function: Callable[[Decimal], Decimal], operand: Value) -> Value:
    def value(frame: Frame) -> Decimal | None:
        given = operand(frame)
        return None if given is None else function(given)

    return value


def _combined(
    function: Callable[[Decimal, Decimal], Decimal | None], left: Value, right: Value
) -> Value:
    def value(frame: Frame) -> Decimal | None:
        first = left(frame)
        if first is None:
            return None
        second = right(frame)
        return None if second is None else function(first, second)

    return value


def _call(node: Call, slots: Slots) -> Value:
    function = functions.find(node.name)
    if isinstance(function, PlainFunction):
        return _settled(
            node, _called(function.value, [compile_number(each, slots) for each in node.arguments])
        )
    if isinstance(function, StatefulFunction):
        return operator.itemgetter(slots.stateful(node))
    return operator.itemgetter(slots.window(node))


def _called(function: Callable[..., Decimal], operands: list[Value]) -> Value:
    def value(frame: Frame) -> Decimal | None:
        given = [operand(frame) for operand in operands]
        return None if None in given else function(*given)

    return value


def _comparison(node: Comparison, slots: Slots) -> Truth:
    compare = _COMPARING[node.operator]
    left, right = compile_number(node.left, slots), compile_number(node.right, slots)
    limit = None if varies(node.right) else right([])
    return _compared(compare, left, right) if limit is None else _limited(compare, left, limit)


def _limited(compare: Callable[[Decimal, Decimal], bool], left: Value, limit: Decimal) -> Truth:
    """Comparison with a constant. Nearly every rule is one, so it has a fast closure of its own."""

    def holds(frame: Frame) -> bool | None:
        value = left(frame)
        return None if value is None else compare(value, limit)

    return holds


def _compared(compare: Callable[[Decimal, Decimal], bool], left: Value, right: Value) -> Truth:
    def holds(frame: Frame) -> bool | None:
        first, second = left(frame), right(frame)
        return None if first is None or second is None else compare(first, second)

    return holds


def _every(parts: list[Truth]) -> Truth:
    def holds(frame: Frame) -> bool | None:
        known: bool | None = True
        for part in parts:
            held = part(frame)
            if held is False:
                return False
            if held is None:
                known = None
        return known

    return holds


def _either(parts: list[Truth]) -> Truth:
    def holds(frame: Frame) -> bool | None:
        known: bool | None = False
        for part in parts:
            held = part(frame)
            if held:
                return True
            if held is None:
                known = None
        return known

    return holds


def _judged(comparison: Comparison, slots: Slots) -> Deciding:
    told = oriented(comparison)
    text, field, falling = readable(told), str(told.left), told.operator in ("<", "<=")
    left, right, duration = (
        compile_number(told.left, slots),
        compile_number(told.right, slots),
        is_duration_node(told.left),
    )
    directed, percentage = told.operator not in ("==", "!="), compares_percentages(told)
    ratio = _is_ratio(told.left)
    return lambda frame: DecidingComparison(
        text, field, left(frame), right(frame), falling, duration, directed, percentage, ratio
    )


def _is_ratio(node: Node) -> bool:
    match node:
        case Field(name):
            return name in RATIOS
        case Call(name):
            function = functions.find(name)
            return isinstance(function, WindowFunction) and function.ratio is not None
        case _:
            return False


def is_duration_node(node: Node) -> bool:
    """Whether a node is a duration. Nothing computed from several nodes is one (SEMANTICS C6)."""
    match node:
        case Field(name):
            return name == AGE or SIGNS.get(name, False)
        case Call(name):
            return functions.find(name).result is ValueType.DURATION
        case _:
            return isinstance(node, DurationLiteral)


def _first_like(whole: Truth, parts: list[tuple[Truth, Deciding]]) -> Deciding:
    def judged(frame: Frame) -> DecidingComparison:
        outcome = whole(frame)
        alike = [decide(frame) for holds, decide in parts if holds(frame) is outcome]
        bounds = [told for told in alike if told.field == alike[0].field]
        return next((told for told in bounds if _gets_worse(told)), alike[0])

    return judged


def _gets_worse(told: DecidingComparison) -> bool:
    """Whether the comparison bounds its field on the side where the field gets worse."""
    return told.field in NAMES and told.falling is not (told.field in WORSE_WHEN_HIGH)
