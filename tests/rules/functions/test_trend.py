"""`slope` and `time_to`: where it goes, and when it gets there."""

import pytest

from tests.rules.functions.sliding import slid, worth

MINUTE = 60_000


def series(*values: str) -> list[tuple[int, str]]:
    """A value every ten minutes."""
    return [(number * 10 * MINUTE, value) for number, value in enumerate(values)]


def test_c3_slope_is_per_hour() -> None:
    """C2, C3: least squares, in units per hour, known from three readings."""
    assert slid("slope", 30 * MINUTE, *series("200", "180", "160", "140", "190", "90")) == [
        None,
        None,
        "-120",
        "-120",
        "6",
        "-96",
    ]


def test_c3_no_slope_within_an_instant() -> None:
    """C3: readings of one instant have no trend; that is unknown, and no error."""
    assert slid("slope", 10, (0, "1"), (0, "2"), (0, "3"), (1, "3")) == [
        None,
        None,
        None,
        "3600000",
    ]


def test_c4_no_slope_among_infinities() -> None:
    """C4: the slope is unknown with an infinite value in the window, and known again without it."""
    assert slid(
        "slope", 2_000, *[(n * 1_000, v) for n, v in enumerate(["1", "Infinity", "3", "4", "5"])]
    ) == [
        None,
        None,
        None,
        None,
        "3600",
    ]


@pytest.mark.parametrize(
    ("values", "level", "expected"),
    [
        (("200", "180", "160"), "100", str(30 * MINUTE)),
        (("100", "120", "140"), "200", str(30 * MINUTE)),
        (("200", "180", "160"), "160", "0"),
        (("200", "180", "160"), "170", "0"),
        (("100", "120", "140"), "130", "0"),
        (("200", "300", "250"), "200", "Infinity"),
        (("200", "300", "200"), "200", "0"),
        (("200", "180", "200.5"), "200", "Infinity"),
        (("200", "250", "204"), "200", "Infinity"),
        (("0", "1000", "1000"), "0", "Infinity"),
        (("200", "220", "240"), "100", "Infinity"),
        (("200", "180", "160"), "300", "Infinity"),
        (("200", "200", "200"), "100", "Infinity"),
        (("200", "160", "180"), "Infinity", "Infinity"),
        (("200", "180", "160"), "-Infinity", "Infinity"),
        (("Infinity", "180", "160"), "100", None),
        (("300", "297", "290"), "0", "34800000"),
    ],
)
def test_c5_time_to(values: tuple[str, ...], level: str, expected: str | None) -> None:
    """C5: 0 at or beyond the level as seen from the window's first value, +∞ when the trend does
    not lead there.

    A window that began on the level is seen from its last value: to pay in from nothing is no
    reason to be warned.
    """
    shown = slid("time_to", 30 * MINUTE, *series(*values), further=level)[-1]
    assert (
        shown is None if expected is None else shown is not None and float(shown) == float(expected)
    )


def test_c5_within_an_instant() -> None:
    """C5: without a trend the time is unknown, unless the level is reached already."""
    assert slid("time_to", 10, (0, "3"), (0, "2"), (0, "1"), further="0") == [None, None, None]
    assert slid("time_to", 10, (0, "3"), (0, "2"), (0, "1"), further="1") == [None, None, "0"]


def test_c5_the_level_is_that_of_now() -> None:
    """C5: a moving level counts at this reading; with an unknown level the time is unknown."""
    told = "time_to(al_margin, least(min(al_margin, 10s) - 10, 40), 30s)"
    assert worth(told, "100", "90", "80", "70", None) == [None, None, "40000", "30000", "30000"]
    assert worth("time_to(al_margin, cross_un_pnl, 30s)", "3", "2", "1", "0") == [None] * 4
