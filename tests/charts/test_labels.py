"""The places of labels in a chart (daemon/charts/labels.py)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.charts.labels import HEAVY, free_height, spread_labels, with_room

HEIGHTS = st.lists(st.floats(0, 1), max_size=8).map(sorted)


@given(HEIGHTS, st.floats(0.01, 0.11))
def test_f8_labels_stand_apart(heights: list[float], least: float) -> None:
    """F8: labels keep their order, never overlap and stay inside; those with room do not move."""
    places = spread_labels(heights, least)
    assert len(places) == len(heights)
    assert all(after - before >= least - 1e-9 for before, after in pairwise(places))
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
    if all(after - before >= least for before, after in pairwise(heights)):
        assert places == pytest.approx(heights)


def test_f8_labels_that_touch_move_as_little_as_can_be() -> None:
    """F8: half of what is missing each; a label further away stays."""
    assert spread_labels([0.50, 0.52, 0.9], 0.1) == pytest.approx([0.46, 0.56, 0.9])
    assert spread_labels([0.0, 0.02], 0.1) == pytest.approx([0.0, 0.1])
    assert spread_labels([0.99, 1.0], 0.1) == pytest.approx([0.9, 1.0])


@given(st.floats(0.1, 0.9), st.floats(-0.09, 0.09))
def test_f8_others_make_room_for_a_heavy_label(height: float, away: float) -> None:
    """F8: the last value stands beside its point."""
    labels = sorted([(height, HEAVY), (height + away, 1.0)])
    places = spread_labels([at for at, _ in labels], 0.1, [weight for _, weight in labels])
    place = places[labels.index((height, HEAVY))]
    assert place == pytest.approx(height, abs=1e-4)


def test_f8_where_labels_have_no_room_the_nearest_are_kept() -> None:
    """F8: above and below the last value as many as fit, and one at least."""
    heights = [each / 20 for each in range(21)]
    assert with_room(heights, 0.31, 0.1) == [4, 5, 6, *range(7, 13)]
    assert with_room([0.0, 0.02, 0.5], 0.03, 0.1) == [1, 2]
    assert with_room([], 0.5, 0.1) == []


@given(HEIGHTS, st.floats(0, 1), st.floats(0.01, 0.11))
def test_f8_labels_with_room_never_push_the_value_far(
    heights: list[float], value: float, least: float
) -> None:
    """F8: it moves by the height of one label at most."""
    kept = [(heights[index], 1.0) for index in with_room(heights, value, least)]
    labels = sorted([*kept, (value, HEAVY)])
    places = spread_labels([at for at, _ in labels], least, [weight for _, weight in labels])
    assert abs(places[labels.index((value, HEAVY))] - value) <= least + 1e-4


def test_f8_a_text_stands_where_no_line_runs_through_it() -> None:
    """F8: as near to its place as can be; in it where there is none."""
    assert free_height(0.5, [], 0.1) == 0.5
    assert free_height(0.5, [0.5, 0.7], 0.09) == pytest.approx(0.4)
    assert free_height(0.94, [0.2], 0.1) == 0.94
    assert free_height(0.5, [each / 10 for each in range(11)], 0.1) == 0.5
