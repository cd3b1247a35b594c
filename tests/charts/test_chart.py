"""The value of a chart, and its way to the process that draws it (daemon/charts/chart.py)."""

from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.charts.chart import Chart, ChartSpan, Level, Point, Unit, common_span, decode, encode

T = TypeVar("T")

INSTANTS = st.integers(0, 2**42)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False)
SPANS = st.builds(ChartSpan, INSTANTS, INSTANTS)


def few(values: st.SearchStrategy[T], min_size: int = 0) -> st.SearchStrategy[tuple[T, ...]]:
    """Short series only: long ones take most of the time and show no more."""
    return st.lists(values, min_size=min_size, max_size=4).map(tuple)


CHARTS = st.builds(
    Chart,
    field=st.text(),
    account=st.text(),
    span=SPANS,
    zone=st.sampled_from([None, ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")]),
    unit=st.sampled_from(Unit),
    lines=few(few(st.builds(Point, INSTANTS, NUMBERS), min_size=1)),
    gaps=few(SPANS),
    infinite=few(SPANS),
    levels=few(st.builds(Level, NUMBERS, st.text(), st.booleans())),
    firing=few(SPANS),
    title=st.text(),
    note=st.text(),
    begins=st.none() | INSTANTS,
)


@given(few(CHARTS, min_size=1))
def test_f8_charts_arrive_as_they_were(charts: tuple[Chart, ...]) -> None:
    """F8: as JSON they keep every digit, the zone and what stands in them."""
    arrived = decode(encode(charts))
    assert arrived == charts
    assert list(map(digits, arrived)) == list(map(digits, charts))


def digits(chart: Chart) -> list[str]:
    return [str(point.value) for line in chart.lines for point in line]


def test_f8_what_is_no_chart_is_refused() -> None:
    """F8: the render process ends with a reason and no picture when it cannot read the charts."""
    with pytest.raises(msgspec.DecodeError):
        decode(b'[{"field": "available_margin"}]')


def test_f8_the_last_value_is_that_of_the_last_line() -> None:
    """F8: it is what the picture names; without readings there is none."""
    span = ChartSpan(0, 10)
    lines = ((Point(1, Decimal(5)), Point(2, Decimal(6))), (Point(7, Decimal(4)),))
    assert Chart("available_margin", "main", span, lines=lines).last == Point(7, Decimal(4))
    assert Chart("available_margin", "main", span).last is None


def test_f8_the_time_axis_of_a_picture_holds_all_its_records() -> None:
    """F8: an account without a record by then does not stretch it, unless it is alone."""
    old = Chart("available_margin", "main", ChartSpan(5, 10))
    young = Chart("available_margin", "desk", ChartSpan(7, 10), begins=7)
    unborn = Chart("available_margin", "grid", ChartSpan(0, 10), begins=10)
    assert common_span([young, old, unborn]) == ChartSpan(5, 10)
    assert common_span([young, unborn]) == ChartSpan(7, 10)
    assert common_span([unborn]) == ChartSpan(0, 10)
