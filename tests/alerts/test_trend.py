"""How the judged field moved in the last minutes, and what is foretold of it."""

import re
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.trend import minute_changes, pace_sentence, step_sentence, trend
from daemon.rules.evaluation.evaluator import Points
from daemon.text.numbers import format_instant
from daemon.types import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    DecidingComparison,
    Millis,
    NotificationFacts,
    Severity,
    Trend,
)
from tests.values import T0, judged

FALLING = judged("90")
RISING = judged("900", "200", falling=False, field="al_freeze")
EQUAL = replace(judged("0", "0", falling=False), directed=False)


def points(text: str, every: Millis = 10 * SECOND, until: Millis = T0) -> Points:
    """Values that were read so often, the last of them at `until`."""
    values = [Decimal(each) for each in text.split()]
    return [
        (until - (len(values) - 1 - number) * every, value) for number, value in enumerate(values)
    ]


def steadily(first: str, by: str, count: int) -> str:
    return " ".join(str(Decimal(first) + Decimal(by) * number) for number in range(count))


def found(
    text: str | Points,
    side: DecidingComparison = FALLING,
    *,
    every: Millis = 10 * SECOND,
    now: Millis = T0,
) -> Trend:
    values = points(text, every) if isinstance(text, str) else text
    return trend(side, {side.field: values}.get, now)  # type: ignore[arg-type]


def said(known: Trend, side: DecidingComparison = FALLING, value: str = "90") -> list[str]:
    facts = NotificationFacts(
        Severity.WARNING, "k3f9", T0, T0, T0, replace(side, value=Decimal(value)), trend=known
    )
    return [*step_sentence(facts, lambda at: format_instant(at, T0, UTC)), *pace_sentence(facts)]


@pytest.mark.parametrize(
    ("first", "by", "value", "expected"),
    [
        ("120", "-5", "90", "falling by 30 a minute over the last 1 min: at this pace 0 in 3 min"),
        ("12", "-0.5", "9", "falling by 3 a minute over the last 1 min: at this pace 0 in 3 min"),
        ("90.006", "-0.001", "90", "falling by 0.006 a minute over the last 1 min"),
        (
            "160",
            "-5",
            "130",
            "falling by 30 a minute over the last 1 min: at this pace 100 in 1 min",
        ),
        ("25", "-5", "-5", "falling by 30 a minute over the last 1 min"),
        ("130", "-5", "100", "falling by 30 a minute over the last 1 min: at this pace 0 in 3 min"),
    ],
)
def test_a_steady_fall_is_foretold(first: str, by: str, value: str, expected: str) -> None:
    """C7: the goal is the threshold, else 0, and within a day."""
    assert said(found(steadily(first, by, 7)), value=value) == [expected]


def test_what_gets_worse_upward_is_foretold_up_to_its_threshold() -> None:
    """C7: no goal above the threshold; one below it, as between `when` and `clear_when`."""
    rising = found(steadily("840", "10", 7), RISING)
    assert said(rising, RISING, "900") == ["rising by 60 a minute over the last 1 min"]
    below = "rising by 60 a minute over the last 1 min: at this pace 200 in 50 s"
    assert said(rising, RISING, "150") == [below]


@pytest.mark.parametrize(
    ("side", "text"),
    [
        pytest.param(FALLING, "", id="nothing known"),
        pytest.param(FALLING, "90", id="one reading"),
        pytest.param(FALLING, "90 90 90", id="no change"),
        pytest.param(FALLING, steadily("30", "10", 7), id="a margin that rises"),
        pytest.param(RISING, steadily("960", "-10", 7), id="a frozen amount that falls"),
        pytest.param(FALLING, "500 90" + 13 * " 90", id="flat for more than two minutes"),
        pytest.param(FALLING, "500 90 80" + 13 * " 85", id="no worse for more than two minutes"),
    ],
)
def test_nothing_is_said_of_what_stands_still_or_gets_better(
    side: DecidingComparison, text: str
) -> None:
    """C7: no sentence about a field that stands still, improves, or got worse long ago."""
    assert said(found(text, side), side) == []


