"""The vertical axis (daemon/charts/value_axis.py): round numbers, and room for what matters."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.charts.chart import Unit
from daemon.charts.value_axis import (
    MOST,
    NARROW,
    Scale,
    format_exact,
    format_short,
    make_scale,
)
from daemon.types import HOUR, MINUTE

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False)
AMOUNTS = st.decimals(-(10**12), 10**12, places=8)


def of(*values: str, levels: Sequence[str] = (), unit: Unit = Unit.USDT) -> Scale:
    return make_scale([Decimal(each) for each in values], [Decimal(each) for each in levels], unit)


def written(found: Scale) -> list[str]:
    return [label.replace(NARROW, " ") for _, label in found.ticks]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("92.19527741", "340"), ["100", "200", "300"]),
        (("999999995.5", "1000000004.5"), ["999 999 995", "1 000 000 000", "1 000 000 005"]),
        (("0.00000001", "0.00000004"), ["0.00000001", "0.00000002", "0.00000003", "0.00000004"]),
        (("1e-12", "4e-12"), ["1e-12", "2e-12", "3e-12", "4e-12"]),
        (("1e15", "4e15"), ["1e15", "2e15", "3e15", "4e15"]),
        (("-30", "-10"), ["-30", "-25", "-20", "-15", "-10"]),
        (("0.4", "1.0"), ["0.4", "0.6", "0.8", "1.0"]),
        (("500",), ["480", "500", "520"]),
        (("0",), ["-0.05", "0.00", "0.05"]),
    ],
)
def test_f8_ticks_are_round_numbers(values: Sequence[str], expected: list[str]) -> None:
    """F8: from a hundred-millionth to a billion, below zero, and of a value that never moved."""
    assert written(of(*values)) == expected


def test_f8_durations_are_counted_as_people_do() -> None:
    """F8: in hours and minutes, not in thousands of milliseconds."""
    found = make_scale([Decimal(20 * MINUTE), Decimal(2 * HOUR)], [], Unit.DURATION)
    assert written(found) == ["30 min", "1 h", "1 h 30 min", "2 h"]
    assert format_short(Decimal(90 * MINUTE), found.step, unit=Unit.DURATION) == "1 h 30 min"
    assert format_exact(Decimal(2 * MINUTE), Unit.DURATION) == "2 min"


def test_f8_nothing_has_a_scale_without_numbers() -> None:
    """F8: a picture without readings and levels."""
    assert make_scale([], []) == Scale(Decimal(0), Decimal(1))


def test_f8_a_level_belongs_to_the_picture_unless_it_flattens_the_line() -> None:
    """F8: a level is in the picture, unless it flattens a billion that moves by cents."""
    assert of("340", "90", levels=["100", "120", "50"]).holds(Decimal(50))
    assert of("500", levels=["100"]).holds(Decimal(100))
    far = of("999999999.95", "1000000000.05", levels=["100"])
    assert not far.holds(Decimal(100))
    assert far.holds(Decimal("999999999.95"))


@given(st.lists(NUMBERS, min_size=1, max_size=5), st.lists(NUMBERS, max_size=3))
def test_f8_every_value_has_its_place(values: list[Decimal], levels: list[Decimal]) -> None:
    """F8: higher values are higher and within; ticks are few, ascending, at their own values."""
    found = make_scale(values, levels)
    heights = [found.height(value) for value in sorted(values)]
    assert heights == sorted(heights)
    assert all(0 <= height <= 1 for height in heights)
    assert len(found.ticks) <= MOST + 1
    assert all(before < after for (before, _), (after, _) in pairwise(found.ticks))
    assert all(found.holds(at) for at, _ in found.ticks)


@given(st.lists(AMOUNTS, min_size=1, max_size=5))
def test_f8_a_tick_says_its_own_value(values: list[Decimal]) -> None:
    """F8: all with the same number of places, and exact."""
    found = make_scale(values, [])
    assert found.ticks
    assert [Decimal(label.replace(NARROW, "")) for _, label in found.ticks] == [
        at for at, _ in found.ticks
    ]
    assert len({len(label.partition(".")[2]) for _, label in found.ticks if "e" not in label}) <= 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("92.19527741", "92.20"),
        ("238.82184459000003", "238.82"),
        ("1391861234.51", "1 391 861 234.51"),
        ("0.5", "0.50"),
        ("0.52644", "0.5264"),
        ("0.000000123456", "0.0000001235"),
        ("1234567890123.45", "1.2345678901234e12"),
        ("500.00000000", "500.00"),
        ("-24.476", "-24.48"),
        ("0", "0.00"),
    ],
)
def test_f8_the_last_value_has_two_decimals(value: str, expected: str) -> None:
    """F8: or four digits, if it is below 1; and as many as the ticks beside it."""
    assert format_short(Decimal(value), Decimal(1)).replace(NARROW, " ") == expected


def test_f8_a_value_just_below_the_threshold_is_shown_below_it() -> None:
    """F8: 99.999999 is not 100 where the threshold is 100."""
    assert format_short(Decimal("99.999999"), Decimal(10), [Decimal(100)]) == "99.999999"
    assert format_short(Decimal("100.00049999"), Decimal(10), [Decimal(100)]) == "100.0005"
    assert format_short(Decimal("99.999999"), Decimal(10), [Decimal(120)]) == "100.00"


@given(AMOUNTS, AMOUNTS)
def test_f8_rounding_never_crosses_a_level(value: Decimal, level: Decimal) -> None:
    """F8: the number that is shown lies on the side of every level on which the value lies."""
    shown = Decimal(format_short(value, Decimal(1), [level]).replace(NARROW, ""))
    assert (shown > level, shown < level) == (value > level, value < level)


@given(AMOUNTS)
def test_f8_a_level_is_written_in_full(value: Decimal) -> None:
    """F8: a threshold is what the rule says."""
    assert Decimal(format_exact(value).replace(NARROW, "")) == value


def test_c4_percentages_are_written_as_such() -> None:
    """C4: Ticks, the last value, and levels."""
    values = [Decimal("0.123"), Decimal("0.9")]
    made = make_scale(values, [Decimal("0.8")], Unit.PERCENT)
    assert [label for _, label in made.ticks] == ["20%", "40%", "60%", "80%"]
    assert format_exact(Decimal("0.825"), Unit.PERCENT) == "82.5%"
    assert format_short(Decimal("0.79996"), made.step, [Decimal("0.8")], Unit.PERCENT) == "79.996%"
    assert format_short(Decimal("0.4295888100"), made.step, [], Unit.PERCENT) == "42.96%"
