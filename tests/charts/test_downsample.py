"""Reducing readings to lines (daemon/charts/downsample.py): extremes kept, no point invented."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.charts.chart import ChartSpan, Point
from daemon.charts.downsample import (
    COLUMNS,
    RECENT,
    ChartPoint,
    FieldLine,
    downsample,
    mark_gaps,
    thin_out,
)
from daemon.types import DAY, HOUR, MINUTE, SECOND, Millis

EVERY = 5 * SECOND
SPAN = ChartSpan(1_000, 1_000 + 500)
FEW = 10
"""Columns, of 50 ms each."""

VALUES = st.none() | st.decimals(allow_nan=False, allow_infinity=True, places=2)
MARKS = st.lists(st.tuples(st.integers(SPAN.since, SPAN.until - 1), VALUES), max_size=80).map(
    lambda each: [ChartPoint(at, value) for at, value in sorted(each, key=lambda one: one[0])]
)


def column(at: Millis) -> int:
    return (at - SPAN.since) * FEW // (SPAN.until - SPAN.since)


def finite(marks: Sequence[ChartPoint]) -> list[Point]:
    return [
        Point(mark.at, mark.value)
        for mark in marks
        if mark.value is not None and mark.value.is_finite()
    ]


def drawn(found: FieldLine) -> list[Point]:
    return [point for line in found.lines for point in line]


@given(MARKS)
def test_f8_every_column_keeps_its_first_lowest_highest_and_last(marks: list[ChartPoint]) -> None:
    """F8: a spike of one reading is in the picture, however many readings there are."""
    kept, all_ = drawn(thin_out(marks, SPAN, FEW)), finite(marks)
    for index in range(FEW):
        before, after = (
            [point for point in each if column(point.at) == index] for each in (all_, kept)
        )
        assert (not before) == (not after)
        if before:
            assert (after[0], after[-1]) == (before[0], before[-1])
            assert min(point.value for point in after) == min(point.value for point in before)
            assert max(point.value for point in after) == max(point.value for point in before)
            assert len(after) <= 4


@given(MARKS)
def test_f8_no_point_is_made_up_or_moved(marks: list[ChartPoint]) -> None:
    """F8: what is drawn are readings, in their order."""
    readings = iter(finite(marks))
    assert all(point in readings for point in drawn(thin_out(marks, SPAN, FEW)))


@given(MARKS)
def test_f8_no_line_bridges_what_is_missing(marks: list[ChartPoint]) -> None:
    """F8: between two joined points, no gap is wide enough to be seen in the picture."""
    found = thin_out(marks, SPAN, FEW)
    for line in found.lines:
        for before, after in pairwise(line):
            assert not any(before.at < gap.until and gap.since < after.at for gap in found.gaps)
            between = [mark for mark in marks if before.at < mark.at < after.at]
            unknown = any(mark.value is None for mark in between)
            assert not unknown or _reading_between_is_near(marks, before.at, after.at)


def _reading_between_is_near(marks: Sequence[ChartPoint], since: Millis, until: Millis) -> bool:
    """Every unknown mark in between lies between two readings of one column."""
    read = [mark.at for mark in marks if mark.value is not None]
    unknown = [mark.at for mark in marks if mark.value is None and since < mark.at < until]
    return all(
        column(max(each for each in read if each <= at))
        == column(min(each for each in read if each >= at))
        for at in unknown
    )


@given(MARKS)
def test_f8_gaps_lie_apart_and_in_order(marks: list[ChartPoint]) -> None:
    """F8: each is a span without a reading, within the picture."""
    gaps = thin_out(marks, SPAN, FEW).gaps
    assert all(SPAN.since <= gap.since < gap.until <= SPAN.until for gap in gaps)
    assert all(before.until <= after.since for before, after in pairwise(gaps))
    assert not any(
        gap.since < mark.at < gap.until for gap in gaps for mark in marks if mark.value is not None
    )


@given(MARKS)
def test_f8_infinite_values_are_left_out_and_told(marks: list[ChartPoint]) -> None:
    """F8: no line reaches for them, and each lies in a span that says so."""
    found = thin_out(marks, SPAN, FEW)
    infinite = [mark.at for mark in marks if mark.value is not None and mark.value.is_infinite()]
    assert all(point.value.is_finite() for point in drawn(found))
    assert all(any(span.since <= at <= span.until for span in found.infinite) for at in infinite)
    assert bool(found.infinite) == bool(infinite)


def test_f8_a_day_of_seconds_becomes_a_few_points() -> None:
    """F8: 86 400 readings, of which one is the lowest: it is there."""
    marks = [ChartPoint(second * SECOND, Decimal(500 + second % 7)) for second in range(86_400)]
    marks[40_000] = ChartPoint(40_000 * SECOND, Decimal(3))
    found = downsample(marks, ChartSpan(0, DAY), SECOND)
    (line,) = found.lines
    assert len(line) <= 4 * COLUMNS
    assert min(point.value for point in line) == 3
    assert (line[0], line[-1], found.gaps) == (Point(*marks[0]), Point(*marks[-1]), ())  # type: ignore[arg-type]


# What is missing.


def read(*instants: Millis) -> list[ChartPoint]:
    return [ChartPoint(at, Decimal(500)) for at in instants]


def every(step: Millis, since: Millis, until: Millis) -> list[Millis]:
    return list(range(since, until, step))


def gaps(
    marks: Sequence[ChartPoint], until: Millis, usual: Millis | None = EVERY
) -> list[ChartSpan]:
    return list(downsample(marks, ChartSpan(0, until), usual).gaps)


def test_f8_readings_too_far_apart_have_a_gap_between_them() -> None:
    """F8: the daemon was down for half an hour; that a single slot came late is no gap."""
    down = every(EVERY, 0, HOUR) + every(EVERY, 90 * MINUTE, 2 * HOUR)
    assert gaps(read(*down), 2 * HOUR) == [ChartSpan(HOUR - EVERY, 90 * MINUTE)]
    late = [at for at in every(EVERY, 0, HOUR) if at != 30 * MINUTE]
    assert gaps(read(*late), HOUR) == []


def test_f8_a_miss_is_a_gap_however_short() -> None:
    """F8: a recorded miss breaks the line, where the picture is fine enough to show it."""
    marks = [
        ChartPoint(at, None if at == 30 * SECOND else Decimal(1)) for at in every(EVERY, 0, MINUTE)
    ]
    assert gaps(marks, MINUTE) == [ChartSpan(25 * SECOND, 35 * SECOND)]


def test_f8_the_ends_of_the_picture_can_be_empty() -> None:
    """F8: the record begins only later, and the daemon is down now."""
    found = gaps(read(*every(EVERY, HOUR, 2 * HOUR)), 3 * HOUR)
    assert found == [ChartSpan(0, HOUR), ChartSpan(2 * HOUR - EVERY, 3 * HOUR)]


def test_f8_nothing_at_all_is_one_gap() -> None:
    """F8: also where all attempts failed."""
    assert gaps([], HOUR) == [ChartSpan(0, HOUR)]
    assert gaps([ChartPoint(at, None) for at in every(EVERY, 0, HOUR)], HOUR) == [
        ChartSpan(0, HOUR)
    ]


def test_f8_a_single_reading_stands_alone() -> None:
    """F8: it is a point, with nothing before and after it."""
    found = downsample(read(HOUR), ChartSpan(0, 2 * HOUR), EVERY)
    assert (found.lines, found.gaps) == (
        ((Point(HOUR, Decimal(500)),),),
        (ChartSpan(0, HOUR), ChartSpan(HOUR, 2 * HOUR)),
    )


@pytest.mark.parametrize("usual", [None, EVERY])
def test_f8_few_readings_tell_no_pace(usual: Millis | None) -> None:
    """F8: two readings ten hours apart are two points, not a line."""
    assert len(downsample(read(0, 10 * HOUR), ChartSpan(0, 10 * HOUR + 1), usual).lines) == 2


def test_f8_imported_readings_have_their_own_pace() -> None:
    """F8: hourly imports give a line although polls are every 5 s; five missing hours are a gap."""
    hours = [at for at in every(HOUR, 0, 30 * HOUR) if not 15 * HOUR < at < 21 * HOUR]
    assert gaps(read(*hours), 30 * HOUR) == [ChartSpan(15 * HOUR, 21 * HOUR)]


def test_f8_a_new_pace_becomes_the_usual_one() -> None:
    """F8: after `every` was made longer, a few gaps are shown, and then a line again."""
    marks = read(*every(EVERY, 0, HOUR), *every(MINUTE, HOUR, 3 * HOUR))
    unknown = [
        mark for mark in mark_gaps(marks, ChartSpan(0, 3 * HOUR), EVERY) if mark.value is None
    ]
    assert 0 < len(unknown) <= RECENT // 2 + 1
    assert max(mark.at for mark in unknown) < HOUR + RECENT * MINUTE


def test_f8_a_burst_of_pushes_makes_no_gaps() -> None:
    """F8: several readings within a second do not change the usual distance of five seconds."""
    burst = [HOUR + 100 * number for number in range(40)]
    assert (
        gaps(read(*every(EVERY, 0, HOUR), *burst, *every(EVERY, HOUR + EVERY, 2 * HOUR)), 2 * HOUR)
        == []
    )


def test_f8_what_lies_outside_is_not_looked_at() -> None:
    """F8: a replay begins with a reading before the span."""
    found = downsample(read(0, EVERY, 2 * EVERY, 3 * EVERY), ChartSpan(EVERY, 3 * EVERY), EVERY)
    assert drawn(found) == [Point(EVERY, Decimal(500)), Point(2 * EVERY, Decimal(500))]