@pytest.mark.parametrize(
    ("text", "every"),
    [
        pytest.param(steadily("120", "-5", 6), 10 * SECOND, id="known for less than a minute"),
        pytest.param("120 120 120 120 120 110 100", 10 * SECOND, id="two changes"),
        pytest.param(
            "120 115 110 112 107 102", 20 * SECOND, id="the third last change is the other way"
        ),
        pytest.param(
            "120 118 116 114 112 110 108 90", 10 * SECOND, id="one change is more than half of it"
        ),
        pytest.param("120 115 110 105 105 105 105 105", 10 * SECOND, id="flat for half a minute"),
        pytest.param("200 180 160 140 139.8 139.6 139.4", 10 * SECOND, id="it slows down"),
        pytest.param("140 139.9 139.8 139.7 139.6 125 110", 10 * SECOND, id="it has just begun"),
        pytest.param("120 110 100 90", MINUTE, id="the last three changes took three minutes"),
        pytest.param("100 90 80 120 115 110 105", 10 * SECOND, id="higher than a minute ago"),
    ],
)
def test_no_pace_is_made_of_what_is_not_steady(text: str, every: Millis) -> None:
    """C7: a pace needs a minute or two, three agreeing changes, none dominant and none old."""
    assert found(text, every=every).pace is None


