"""Gaps derived from readings, misses and recorded gaps."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.readings.gaps import ListedGap, Seen, gaps
from daemon.types import MINUTE, GapReason, Miss, MissReason
from tests.values import T0

TIMEOUT, NETWORK, BLOCKED = MissReason.TIMEOUT, MissReason.NETWORK, MissReason.BLOCKED


def at(second: float) -> int:
    return T0 + round(second * 1_000)


def miss(second: float, reason: MissReason = TIMEOUT, detail: str = "") -> Miss:
    return Miss(1, at(second), reason, detail)


def gap(
    reason: MissReason | GapReason,
    begin: float,
    end: float | None,
    missed: int = 1,
    detail: str = "",
) -> ListedGap:
    return ListedGap(reason, at(begin), None if end is None else at(end), missed, detail=detail)


def down(begin: float, end: float) -> ListedGap:
    return gap(GapReason.DAEMON_DOWN, begin, end, 3)


STEP = ListedGap(GapReason.CLOCK_STEP, at(12), at(12), 0, step=MINUTE)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([], []),
        ([at(0), at(5), at(500)], []),
        ([at(0), miss(5), at(10)], [gap(TIMEOUT, 0, 10)]),
        (
            [at(0), miss(5), miss(10, detail="the last"), at(15)],
            [gap(TIMEOUT, 0, 15, 2, "the last")],
        ),
        ([at(0), miss(5), miss(10, NETWORK), at(15)], [gap(TIMEOUT, 0, 10), gap(NETWORK, 10, 15)]),
        ([at(0), miss(5), at(10), miss(15)], [gap(TIMEOUT, 0, 10), gap(TIMEOUT, 10, None)]),
        ([miss(5), at(10)], [gap(TIMEOUT, 5, 10)]),
        ([at(0), down(2, 30), at(31)], [down(2, 30)]),
        (
            [at(0), miss(5), down(5, 30), miss(31), at(35)],
            [gap(TIMEOUT, 0, 5), down(5, 30), gap(TIMEOUT, 30, 35)],
        ),
        ([at(0), miss(5), down(2, 30)], [gap(TIMEOUT, 0, 2), down(2, 30)]),
        (
            [at(0), miss(5, BLOCKED), down(6, 30), at(60)],
            [gap(BLOCKED, 0, 6), down(6, 30), gap(BLOCKED, 30, 60, 0)],
        ),
        (
            [at(0), miss(5, BLOCKED), down(6, 30), miss(60, BLOCKED), at(90)],
            [gap(BLOCKED, 0, 6), down(6, 30), gap(BLOCKED, 30, 90)],
        ),
        ([at(0), miss(5, BLOCKED), down(6, 90), at(90.4)], [gap(BLOCKED, 0, 6), down(6, 90)]),
        (
            [miss(5, BLOCKED), gap(GapReason.DAEMON_DOWN, 6, None)],
            [gap(BLOCKED, 5, 6), gap(GapReason.DAEMON_DOWN, 6, None)],
        ),
        ([at(0), miss(10), STEP, miss(15), at(20)], [STEP, gap(TIMEOUT, 0, 20, 2)]),
    ],
    ids=[
        "nothing",
        "readings-however-far-apart",
        "one-miss",
        "a-run",
        "another-reason",
        "one-that-goes-on",
        "before-the-first-reading",
        "nobody-ran",
        "nobody-ran-amid-misses",
        "a-miss-that-was-judged-later",
        "a-pause-outlasts-a-restart",
        "and-goes-on-after-it",
        "and-is-over-by-then",
        "nobody-runs-now",
        "a-step-ends-no-run",
    ],
)
def test_a3_gaps_have_a_reason_a_span_and_what_was_missed(
    seen: Sequence[Seen], expected: list[ListedGap]
) -> None:
    """A3, B3: from the last reading to the next one; a slot that was never scheduled is no gap."""
    assert list(gaps(seen)) == expected


@st.composite
def days(draw: st.DrawFn) -> list[Seen]:
    """Readings, misses and absences in the order of time."""
    kinds = draw(
        st.lists(st.sampled_from(["read", "read", "timeout", "network", "down"]), max_size=30)
    )
    instants = accumulate(
        draw(st.lists(st.integers(1, 9), min_size=len(kinds), max_size=len(kinds)))
    )
    made: list[Seen] = []
    before = 0
    for kind, second in zip(kinds, instants, strict=True):
        made.append(_made(kind, before, second))
        before = second
    return made


def _made(kind: str, before: int, second: int) -> Seen:
    if kind == "read":
        return at(second)
    return down(before, second) if kind == "down" else miss(second, MissReason(kind))


@given(days())
def test_a3_gaps_follow_each_other_without_overlapping(seen: list[Seen]) -> None:
    """A3: an instant is missing for one reason, and every failed attempt is counted once."""
    found = list(gaps(seen))
    assert all(
        one.ended_at is not None and one.ended_at <= next_.started_at
        for one, next_ in pairwise(found)
    )
    failed = [each for each in found if isinstance(each.reason, MissReason)]
    assert sum(each.missed for each in failed) == sum(isinstance(each, Miss) for each in seen)
    readings = [each for each in seen if isinstance(each, int)]
    assert not any(
        each.started_at < read < (each.ended_at or read) for each in found for read in readings
    )


@given(days())
def test_a3_readings_beside_readings_say_nothing(seen: list[Seen]) -> None:
    """A3: of consecutive readings the first and the last are enough."""
    needed = [
        each
        for n, each in enumerate(seen)
        if not isinstance(each, int)
        or n in (0, len(seen) - 1)
        or {type(seen[n - 1]), type(seen[n + 1])} != {int}
    ]
    assert list(gaps(needed)) == list(gaps(seen))


def test_a_gap_touches_a_span_that_it_shares_an_instant_with() -> None:
    """Spans are half open; what lasts touches all that is later."""
    one = gap(TIMEOUT, 10, 20)
    assert [one.touches(at(a), at(b)) for a, b in ((0, 10), (0, 11), (20, 30), (21, 30))] == [
        False,
        True,
        True,
        False,
    ]
    assert gap(TIMEOUT, 10, None).touches(at(100), at(200))
