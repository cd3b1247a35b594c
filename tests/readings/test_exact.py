"""Exact arithmetic: infinities, the unknown, and nobody else's context."""

from decimal import Decimal, localcontext

import pytest

from daemon.readings.exact import CONTEXT, added, divided, known, multiplied, negated, share, subtracted

INF, NAN = "Infinity", "NaN"


def text(value: Decimal | None) -> str | None:
    """A value with its exact digits."""
    return None if value is None else str(value)


@pytest.mark.parametrize(("value", "expected"), [("1.50", "1.50"), (INF, INF), (NAN, None), ("sNaN", None)])
def test_known(value: str, expected: str | None) -> None:
    """What is not a number is unknown; infinity is known."""
    assert text(known(Decimal(value))) == expected


def test_known_of_unknown() -> None:
    """The unknown stays unknown."""
    assert known(None) is None


@pytest.mark.parametrize(("value", "expected"), [("5", "-5"), ("-5", "5"), ("0", "0"), ("1" * 40, "-" + "1" * 40)])
def test_negated(value: str, expected: str) -> None:
    """A sign costs no digits, and there is one zero."""
    assert text(negated(Decimal(value))) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("1", "4", "0.25"),
        ("1", "0", INF),
        ("1", "-0", INF),
        ("-1", "0", "-Infinity"),
        ("0", "0", None),
        (INF, "0", INF),
        (INF, INF, None),
        ("1", INF, "0E-1000026"),
        ("2", "3", "0.6666666666666666666666666667"),
    ],
)
def test_divided(left: str, right: str, expected: str | None) -> None:
    """C4: positive ÷ 0 is infinite, negative ÷ 0 negatively so, 0 ÷ 0 unknown."""
    assert text(divided(Decimal(left), Decimal(right))) == expected


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        ("1", "4", "0.25"),
        ("5", "0", INF),
        ("5", "-3", INF),
        ("0", "0", "0"),
        ("0", "-3", "0"),
        ("-1", "0", "0"),
        (INF, INF, None),
    ],
)
def test_share(part: str, whole: str, expected: str | None) -> None:
    """C4: of nothing or less, anything is infinitely much, and nothing is 0."""
    assert text(share(Decimal(part), Decimal(whole))) == expected


def test_infinite_differences_are_unknown() -> None:
    """C4: what has no value is unknown, in every operation."""
    inf = Decimal(INF)
    assert [subtracted(inf, inf), added(inf, -inf), multiplied(inf, Decimal(0))] == [None, None, None]


def test_own_context() -> None:
    """Promise 7: 28 digits half-even, whatever the thread's context says, and without traps."""
    with localcontext() as context:
        context.prec = 1
        assert text(added(Decimal("123.456"), Decimal("0.001"))) == "123.457"
        assert text(multiplied(Decimal("1.5"), Decimal("1.5"))) == "2.25"
    assert (CONTEXT.prec, CONTEXT.rounding, any(CONTEXT.traps.values())) == (28, "ROUND_HALF_EVEN", False)
