"""`min`: the extreme of a window."""

from tests.rules.functions.sliding import slid


def test_min() -> None:
    """C2: known from one reading; the lowest value held, back up when that has left."""
    assert slid("min", 10, (0, "5"), (5, "3"), (10, "4"), (15, "9"), (16, "8")) == [
        "5",
        "3",
        "3",
        "3",
        "4",
    ]


def test_min_of_infinities() -> None:
    """C4: infinities compare as such."""
    assert slid("min", 10, (0, "Infinity"), (1, "2"), (2, "-Infinity")) == [
        "Infinity",
        "2",
        "-Infinity",
    ]
