"""`first`, `last`, `count`: what a window holds."""

from tests.rules.functions.sliding import slid, worth


def test_c3_first_and_last() -> None:
    """C3: the ends of the window as they were sent, known from one reading."""
    series = ((0, "5.00"), (5, "7"), (10, "6"), (15, "1e3"), (40, "2"))
    assert slid("first", 10, *series) == ["5.00", "5.00", "5.00", "7", "2"]
    assert slid("last", 10, *series) == ["5.00", "7", "6", "1E+3", "2"]


def test_c1_count_is_of_readings_with_a_value() -> None:
    """C1: by time, not by count; what is unknown at a reading is in no window of it."""
    assert worth("count(al_margin, 20s)", "5", None, "6", "7", None, None, None) == [
        "1",
        "1",
        "2",
        "2",
        "2",
        "1",
        None,
    ]
    assert worth("last(al_margin, 20s)", None, "5", None, None, None) == [None, "5", "5", "5", None]
