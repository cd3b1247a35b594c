"""Arithmetic on amounts: exact, or rounded once to 28 digits half-even, and never by the thread's own context.

New threads start with Python's default context, which traps and may have been changed by anyone; everything that
judges computes through these functions instead. None is unknown; so is what has no value (`∞ - ∞`, `0 ÷ 0`).
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal

CONTEXT = Context(prec=28, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, capitals=1, clamp=0, traps=[])

INFINITY = Decimal("Infinity")


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
    """How much of `whole` is `part` (SEMANTICS C4): of nothing or less, anything is +∞ and nothing is 0."""
    if whole > 0:
        return known(CONTEXT.divide(part, whole))
    return INFINITY if part > 0 else Decimal(0)
