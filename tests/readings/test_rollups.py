"""Rollups of one hour: exact figures, and how much of it was seen."""

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from daemon.readings.rollups import (
    ENDLESS,
    FieldRollup,
    HourRollup,
    absences,
    hour_of,
    joined,
    roll_up,
    roll_up_field,
)
from daemon.types import HOUR, MINUTE, MissReason, Reading
from tests.values import T0, reading

FIRST = T0 + 10 * MINUTE


def some(*margins: str) -> list[Reading]:
    """Readings of the hour at T0, a minute apart, the first at ten past."""
    return [
        reading(seq, FIRST + seq * MINUTE, available_margin=margin)
        for seq, margin in enumerate(margins)
    ]


def test_an_hour_in_figures() -> None:
    """First, last, low, high, sum and mean of each field that was sent."""
    found = roll_up(T0, some("5", "1", "9", "3"), (), {})
    field = found.fields["available_margin"]
    assert field == FieldRollup(4, *map(Decimal, ("5", "3", "1", "9", "18")))
    assert (field.mean, len(found.fields)) == (Decimal("4.5"), 5)
    assert "cross_un_pnl" not in found.fields


def test_an_hour_without_readings_has_only_misses() -> None:
    """Nothing is known of it."""
    assert roll_up(T0, [], [(T0, T0 + HOUR)], {MissReason.TIMEOUT: 7}) == HourRollup(
        T0, misses={MissReason.TIMEOUT: 7}
    )


def test_digits_beyond_a_float_are_kept() -> None:
    """The sum has all of them."""
    found = roll_up_field("available_margin", some("0.1000000000000000000001", "1e20"))
    assert found is not None
    assert found.sum == Decimal("100000000000000000000.1000000000000000000001")


def test_unknown_values_count_for_nothing() -> None:
    """NaN and fields that were not sent."""
    found = roll_up_field("available_margin", some("NaN", "2"))
    assert found is not None
    assert (found.readings, found.low) == (1, Decimal(2))
    assert roll_up_field("cross_un_pnl", some("1")) is None


def test_the_time_before_the_first_reading_is_neither_seen_nor_a_gap() -> None:
    """It may not have been watched at all."""
    found = roll_up(T0, some("1"), (), {})
    assert (found.covered, found.gap) == (50 * MINUTE, 0)


def test_gaps_are_counted_once_and_within_the_hour() -> None:
    """Overlapping ones, one that began before, one that lasts, and one that is turned around."""
    spans = [
        (T0 - HOUR, T0 + MINUTE),
        (T0 + 20 * MINUTE, T0 + 30 * MINUTE),
        (T0 + 25 * MINUTE, T0 + 26 * MINUTE),
        (T0 + 28 * MINUTE, T0 + 40 * MINUTE),
        (T0 + 50 * MINUTE, ENDLESS),
        (T0 + 45 * MINUTE, T0 + 44 * MINUTE),
    ]
    found = roll_up(T0, some("1"), spans, {})
    assert (found.gap, found.covered) == (31 * MINUTE, 20 * MINUTE)


def test_failed_attempts_make_a_gap_from_reading_to_reading() -> None:
    """Two runs of misses, and one that lasts; before the first reading from the first miss."""
    inputs = [(1, 10, False), (2, 20, True), (3, 30, True), (4, 40, False), (5, 50, False)]
    more = [(6, 60, True), (7, 70, False)]
    assert list(absences([*inputs, *more])) == [(10, 20), (30, 60), (60, ENDLESS)]
    assert list(absences([])) == []


@given(st.integers(0, 2**45))
def test_an_hour_holds_its_instants(at: int) -> None:
    """It begins at or before, and ends after."""
    assert hour_of(at) <= at < hour_of(at) + HOUR
    assert hour_of(at) % HOUR == 0


amounts = st.decimals(-(10**20), 10**20, allow_nan=False, allow_infinity=False, places=12)


@given(st.lists(st.lists(amounts, min_size=1, max_size=5), min_size=1, max_size=5))
def test_parts_join_to_the_whole(parts: Sequence[Sequence[Decimal]]) -> None:
    """The figures of a day are those of its hours, exactly."""

    def rolled(values: Sequence[Decimal]) -> FieldRollup:
        found = roll_up_field("available_margin", some(*map(str, values)))
        assert found is not None
        return found

    whole = [value for part in parts for value in part]
    assert joined([rolled(part) for part in parts]) == rolled(whole)
