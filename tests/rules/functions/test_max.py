"""`max`: the extreme of a window."""

from tests.rules.functions.sliding import slid


def test_max() -> None:
    """C2: known from one reading; the highest value held, back down when that has left."""
    assert slid("max", 10, (0, "5"), (5, "7"), (10, "6"), (15, "1"), (16, "2")) == [
        "5",
        "7",
        "7",
        "7",
        "6",
    ]


def test_max_of_infinities() -> None:
    """C4: infinities compare as such."""
    assert slid("max", 10, (0, "-Infinity"), (1, "2"), (2, "Infinity")) == [
        "-Infinity",
        "2",
        "Infinity",
    ]
