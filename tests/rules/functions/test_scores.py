"""`zscore` and `spike`: how unusual the last value is."""

from decimal import Decimal

import pytest

from tests.rules import naive
from tests.rules.functions.sliding import slid, steady, worth

CALM = ["100"] * 9


@pytest.mark.parametrize("name", ["zscore", "spike"])
def test_c2_known_from_ten(name: str) -> None:
    """C2: nine readings are too few."""
    assert slid(name, 60_000, *steady(*CALM, "100"), further="1")[8:] == [None, "0"]


def test_c3_zscore() -> None:
    """C3: the distance from the mean in standard deviations of the population."""
    assert slid("zscore", 60_000, *steady(*CALM, "200"), further="1")[-1] == "3"
    assert slid("zscore", 60_000, *steady(*CALM, "0"), further="1")[-1] == "3"


def test_c3_spike_is_not_fooled_by_itself() -> None:
    """C3: distance from the median in 1.4826 MAD, which the spike itself hardly moves."""
    assert slid("spike", 60_000, *steady(*CALM, "200"), further="1")[-1] == "100"
    noise = ["98", "102", "98", "102", "100", "98", "102", "98", "102", "100"]
    assert (
        slid("spike", 60_000, *steady(*noise, "160"), further="1")[-1]
        == "20.23472278429785511938486443"
    )
    assert (
        slid("spike", 60_000, *steady(*noise, "40"), further="1")[-1]
        == "20.23472278429785511938486443"
    )


def test_c3_least_is_divided_by_at_least() -> None:
    """C3: the deviation or the least, whichever is larger; 1 when nothing is said."""
    assert slid("zscore", 60_000, *steady(*CALM, "200"), further="30")[-1] == "3"
    assert slid("zscore", 60_000, *steady(*CALM, "200"), further="45")[-1] == "2"
    assert slid("spike", 60_000, *steady(*CALM, "200"), further="50")[-1] == "2"
    values = ["0", *["0.5"] * 9, "4.5"]
    assert (
        worth("spike(al_margin, 1h)", *values)[-1]
        == worth("spike(al_margin, 1h, 1)", *values)[-1]
        == "4"
    )
    assert worth("spike(al_margin, 1h, 50%)", *values)[-1] == "8"
    assert worth("zscore(al_margin, 1h)", *CALM, "101")[-1] == "0.9"


@pytest.mark.parametrize("name", ["zscore", "spike"])
def test_c4_among_infinities(name: str) -> None:
    """C4: how far values scatter around infinity is unknown, until it has left."""
    for infinity in ("Infinity", "-Infinity"):
        shown = slid(name, 9_000, *steady(infinity, *CALM, "100"), further="1")
        assert shown[9:] == [None, "0"]


def equals_recomputation(values: list[str]) -> bool:
    """Whether every spike over a growing window is that of a recomputation."""
    told = [(at, Decimal(value)) for at, value in steady(*values)]
    shown = slid("spike", 10_000_000, *steady(*values), further="0.001")
    wanted = [
        naive._window("spike", told[: count + 1], Decimal("0.001")) for count in range(len(told))
    ]
    return [None if one is None else Decimal(one) for one in shown] == wanted


def test_spike_over_many_readings() -> None:
    """The nearest half is found wherever it moves to."""
    assert equals_recomputation([str(number % 100) for number in range(300)] + ["5000"] * 160)


def test_spike_finds_what_has_moved_far() -> None:
    """The nearest half is found even when one reading moves it to the other end and back."""
    low, high = [str(number) for number in range(50)], [str(1_000 + number) for number in range(50)]
    assert equals_recomputation(
        [*low, *high, "1050", "1051", "-1", "-2", "-3", "-4", "1052", "1053", "1054", "1055"]
    )
