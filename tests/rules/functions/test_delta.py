"""`delta`: how far the last value of a window is from its first."""

from tests.rules.functions.sliding import slid


def test_delta() -> None:
    """C3: last - first, known from two readings, negative when the value fell."""
    assert slid("delta", 10, (0, "5"), (5, "3"), (10, "9"), (15, "9"), (26, "1")) == [
        None,
        "-2",
        "4",
        "6",
        None,
    ]


def test_delta_at_one_instant() -> None:
    """C1: readings of the same instant keep their order."""
    assert slid("delta", 10, (0, "5"), (0, "8")) == [None, "3"]


def test_delta_rounds_once() -> None:
    """Promise 7: the difference of long numbers is exact as far as 28 digits go."""
    long_ = "996660.6064387699998485"
    assert slid("delta", 10, (0, long_), (1, "996660.6064387699998486")) == [None, "1E-16"]
    assert slid("delta", 10, (0, "1e-28"), (1, "10")) == [None, "10.00000000000000000000000000"]


def test_delta_of_infinities() -> None:
    """C4: from a number to infinity is infinite; between infinities nothing is known."""
    assert slid("delta", 10, (0, "1"), (1, "Infinity"), (11, "Infinity")) == [
        None,
        "Infinity",
        None,
    ]
