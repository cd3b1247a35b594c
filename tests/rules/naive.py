"""The meaning of the rule language written down as plainly as possible: recomputed from all
readings, every time.

The tests hold the incremental evaluator against this; it shares no code with it but the tree and
the fields.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Context, Decimal
from fractions import Fraction

from daemon.readings.fields import AGE, VALUES
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
    TimeOfDay,
)
from daemon.types import HOUR, Balances, Millis

History = list[tuple[Millis, Balances]]
"""All judged readings so far, in order."""

PLAIN = Context(prec=28, traps=[])


def quantity(  # noqa: C901, PLR0911, PLR0912 - one answer for each kind of node
    node: Node, history: History, at: Millis
) -> Decimal | None:
    """The value of `node` at the instant `at`; None is unknown."""
    match node:
        case Number(value):
            return value
        case DurationLiteral(millis):
            return Decimal(millis)
        case Field(name):
            return _field(name, history, at)
        case Negative(operand):
            return _map(lambda x: x.copy_negate(), quantity(operand, history, at))
        case Arithmetic(sign, left, right):
            return _arithmetic(sign, quantity(left, history, at), quantity(right, history, at))
        case Call("abs" | "least" | "greatest" as name, arguments):
            given = [quantity(argument, history, at) for argument in arguments]
            known = [value for value in given if value is not None]
            return PLAINLY[name](known) if len(known) == len(given) else None
        case Call("prev", (inner,)):
            # At a miss there is no reading that one was before.
            now = bool(history) and history[-1][0] == at
            before = history[:-1] if now else []
            return quantity(inner, before, before[-1][0]) if before else None
        case Call("today", (inner,)):
            return _since(time(0), inner, history, at)
        case Call("since", (inner, TimeOfDay(begins))):
            return _since(begins, inner, history, at)
        case Call("time_to", (inner, level, DurationLiteral(millis))):
            return _window(
                "time_to", _held(inner, history, at - millis), quantity(level, history, at)
            )
        case Call(name, (inner, DurationLiteral(millis), Number(least))):
            return _window(name, _held(inner, history, at - millis), least)
        case Call(name, (inner, DurationLiteral(millis))):
            return _window(name, _held(inner, history, at - millis), Decimal(1))
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


Held = list[tuple[Millis, Decimal]]
"""The readings in a window that have a value."""


def _held(inner: Node, history: History, since: Millis) -> Held:
    values = [
        (at, quantity(inner, history[: n + 1], at))
        for n, (at, _) in enumerate(history)
        if at >= since
    ]
    return [(at, value) for at, value in values if value is not None]


def _since(begins: time, inner: Node, history: History, at: Millis) -> Decimal | None:
    """The change since a time of day in UTC."""
    now = datetime.fromtimestamp(at / 1_000, UTC)
    start = datetime.combine(now.date(), begins, UTC)
    if start > now:
        start -= timedelta(days=1)
    began = round(start.timestamp() * 1_000)
    held = _held(inner, history, began - HOUR)
    before = [value for instant, value in held if instant <= began]
    if not held or held[-1][0] < began:
        return None
    return _arithmetic("-", held[-1][1], before[-1] if before else held[0][1])


PLAINLY: dict[str, Callable[[list[Decimal]], Decimal]] = {
    "abs": lambda values: max(values[0], values[0].copy_negate()),
    "least": min,
    "greatest": max,
}

KNOWN_FROM = (
    dict.fromkeys(["min", "max", "avg", "median", "sum", "count", "first", "last", "stddev"], 1)
    | dict.fromkeys(["delta", "change", "drop", "rise"], 2)
    | dict.fromkeys(["slope", "time_to"], 3)
    | dict.fromkeys(["zscore", "spike"], 10)
)
"""SEMANTICS C2."""


def _window(  # noqa: C901, PLR0911, PLR0912 - the language is a list, and this is its plainest form
    name: str, held: Held, further: Decimal | None
) -> Decimal | None:
    if len(held) < KNOWN_FROM[name] or further is None:
        return None
    values = [value for _, value in held]
    first, last = values[0], values[-1]
    match name:
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "first":
            return first
        case "last":
            return last
        case "count":
            return Decimal(len(values))
        case "delta":
            return _arithmetic("-", last, first)
        case "change":
            return _growth(last, first)
        case "rise":
            return _growth(last, min(values))
        case "drop" if max(values) <= 0:
            return Decimal(0) if last == max(values) else Decimal("Infinity")
        case "drop":
            return _share(max(values), last, max(values))
        case "median":
            return _median(values)
        case "sum" | "avg":
            return _sum(values, len(values) if name == "avg" else 1)
        case "time_to":
            return _time_to(held, further)
        case _ if not all(value.is_finite() for value in values):
            return None
        case "slope":
            slope = _slope(held)
            return None if slope is None else _rounded(slope * 3_600_000)
        case "stddev":
            return _root(_variance(values))
        case "zscore":
            distance = abs(Fraction(last) - _mean(values))
            return _root(distance**2 / max(_variance(values), Fraction(further) ** 2))
        case "spike":
            centre = _middle([Fraction(value) for value in values])
            spread = Fraction("1.4826") * _middle(
                [abs(Fraction(value) - centre) for value in values]
            )
            return _rounded(abs(Fraction(last) - centre) / max(spread, Fraction(further)))
        case _:
            raise AssertionError(name)


def _rounded(value: Fraction) -> Decimal:
    return PLAIN.divide(Decimal(value.numerator), Decimal(value.denominator))


def _root(value: Fraction) -> Decimal:
    wide = Context(prec=500)
    return PLAIN.plus(wide.sqrt(wide.divide(Decimal(value.numerator), Decimal(value.denominator))))


def _share(minuend: Decimal, subtrahend: Decimal, whole: Decimal) -> Decimal | None:
    if minuend.is_finite() and subtrahend.is_finite() and whole.is_finite():
        return _rounded((Fraction(minuend) - Fraction(subtrahend)) / Fraction(whole))
    part = _arithmetic("-", minuend, subtrahend)
    return None if part is None else _arithmetic("/", part, whole)


def _growth(last: Decimal, base: Decimal) -> Decimal | None:
    if base == 0:
        return Decimal(0) if last == 0 else Decimal("Infinity").copy_sign(last)
    return _share(last, base, base)


def _mean(values: list[Decimal]) -> Fraction:
    return sum(map(Fraction, values), Fraction(0)) / len(values)


def _variance(values: list[Decimal]) -> Fraction:
    mean = _mean(values)
    return sum(((Fraction(value) - mean) ** 2 for value in values), Fraction(0)) / len(values)


def _middle(values: list[Fraction]) -> Fraction:
    ordered, count = sorted(values), len(values)
    return (ordered[(count - 1) // 2] + ordered[count // 2]) / 2


def _median(values: list[Decimal]) -> Decimal | None:
    ordered, count = sorted(values), len(values)
    low, high = ordered[(count - 1) // 2], ordered[count // 2]
    if low == high:
        return low
    if low.is_finite() and high.is_finite():
        return _rounded((Fraction(low) + Fraction(high)) / 2)
    return _arithmetic("+", low, high)


def _sum(values: list[Decimal], count: int) -> Decimal | None:
    infinite = [value for value in values if value.is_infinite()]
    if infinite:
        return infinite[0] if len(set(infinite)) == 1 else None
    return _rounded(sum(map(Fraction, values), Fraction(0)) / count)


def _slope(held: Held) -> Fraction | None:
    """Per millisecond."""
    count = len(held)
    middle = Fraction(sum(at for at, _ in held), count)
    mean = _mean([value for _, value in held])
    spread = sum(((at - middle) ** 2 for at, _ in held), Fraction(0))
    return (
        sum(((at - middle) * (Fraction(value) - mean) for at, value in held), Fraction(0)) / spread
        if spread
        else None
    )


def _time_to(held: Held, level: Decimal) -> Decimal | None:
    first, last = held[0][1], held[-1][1]
    first = (
        last if first == level else first
    )  # a window that began on the level has no side of its own
    if first == level or (last <= level if first > level else last >= level):
        return Decimal(0)
    if not all(value.is_finite() for _, value in held):
        return None
    slope = _slope(held)
    if slope is None:
        return None
    if slope == 0 or (slope < 0) is not (first > level) or level.is_infinite():
        return Decimal("Infinity")
    return _rounded((Fraction(level) - Fraction(last)) / slope)
