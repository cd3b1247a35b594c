"""`change`, `rise`, `drop`: growth and fall as fractions."""

import pytest

from tests.rules.functions.sliding import slid


def pair(name: str, first: str, last: str) -> str | None:
    """The function over two values."""
    return slid(name, 10, (0, first), (1, last))[-1]


@pytest.mark.parametrize("name", ["change", "rise", "drop"])
def test_c2_known_from_two(name: str) -> None:
    """C2: of one reading nothing is known."""
    assert slid(name, 10, (0, "5"), (11, "5"), (12, "5")) == [None, None, "0"]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("100", "80", "-0.2"),
        ("100", "150", "0.5"),
        ("3", "4", "0.3333333333333333333333333333"),
        ("0", "5", "Infinity"),
        ("0", "-5", "-Infinity"),
        ("0", "0", "0"),
        ("-0", "0.00", "0"),
        ("-10", "-5", "-0.5"),
        ("-10", "-10", "0"),
        ("1", "Infinity", "Infinity"),
        ("Infinity", "Infinity", None),
        ("Infinity", "1", None),
    ],
)
def test_c3_c4_change(first: str, last: str, expected: str | None) -> None:
    """C3, C4: (last - first) ÷ first; from 0 anything is infinitely much, and nothing is 0."""
    assert pair("change", first, last) == expected


def test_c3_rise_is_from_the_lowest() -> None:
    """C3, C4: (last - min) ÷ min, wherever in the window the lowest was."""
    assert slid("rise", 10, (0, "50"), (5, "40"), (10, "90"), (16, "90")) == [
        None,
        "0",
        "1.25",
        "0",
    ]
    assert [pair("rise", "0", "5"), pair("rise", "5", "0"), pair("rise", "0", "0")] == [
        "Infinity",
        "0",
        "0",
    ]
    assert pair("rise", "-10", "5") == "-1.5"


def test_c3_drop_is_from_the_highest() -> None:
    """C3: (max - last) ÷ max, wherever in the window the highest was."""
    assert slid("drop", 10, (0, "400"), (5, "500"), (10, "350"), (16, "350")) == [
        None,
        "0",
        "0.3",
        "0",
    ]
    assert pair("drop", "Infinity", "1") is None


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("0", "-5", "Infinity"),
        ("-5", "-6", "Infinity"),
        ("-5", "-5", "0"),
        ("-5", "0", "0"),
        ("0", "0.0", "0"),
    ],
)
def test_c3_drop_below_nothing(first: str, last: str, expected: str) -> None:
    """C3: below a highest value of 0 or less, 0 when nothing fell, else +∞."""
    assert pair("drop", first, last) == expected


def test_rounded_once() -> None:
    """Promise 7: the difference is exact before it is divided."""
    assert (
        pair("change", "3", "3.00000000000000000000000000000001")
        == "3.333333333333333333333333333E-33"
    )
