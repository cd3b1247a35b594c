"""Sum check of the fields (B6), which never blocks a reading."""

from dataclasses import replace
from decimal import Decimal

import pytest

from daemon.readings.sum_check import Expectation, check_sum, check_sums
from daemon.types import Balances, Input, Quality, Reading, Unconfirmed
from tests.values import T0, miss, reading


def sent(
    whole: str | None, usdt: str = "500", gold: str = "0", quality: Quality = Quality.OK
) -> Reading:
    margin = None if whole is None else Decimal(whole)
    return replace(reading(1, T0, quality), balances=Balances(margin, Decimal(usdt), Decimal(gold)))


GOOD, BAD = sent("500"), sent("400")


def test_b6_three_readings_in_a_row_switch_it_off_for_good() -> None:
    """B6: then, and not before; it stays off."""
    assert check_sums([BAD, BAD, GOOD, BAD, BAD]) == Expectation(2)
    assert check_sums([BAD, BAD, BAD]).off
    assert check_sums([BAD, BAD, BAD, GOOD]).off


@pytest.mark.parametrize(
    ("whole", "holds"), [("500.000001", True), ("500.0000011", False), ("499.9999989", False)]
)
def test_b6_the_tails_of_floats_are_no_failure(whole: str, holds: bool) -> None:
    """B6: more than 1e-6 apart is."""
    assert (check_sum(Expectation(), sent(whole)) == Expectation()) == holds


@pytest.mark.parametrize(
    "event",
    [
        sent(None),
        sent("NaN"),
        sent("400", quality=Quality.SUSPECT),
        sent("400", quality=Quality.STALE),
        miss(2),
    ],
)
def test_b6_what_lacks_a_field_or_is_not_judged_tells_nothing(event: Input) -> None:
    """B6: neither for nor against it."""
    assert check_sum(Expectation(2), event) == Expectation(2)


def test_b6_infinities_tell_nothing() -> None:
    """B6: what has no difference is not compared."""
    assert check_sum(Expectation(2), sent("Infinity", "Infinity")) == Expectation(2)
    assert check_sum(Expectation(2), sent("1", "Infinity", "-Infinity")) == Expectation(2)


def test_b6_an_unconfirmed_reading_counts() -> None:
    """B6: it is judged."""
    assert check_sum(Expectation(2), Unconfirmed(2, T0, replace(BAD, quality=Quality.SUSPECT))).off
