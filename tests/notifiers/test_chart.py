"""The value of a chart, and its way to the process that draws it (daemon/notifiers/chart.py)."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.notifiers.chart import Chart, Level, Point, Span, Unit, decode, encode

INSTANTS = st.integers(0, 2**42)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False)
SPANS = st.builds(Span, INSTANTS, INSTANTS)
CHARTS = st.builds(
    Chart,
    field=st.text(),
    account=st.text(),
    span=SPANS,
    zone=st.sampled_from([None, ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")]),
    unit=st.sampled_from(Unit),
    lines=st.lists(st.lists(st.builds(Point, INSTANTS, NUMBERS), min_size=1).map(tuple)).map(tuple),
    gaps=st.lists(SPANS).map(tuple),
    infinite=st.lists(SPANS).map(tuple),
    levels=st.lists(st.builds(Level, NUMBERS, st.text(), st.booleans())).map(tuple),
    firing=st.lists(SPANS).map(tuple),
    title=st.text(),
    note=st.text(),
)


@pytest.mark.no_cover
@given(CHARTS)
def test_f8_a_chart_arrives_as_it_was(chart: Chart) -> None:
    """F8: as JSON it keeps every digit, the zone and what stands in it."""
    arrived = decode(encode(chart))
    assert arrived == chart
    digits = [str(point.value) for line in chart.lines for point in line]
    assert [str(point.value) for line in arrived.lines for point in line] == digits


def test_f8_what_is_no_chart_is_refused() -> None:
    """F8: the process that draws ends with a reason, and makes no picture of what it does not understand."""
    with pytest.raises(msgspec.DecodeError):
        decode(b'{"field": "available_margin"}')


def test_f8_the_last_value_is_that_of_the_last_line() -> None:
    """F8: it is what the picture names; without readings there is none."""
    span = Span(0, 10)
    lines = ((Point(1, Decimal(5)), Point(2, Decimal(6))), (Point(7, Decimal(4)),))
    assert Chart("available_margin", "main", span, lines=lines).last == Point(7, Decimal(4))
    assert Chart("available_margin", "main", span).last is None
