"""How far the exchange's clock is ahead, measured on answers that took their time."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.exchanges.common.clock_skew import KEPT, Bounds, Skew, bounds, parse_date
from daemon.types import MINUTE, SECOND, Millis
from tests.values import T0

AHEAD = st.integers(-10 * MINUTE, 10 * MINUTE)
TOOK = st.integers(0, 10 * SECOND)


def shown(
    ahead: Millis, there: Millis = 50, back: Millis = 50, sent: Millis = T0, *, time: bool = True
) -> Bounds:
    """Bounds from an answer that took so long to be written, and so long to arrive."""
    written = sent + there + ahead
    found = bounds(
        sent,
        sent + there + back,
        formatdate(written // SECOND, usegmt=True),
        written if time else None,
    )
    assert found is not None
    return found


@given(AHEAD, TOOK, TOOK, st.integers(0, 999), st.booleans())
def test_one_answer_bounds_the_difference(
    ahead: int, there: int, back: int, part: int, time: bool
) -> None:
    """The truth lies within the bounds, which are as wide as the answer was slow."""
    found = shown(ahead, there, back, T0 + part, time=time)
    assert found.low <= ahead <= found.high
    assert found.high - found.low <= there + back + (0 if time else SECOND)


@given(
    AHEAD,
    st.lists(
        st.tuples(TOOK, TOOK, st.integers(0, 999), st.booleans()), min_size=1, max_size=2 * KEPT
    ),
)
def test_several_answers_never_exclude_the_truth(
    ahead: int, answers: list[tuple[int, int, int, bool]]
) -> None:
    """Bounds together are no wider than the best; corrected time is no farther off than ours."""
    skew = Skew()
    for there, back, part, time in answers:
        skew = skew.seen(shown(ahead, there, back, T0 + part, time=time))
    assert skew.bounds is not None
    assert skew.bounds.low <= ahead <= skew.bounds.high
    assert skew.bounds.high - skew.bounds.low <= min(each.high - each.low for each in skew.shown)
    assert abs(ahead - skew.correction) <= abs(ahead)


@pytest.mark.parametrize(
    ("ahead", "took", "corrected"),
    [
        (0, 50, False),
        (900, 50, False),
        (-900, 50, False),
        (1_200, 50, True),
        (-1_200, 50, True),
        (40_000, 9_000, True),
        (4_000, 9_000, False),
    ],
)
def test_only_a_certain_second_is_corrected(ahead: int, took: int, corrected: bool) -> None:
    """A slow answer is no wrong clock."""
    correction = Skew().seen(shown(ahead, took, took)).correction
    assert bool(correction) == corrected
    assert not corrected or abs(correction - ahead) <= 2 * took


def test_a_clock_that_was_set_is_believed_at_once() -> None:
    """The newest answer ranks first; those it contradicts are of before."""
    skew = Skew()
    for ahead in (0, 0, 0, 30_000):
        skew = skew.seen(shown(ahead))
    assert 30_000 - 100 <= skew.correction <= 30_000
    assert Skew().seen(None) == Skew()
    assert (Skew().bounds, Skew().correction) == (None, 0)


def test_data_that_stands_still_says_nothing_of_the_clock() -> None:
    """The answer's own time is an hour old, and the header is right."""
    date = formatdate(T0 // SECOND, usegmt=True)
    assert bounds(T0, T0 + 100, date, T0 - 60 * MINUTE) == bounds(T0, T0 + 100, date, None)


@pytest.mark.parametrize("date", ["", "soon", "Mon, 99 Foo 2026 99:00:00 GMT", "\x00"])
def test_a_date_that_is_none_shows_nothing(date: str) -> None:
    """No exception, no guess."""
    assert parse_date(date) is None
    assert bounds(T0, T0, date, T0) is None


@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000"])
def test_a_date_is_utc(zone: str) -> None:
    """Whatever this machine's zone is."""
    assert parse_date(f"Thu, 01 Jan 2026 11:00:00 {zone}") == T0
