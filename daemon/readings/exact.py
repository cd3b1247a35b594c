"""Arithmetic on amounts: exact, or rounded once to 28 digits half-even.

The context of the thread is never used: new threads start with Python's default context, which
traps and may have been changed by anyone. All code that judges computes through these functions.
None is unknown, and so is a result that has no value (`∞ - ∞`, `0 ÷ 0`).
"""

from collections.abc import Iterable
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, Inexact
from math import isqrt

CONTEXT = Context(
    prec=28, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, capitals=1, clamp=0, traps=[]
)

EXACT = Context(
    prec=MAX_PREC,
    rounding=ROUND_HALF_EVEN,
    Emin=MIN_EMIN,
    Emax=MAX_EMAX,
    capitals=1,
    clamp=0,
    traps=[Inexact],
)
"""Context for sums, differences and products that must keep every digit.

A sum that is carried along then equals the recomputed sum (promise 7). The context has room for any
number of digits and uses only those it needs, so it must never divide.
"""

INFINITY = Decimal("Infinity")
ZERO = Decimal(0)

_DIGITS = 30
"""Digits of a root before it is rounded to 28."""


def known(value: Decimal | None) -> Decimal | None:
    """Value if it is a number; NaN is unknown."""
    return None if value is None or value.is_nan() else value


def negated(value: Decimal) -> Decimal:
    """Negation, exact for any number of digits."""
    return value.copy_negate() if value else value


def added(left: Decimal, right: Decimal) -> Decimal | None:
    return known(CONTEXT.add(left, right))


def subtracted(left: Decimal, right: Decimal) -> Decimal | None:
    return known(CONTEXT.subtract(left, right))


def total(parts: Iterable[Decimal]) -> Decimal | None:
    """Sum of several numbers, rounded once."""
    exact = ZERO
    for part in parts:
        exact = EXACT.add(exact, part)
    return known(CONTEXT.plus(exact))


def multiplied(left: Decimal, right: Decimal) -> Decimal | None:
    return known(CONTEXT.multiply(left, right))


def divided(left: Decimal, right: Decimal) -> Decimal | None:
    """Quotient as of the operator `/` (SEMANTICS C4): x ÷ 0 is ±∞, 0 ÷ 0 unknown."""
    if right:
        return known(CONTEXT.divide(left, right))
    if left:
        return INFINITY if left > 0 else INFINITY.copy_negate()
    return None


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """Share of `part` in `whole` (SEMANTICS C4). If `whole` is 0 or less: +∞, or 0 if `part` is."""
    if whole > 0:
        return known(CONTEXT.divide(part, whole))
    return INFINITY if part > 0 else Decimal(0)


def rounded(value: Decimal) -> Decimal:
    """Round an exact value once, without trailing zeros that a carried sum has left."""
    # Adding 0 turns 1E+2 into 100, and -0 into 0.
    return CONTEXT.add(CONTEXT.normalize(value), ZERO)


def quotient(part: Decimal, whole: Decimal | int) -> Decimal | None:
    """Quotient of exact values, rounded once, without trailing zeros; `whole` is not 0."""
    return known(rounded(CONTEXT.divide(part, whole)))


def growth(last: Decimal, first: Decimal) -> Decimal | None:
    """Growth `(last - first) ÷ first`, rounded once; from 0 it is ±∞, or 0 for no change (C4)."""
    grown = EXACT.subtract(last, first)
    if first:
        return quotient(grown, first)
    return INFINITY.copy_sign(grown) if grown else ZERO


def root(part: Decimal, whole: Decimal | int) -> Decimal:
    """Square root of `part ÷ whole`, rounded once, for exact finite values.

    `part` is at least 0, `whole` above 0. The root is computed in integers: a rounded quotient does
    not tell on which side of the middle between two decimals the true value lies.
    """
    if not part:
        return ZERO
    upper, lower = part.as_integer_ratio()
    lower_of_whole, upper_of_whole = whole.as_integer_ratio()
    numerator, denominator = upper * upper_of_whole, lower * lower_of_whole
    places = _DIGITS - (part.adjusted() - Decimal(whole).adjusted()) // 2
    if places >= 0:
        numerator *= 10 ** (2 * places)
    else:
        denominator *= 10 ** (-2 * places)
    digits = isqrt(numerator // denominator)
    # One more digit says that the true value is above these digits, so that half-even rounding
    # decides as if it saw all of them.
    digits = 10 * digits + (digits * digits * denominator != numerator)
    return rounded(Decimal(digits).scaleb(-places - 1, EXACT))
