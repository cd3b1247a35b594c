"""Arithmetic on amounts: exact, or rounded once to 28 digits half-even, and never by the thread's
own context.

New threads start with Python's default context, which traps and may have been changed by anyone;
everything that judges computes through these functions instead. None is unknown; so is what has no
value (`∞ - ∞`, `0 ÷ 0`).
"""

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
"""For sums, differences and products that no digit may leave, however many readings come and go:
carried along they are what they are recomputed (promise 7). It has room for any number of digits
and takes only those it needs, so it must never divide."""

INFINITY = Decimal("Infinity")
ZERO = Decimal(0)

_DIGITS = 30
"""Of a root before it is rounded to 28."""


def known(value: Decimal | None) -> Decimal | None:
    """The value, unless it is not a number: that is unknown."""
    return None if value is None or value.is_nan() else value


def negated(value: Decimal) -> Decimal:
    """Exact, whatever the number of digits."""
    return value.copy_negate() if value else value


def added(left: Decimal, right: Decimal) -> Decimal | None:
    return known(CONTEXT.add(left, right))


def subtracted(left: Decimal, right: Decimal) -> Decimal | None:
    return known(CONTEXT.subtract(left, right))


def multiplied(left: Decimal, right: Decimal) -> Decimal | None:
    return known(CONTEXT.multiply(left, right))


def divided(left: Decimal, right: Decimal) -> Decimal | None:
    """The operator `/` (SEMANTICS C4): positive ÷ 0 is +∞, negative ÷ 0 is -∞, 0 ÷ 0 unknown."""
    if right:
        return known(CONTEXT.divide(left, right))
    if left:
        return INFINITY if left > 0 else INFINITY.copy_negate()
    return None


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """How much of `whole` is `part` (SEMANTICS C4): of nothing or less, anything is +∞ and nothing
    is 0.
    """
    if whole > 0:
        return known(CONTEXT.divide(part, whole))
    return INFINITY if part > 0 else Decimal(0)


def rounded(value: Decimal) -> Decimal:
    """An exact value, rounded once, without idle zeros: those of a carried sum tell of what it once
    held.
    """
    # Adding 0 spells 1E+2 as 100, and -0 as 0.
    return CONTEXT.add(CONTEXT.normalize(value), ZERO)


def quotient(part: Decimal, whole: Decimal | int) -> Decimal | None:
    """The quotient of exact values, `whole` not being 0, rounded once and without idle zeros."""
    return known(rounded(CONTEXT.divide(part, whole)))


def growth(last: Decimal, first: Decimal) -> Decimal | None:
    """`(last - first) ÷ first`, rounded once; from 0 anything is infinitely much, and nothing is 0
    (SEMANTICS C4).
    """
    grown = EXACT.subtract(last, first)
    if first:
        return quotient(grown, first)
    return INFINITY.copy_sign(grown) if grown else ZERO


def root(part: Decimal, whole: Decimal | int) -> Decimal:
    """The square root of `part ÷ whole`, of exact finite values, `part` not below 0 and `whole`
    above: rounded once.

    In whole numbers, because neither a rounded quotient nor a root that was rounded before tells on
    which side of the middle between two decimals the true value lies.
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
    # One digit more says that the true value is above these digits: half-even is then decided as if
    # by all of them.
    digits = 10 * digits + (digits * digits * denominator != numerator)
    return rounded(Decimal(digits).scaleb(-places - 1, EXACT))
