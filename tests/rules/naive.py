"""The meaning of the rule language written down as plainly as possible: recomputed from all readings, every time.

The tests hold the incremental evaluator against this; it shares no code with it but the tree and the fields.
"""

from collections.abc import Callable
from decimal import Context, Decimal

from daemon.readings.fields import AGE, VALUES
from daemon.rules.tree import (
    Arithmetic,
    Call,
    Comparison,
    Either,
    Every,
    Field,
    Negative,
    Node,
    Not,
    Number,
    Span,
)
from daemon.types import Balances, Millis

History = list[tuple[Millis, Balances]]
"""All judged readings so far, in order."""

PLAIN = Context(prec=28, traps=[])


def quantity(node: Node, history: History, at: Millis) -> Decimal | None:
    """The value of `node` at the instant `at`; None is unknown."""
    match node:
        case Number(value):
            return value
        case Span(millis):
            return Decimal(millis)
        case Field(name):
            return _field(name, history, at)
        case Negative(operand):
            return _map(lambda x: x.copy_negate(), quantity(operand, history, at))
        case Arithmetic(sign, left, right):
            return _arithmetic(sign, quantity(left, history, at), quantity(right, history, at))
        case Call(name, (inner, Span(millis))):
            return _window(name, inner, history, at - millis)
        case _:
            raise AssertionError(node)


def truth(node: Node, history: History, at: Millis) -> bool | None:
    """Whether `node` holds at the instant `at`; None is unknown."""
    match node:
        case Comparison(sign, left, right):
            return _compare(sign, quantity(left, history, at), quantity(right, history, at))
        case Not(operand):
            inner = truth(operand, history, at)
            return None if inner is None else not inner
        case Every(parts):
            held = [truth(part, history, at) for part in parts]
            return False if False in held else None if None in held else True
        case Either(parts):
            held = [truth(part, history, at) for part in parts]
            return True if True in held else None if None in held else False
        case _:
            raise AssertionError(node)


def _map(function: Callable[[Decimal], Decimal], value: Decimal | None) -> Decimal | None:
    return None if value is None else function(value)


def _field(name: str, history: History, at: Millis) -> Decimal | None:
    if not history:
        return None
    last, values = history[-1]
    return Decimal(at - last) if name == AGE else VALUES[name](values)


def _arithmetic(sign: str, left: Decimal | None, right: Decimal | None) -> Decimal | None:
    if left is None or right is None:
        return None
    if sign == "/" and right == 0:
        right = Decimal(0)
    functions = {"+": PLAIN.add, "-": PLAIN.subtract, "*": PLAIN.multiply, "/": PLAIN.divide}
    result = functions[sign](left, right)
    return None if result.is_nan() else result


def _compare(sign: str, left: Decimal | None, right: Decimal | None) -> bool | None:
    if left is None or right is None:
        return None
    less, equal = left < right, left == right
    return {
        "<": less,
        "<=": less or equal,
        ">": not less and not equal,
        ">=": not less,
        "==": equal,
        "!=": not equal,
    }[sign]


def _window(name: str, inner: Node, history: History, since: Millis) -> Decimal | None:
    values = [quantity(inner, history[: number + 1], at) for number, (at, _) in enumerate(history) if at >= since]
    held = [value for value in values if value is not None]
    if len(held) < (2 if name == "delta" else 1):
        return None
    if name == "delta":
        return _arithmetic("-", held[-1], held[0])
    return min(held) if name == "min" else max(held)