@pytest.mark.parametrize(("every", "count", "span"), [(30, 4, 90), (40, 4, 120), (1, 100, 60)])
def test_a_pace_looks_back_for_one_to_two_minutes(every: int, count: int, span: int) -> None:
    """C7: As far as three changes need, where readings are rare."""
    known = found(steadily("200", "-1", count), every=every * SECOND).pace
    assert known is not None
    assert (known.span, known.change) == (span * SECOND, Decimal(-span // every))


def test_the_largest_step_is_told_with_its_time() -> None:
    """C7: the last of equal steps is told; a step within a steady fall is told as its pace."""
    assert said(found("500 400 450 350 350", every=5 * SECOND)) == [
        "450 at 10:59:50 -> 350 at 10:59:55: -100 in 5 s"
    ]
    assert said(found("500 400 90 95 89", every=5 * SECOND)) == [
        "500 at 10:59:40 -> 90 at 10:59:50: -410 in 10 s"
    ]
    assert said(found("500 400 300", every=5 * SECOND)) == [
        "500 at 10:59:50 -> 300 at 11:00:00: -200 in 10 s"
    ]
    crash = f"500 {steadily('150', '-1', 13)}"
    assert said(found(crash)) == [
        "500 at 10:57:50 -> 150 at 10:58:00: -350 in 10 s",
        "falling by 6 a minute over the last 1 min: at this pace 0 in 15 min",
    ]


def test_a_crash_over_several_readings_is_one_step() -> None:
    """C7: changes for the worse close to each other, without pauses and without small ones."""
    crash = "354 354 154 154 94 94 52 52"
    assert said(found(crash, every=5 * SECOND)) == [
        "354 at 10:59:30 -> 52 at 10:59:55: -302 in 25 s"
    ]
    dripping = "364 360 359 154 94 93 92 92"
    assert said(found(dripping, every=5 * SECOND)) == [
        "359 at 10:59:35 -> 94 at 10:59:45: -265 in 10 s"
    ]
    paused = "400 354 354 354 354 154 154 154 154 100"
    assert said(found(paused, every=6 * SECOND)) == [
        "354 at 10:59:30 -> 154 at 10:59:36: -200 in 6 s"
    ]
    swinging = "354 154 155 94 94"
    assert said(found(swinging, every=5 * SECOND)) == [
        "354 at 10:59:40 -> 154 at 10:59:45: -200 in 5 s"
    ]


def test_a_step_over_a_gap_is_part_of_no_other() -> None:
    """A change that took minutes itself would make a crash look slow."""
    values = points("354 354 154 94", every=5 * SECOND)
    far = [(T0 - 9 * MINUTE, Decimal(400)), *values]
    assert said(found(far)) == ["354 at 10:59:50 -> 94 at 11:00:00: -260 in 10 s"]


def test_the_change_over_a_minute_is_that_since_the_reading_nearest_to_it() -> None:
    """Replayable: from the readings alone; unknown where there is none of about that time."""
    known = {
        "available_margin": points("900 400 390 380 90", every=20 * SECOND),
        "al_margin": points("7 9", every=90 * SECOND),
        "al_freeze": points("5 6", every=91 * SECOND),
        "available_usdt": points("5 NaN", every=MINUTE),
    }
    assert minute_changes(lambda name: known.get(name, ()), T0) == {
        "available_margin": Decimal(-310),
        "al_margin": Decimal(2),
    }


def test_of_what_has_no_worse_side_the_last_change_counts() -> None:
    """C7: `al_margin == 0` is told by what made it so, whichever way that went."""
    assert said(found("140 140 0", EQUAL), EQUAL) == [
        "140 at 10:59:50 -> 0 at 11:00:00: -140 in 10 s"
    ]
    assert said(found("0 0 140", EQUAL), EQUAL) == [
        "0 at 10:59:50 -> 140 at 11:00:00: +140 in 10 s"
    ]


def test_a_step_over_a_gap_says_how_long_it_took() -> None:
    """C7: Nobody knows what happened between two readings that are far apart."""
    values = [(T0 - 8 * MINUTE, Decimal(400)), (T0, Decimal(90))]
    assert said(found(values)) == ["400 at 10:52:00 -> 90 at 11:00:00: -310 in 8 min"]


def test_without_a_comparison_nothing_is_foretold() -> None:
    """C7: an unknown value has no goal; without a comparison there is no sentence."""
    known = found(steadily("120", "-5", 7))
    unknown = NotificationFacts(
        Severity.WARNING, "k", T0, T0, T0, replace(FALLING, value=None), trend=known
    )
    assert list(pace_sentence(unknown)) == ["falling by 30 a minute over the last 1 min"]
    assert list(pace_sentence(replace(unknown, judged=None))) == []


# Over random series.

AMOUNT = st.decimals("-1000", "1000", places=2)
STEPS = st.tuples(
    st.integers(400, 40_000),
    st.one_of(AMOUNT, st.decimals("-3", "0", places=2), st.just(Decimal(0))),
)
RUN = st.tuples(st.integers(1_000, 30_000), st.decimals("-5", "-1", places=1), st.integers(1, 12))


@st.composite
def series(draw: st.DrawFn) -> Points:
    """Steps of any kind, often with a steady run behind them."""
    steps = draw(st.lists(STEPS, min_size=1, max_size=20))
    every, by, count = draw(RUN)
    steps += [(every, by)] * draw(st.sampled_from([0, count]))
    instants = accumulate((wait for wait, _ in steps), initial=T0)
    values = accumulate((change for _, change in steps), initial=draw(AMOUNT))
    return list(zip(instants, values, strict=True))


def _duration(text: str) -> int:
    units = {"d": DAY, "h": HOUR, "min": MINUTE, "s": SECOND, "ms": 1}
    return sum(
        int(count) * units[unit] for count, unit in re.findall(r"(\d+) (d|h|min|s|ms)\b", text)
    )


@given(series(), st.booleans())
def test_no_sentence_contradicts_the_last_change_or_the_last_minute(
    values: Points, falling: bool
) -> None:
    """C7: a pace has the direction of the last change; its goal is within a factor of two."""
    (last_at, last), field = values[-1], "available_margin"
    side = judged(str(last), "100", falling=falling, field=field)
    sentences = said(found(values, side, now=last_at), side, str(last))
    changes = [after - before for (_, before), (_, after) in pairwise(values) if after != before]
    for sentence in (each for each in sentences if "a minute" in each):
        assert sentence.startswith("falling" if falling else "rising")
        assert (changes[-1] < 0) is falling
        start = max(
            (point for point in values if point[0] <= last_at - MINUTE), key=lambda point: point[0]
        )
        speed = (last - start[1]) / (last_at - start[0])
        if goal := re.search(r"at this pace (\S+) in (.*)", sentence):
            continued = (Decimal(goal[1]) - last) / speed
            slack = SECOND if continued < 4 * MINUTE else MINUTE // 2
            assert continued / 2 - slack <= _duration(goal[2]) <= 2 * continued + slack


@given(series(), st.integers(0, 60_000))
def test_a_change_over_a_minute_is_a_difference_of_two_readings(
    values: Points, later: Millis
) -> None:
    """C7: the last reading, and the one nearest to a minute ago; nothing where that is far off."""
    now = values[-1][0] + later
    changes = minute_changes(lambda name: values if name == "al_margin" else (), now)
    off = min(abs(now - MINUTE - at) for at, _ in values)
    nearest = [value for at, value in values if abs(now - MINUTE - at) == off]
    assert set(changes) == ({"al_margin"} if off <= MINUTE // 2 else set())
    assert all(change in [values[-1][1] - each for each in nearest] for change in changes.values())


@given(series(), st.booleans())
def test_a_step_is_the_largest_there_was_for_the_worse(values: Points, falling: bool) -> None:
    """C7: A step did happen: it holds the largest change, and none for the better."""
    last_at, last = values[-1]
    side = judged(str(last), falling=falling)
    known = found(values, side, now=last_at).step
    if known is not None:
        begin = values.index((known.before_at, known.before))
        end = values.index((known.after_at, known.after))
        worse = [
            (before - after) * (1 if falling else -1)
            for (_, before), (_, after) in pairwise(values)
        ]
        assert max(worse) == max(worse[begin:end]) > 0
        assert min(worse[begin:end]) >= 0
        assert (known.before - known.after) * (1 if falling else -1) >= max(worse)
