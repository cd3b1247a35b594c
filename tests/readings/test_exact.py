"""Exact arithmetic: infinities, the unknown, and nobody else's context."""

from decimal import Decimal, Inexact, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.readings.exact import (
    CONTEXT,
    EXACT,
    added,
    divided,
    known,
    multiplied,
    negated,
    quotient,
    root,
    rounded,
    share,
    subtracted,
)

INF, NAN = "Infinity", "NaN"


def text(value: Decimal | None) -> str | None:
    """A value with its exact digits."""
    return None if value is None else str(value)


@pytest.mark.parametrize(
    ("value", "expected"), [("1.50", "1.50"), (INF, INF), (NAN, None), ("sNaN", None)]
)
def test_known(value: str, expected: str | None) -> None:
    """What is not a number is unknown; infinity is known."""
    assert text(known(Decimal(value))) == expected


def test_known_of_unknown() -> None:
    """The unknown stays unknown."""
    assert known(None) is None


@pytest.mark.parametrize(
    ("value", "expected"), [("5", "-5"), ("-5", "5"), ("0", "0"), ("1" * 40, "-" + "1" * 40)]
)
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
    assert [subtracted(inf, inf), added(inf, -inf), multiplied(inf, Decimal(0))] == [
        None,
        None,
        None,
    ]


def test_own_context() -> None:
    """Promise 7: 28 digits half-even, whatever the thread's context says, and without traps."""
    with localcontext() as context:
        context.prec = 1
        assert text(added(Decimal("123.456"), Decimal("0.001"))) == "123.457"
        assert text(multiplied(Decimal("1.5"), Decimal("1.5"))) == "2.25"
    assert (CONTEXT.prec, CONTEXT.rounding, any(CONTEXT.traps.values())) == (
        28,
        "ROUND_HALF_EVEN",
        False,
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1.500", "1.5"),
        ("100.00", "100"),
        ("-0.00", "0"),
        ("1E+2", "100"),
        (INF, INF),
        ("1" * 28 + "5", "1." + "1" * 26 + "2E+28"),
    ],
)
def test_rounded(value: str, expected: str) -> None:
    """Promise 7: rounded once, and spelled the same whatever zeros a sum has gathered."""
    assert text(rounded(Decimal(value))) == expected


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        ("1.0", "4", "0.25"),
        ("-0", "3", "0"),
        ("600", "3", "200"),
        (INF, "2", INF),
        (INF, INF, None),
    ],
)
def test_quotient(part: str, whole: str, expected: str | None) -> None:
    """Promise 7: exact values are divided and rounded once; of infinities there is no quotient."""
    assert text(quotient(Decimal(part), Decimal(whole))) == expected


def test_exact_loses_nothing() -> None:
    """Promise 7: sums and products of any length are exact; an inexact result raises."""
    far = EXACT.add(Decimal("1e500"), Decimal("1e-500"))
    assert EXACT.subtract(far, Decimal("1e500")) == Decimal("1e-500")
    assert EXACT.traps[Inexact]


def test_root_of_nothing() -> None:
    """The root of 0 is 0."""
    assert text(root(Decimal("0.00"), 7)) == "0"


def test_root_of_much() -> None:
    """Roots of the largest numbers are as good as of small ones."""
    assert root(Decimal("4e100"), 1) == Decimal("2e50")
    assert text(root(Decimal("2e100"), 1)) == "1.414213562373095048801688724E+50"


@given(st.integers(0, 10**40), st.integers(1, 10**20), st.integers(-30, 30))
def test_roots_are_rounded_once(part: int, whole: int, places: int) -> None:
    """Promise 7: a root is correct to 28 digits: at most half of the last digit away."""
    given = Decimal(part).scaleb(places)
    found = root(given, whole)
    wanted = Fraction(given) / whole
    half = Fraction(Decimal(1).scaleb(found.adjusted() - 27)) / 2 if found else Fraction(0)
    assert (Fraction(found) - half) ** 2 <= wanted <= (Fraction(found) + half) ** 2


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("1" * 27 + "25", "1" * 27 + "2"),
        ("1" * 27 + "35", "1" * 27 + "4"),
        ("1" * 27 + "45", "1" * 27 + "4"),
    ],
)
def test_roots_in_the_middle_go_to_the_even_digit(digits: str, expected: str) -> None:
    """Promise 7: a root in the middle is rounded half-even, any more than that upwards."""
    square = int(digits) ** 2
    assert root(Decimal(square), 1) == Decimal(expected + "0")
    assert (
        root(EXACT.add(Decimal(square), Decimal("1e-60")), 1) == Decimal(int(digits[:-1]) + 1) * 10
    )
