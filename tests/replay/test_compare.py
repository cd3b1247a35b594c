"""Two rule sets over the same inputs: missing, earlier and later alerts."""

from collections.abc import Sequence
from decimal import Decimal

from daemon.replay.compare import (
    MergedEpisode,
    PairedSessions,
    RuleSetComparison,
    RuleSetDifference,
    merge_pairs,
)
from daemon.replay.statistics import Worst
from daemon.rules.rule import Rule
from daemon.types import HOUR, SECOND, ClockStep, Input
from tests.replay.played import new_session, readings
from tests.values import T0, judged, reading, rule

LOW = rule(flapping=None)


def low(value: int) -> tuple[Worst, ...]:
    return (Worst(Decimal(value), judged(str(value))),)


def compared(
    ours: Rule, theirs: Rule, inputs: Sequence[Input], first: int = 0
) -> list[RuleSetDifference]:
    comparison = RuleSetComparison()
    found: list[RuleSetDifference] = []
    for pair in merge_pairs(
        [PairedSessions(new_session(ours), new_session(theirs)).played(inputs, first)]
    ):
        found += comparison.take(pair)
    return [*found, *comparison.finish()]


def test_equal_rules_have_no_difference() -> None:
    """However often they fire."""
    assert compared(LOW, LOW, readings("500", "90", "500", "90", "90")) == []


def test_an_alert_of_one_side_alone_is_a_difference() -> None:
    """With its beginning, its end and its worst value."""
    (only,) = compared(LOW, rule(flapping=None, hold=HOUR), readings("90", "80", "500", "500"))
    assert only == RuleSetDifference(
        "low", "main", MergedEpisode(T0, T0 + 10 * SECOND, low(80)), None
    )
    assert only.later is None


def test_alerts_that_overlap_are_the_same_trouble() -> None:
    """A flickering rule is joined with one that holds; only the first beginning differs."""
    higher = rule("low", "available_margin < 200", flapping=None)
    (both,) = compared(LOW, higher, readings("150", "90", "150", "90", "500"))
    assert both.later == -5 * SECOND
    assert both.ours == MergedEpisode(T0 + 5 * SECOND, T0 + 20 * SECOND, low(90), alerts=2)
    assert both.theirs == MergedEpisode(T0, T0 + 20 * SECOND, low(90))


def test_the_worst_of_each_comparison_is_kept() -> None:
    """Values of different comparisons are not ranked."""
    both = rule("low", "available_margin < 100 or al_freeze > 500", flapping=None)
    inputs = [reading(1, T0, available_margin="20"), reading(2, T0 + SECOND, al_freeze="900")]
    (only,) = compared(both, rule(flapping=None, hold=HOUR), inputs)
    assert only.ours is not None
    assert [(each.judged.field, each.value) for each in only.ours.worst] == [
        ("available_margin", Decimal(20))
    ]


def test_what_begins_at_the_instant_of_an_end_belongs_to_it() -> None:
    """Whichever side is looked at first."""
    high = rule("low", "available_margin > 400", flapping=None)
    (both,) = compared(LOW, high, readings("300", "90", "500", "300", "300"))
    assert (both.later, both.ours and both.ours.ended_at) == (5 * SECOND, T0 + 10 * SECOND)


def test_what_still_fires_in_the_end_is_told() -> None:
    """Without an end."""
    (only,) = compared(LOW, rule(flapping=None, hold=HOUR), readings("500", "90"))
    assert only.ours == MergedEpisode(T0 + 5 * SECOND, None, low(90))


def test_a5_a_step_of_the_clock_moves_what_fires() -> None:
    """A5: instants are those of the clock as it is now."""
    inputs: list[Input] = [
        *readings("90"),
        ClockStep(1, T0 + HOUR, HOUR),
        reading(2, T0 + HOUR + SECOND, available_margin="90"),
        reading(3, T0 + HOUR + 2 * SECOND),
    ]
    (both,) = compared(LOW, rule(flapping=None, hold=SECOND), inputs)
    assert both.later == SECOND
    assert both.ours is not None
    assert (both.ours.fired_at, both.ours.ended_at) == (T0 + HOUR, T0 + HOUR + 2 * SECOND)


def test_the_span_begins_with_full_windows_for_both() -> None:
    """Inputs before it are warmed up by both players."""
    fell = rule("low", "delta(available_margin, 1h) < -300", flapping=None)
    (both,) = compared(LOW, fell, readings("500", "150", "90"), first=1)
    assert both.later == -5 * SECOND
