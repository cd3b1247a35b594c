"""A rule that fires again and again is told as one thing: SEMANTICS E4, the alert about it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from daemon.alerts.engine import StepResult
from daemon.rules.evaluation.evaluator import Verdict
from daemon.types import (
    FLAPPING,
    MINUTE,
    SECOND,
    Alert,
    FlapRange,
    Limit,
    OnMissing,
    Severity,
    State,
    base,
)
from tests.alerts.played import MISS, Played
from tests.values import FALSE, T0, TRUE, judged, reading, rule

TWICE = Limit(2, MINUTE)
"""The third firing within a minute is one too many."""


def flapping(**policy: Any) -> Played:
    return Played(rule(**{"flapping": TWICE, **policy}))


def about(played: Played) -> Alert | None:
    """The alert that tells of the flapping."""
    return played.state.alerts.get(played.rule.name + FLAPPING)


def told(played: Played) -> list[tuple[State, str, float]]:
    """What became of that alert."""
    return [
        (turn.to_state, turn.reason, (turn.at - T0) / SECOND)
        for turn in played.transitions
        if turn.rule != base(turn.rule)
    ]


def low(value: str) -> Verdict:
    return replace(TRUE, judged=judged(value))


def high(value: str) -> Verdict:
    return replace(FALSE, judged=judged(value))


def test_e4_the_firing_that_exceeds_the_limit_begins_it() -> None:
    """E4: as many as the limit are told one by one; exactly the next one is flapping."""
    calm = flapping()
    calm.flaps(2)
    assert about(calm) is None
    calm.at(4, TRUE)
    assert told(calm) == [(State.FIRING, "flapping", 4)]
    alert = about(calm)
    assert alert is not None
    assert (alert.code, alert.severity, alert.started_at) == (
        "low:flapping-main-4000",
        Severity.WARNING,
        T0,
    )
    assert (alert.fired_at, alert.judged) == (T0 + 4 * SECOND, TRUE.judged)
    assert alert.swings == FlapRange(3, Decimal(90), Decimal(500))


def test_e4_only_what_began_within_the_span_counts() -> None:
    """E4: within any span of `per`, both ends included."""
    slow = flapping()
    slow.flaps(3, every=30.001)
    assert about(slow) is None
    quick = flapping()
    quick.flaps(3, every=30)
    assert told(quick)[0] == (State.FIRING, "flapping", 60)


def test_e4_what_is_pending_is_no_episode() -> None:
    """E4, D1: only firings count."""
    never = flapping(hold=5 * SECOND)
    never.flaps(9)
    assert (about(never), never.state.fired) == (None, {})


def test_e4_a_rule_without_the_key_never_flaps() -> None:
    """`flapping = ""`: nothing is counted."""
    free = flapping(flapping=None)
    free.flaps(9)
    assert (about(free), free.state.fired) == (None, {})


def test_e4_it_grows_while_it_lasts() -> None:
    """E4: further episodes count, and the range takes in every value that was judged of them."""
    wide = flapping()
    wide.flaps(3)
    wide.at(6, low("80"))
    wide.at(7, low("42"))
    wide.at(8, high("130"))
    wide.at(9, low("70"))
    alert = about(wide)
    assert alert is not None
    assert alert.swings == FlapRange(5, Decimal(42), Decimal(500))


def test_e4_it_ends_at_the_first_input_with_no_more_than_half_the_limit() -> None:
    """E4: a miss is such an input; the rule's own alert may fire on."""
    busy = flapping()
    busy.flaps(3, every=10)
    busy.at(30, TRUE)
    assert busy.all({80: MISS}).state.alerts.keys() == {"low", "low:flapping"}
    busy.at(80.001, MISS)
    assert told(busy) == [(State.FIRING, "flapping", 20), (State.RESOLVED, "calm", 80.001)]
    assert busy.alert is not None


def test_e4_after_a_long_gap_it_ends_at_the_first_input() -> None:
    """E4: when none is left within the span, and also when that input begins another episode."""
    gone = flapping()
    gone.flaps(3)
    gone.at(500, TRUE)
    assert told(gone)[-1] == (State.RESOLVED, "calm", 500)
    assert gone.state.fired["low"][0].fired_at == T0 + 500 * SECOND
    assert gone.alert is not None


def test_e4_a_limit_of_one_calms_only_when_nothing_is_left() -> None:
    """E4: half of one is none."""
    one = flapping(flapping=Limit(1, MINUTE))
    one.flaps(2)
    assert told(one) == [(State.FIRING, "flapping", 2)]
    one.all({62: MISS})
    assert len(told(one)) == 1
    one.all({62.001: MISS})
    assert told(one)[-1] == (State.RESOLVED, "calm", 62.001)


def test_e4_missing_readings_have_no_value() -> None:
    """E4, D4: their episodes count, but a silence in milliseconds is no margin."""
    silent = flapping(on_missing=OnMissing.FIRING, missing_after=SECOND)
    silent.flaps(2)
    silent.all({6: MISS, 7: low("87"), 8: high("130")})
    alert = about(silent)
    assert alert is not None
    assert alert.swings == FlapRange(4, Decimal(87), Decimal(500))
    assert silent.state.fired["low"][2].low is None
    only = flapping(on_missing=OnMissing.FIRING, missing_after=SECOND, flapping=Limit(1, MINUTE))
    only.all({1: FALSE, 3: MISS, 4: FALSE, 6: MISS})
    found = about(only)
    assert found is not None
    assert found.swings == FlapRange(2, None, None)


def test_d5_a_changed_rule_retires_its_flapping_and_counts_anew() -> None:
    """D5, E4: what the rule was before says nothing of what it is now."""
    old = flapping()
    old.flaps(3)
    old.configured(10, rule(flapping=TWICE, when="available_margin < 50"))
    assert told(old)[-1] == (State.RETIRED, "rule_changed", 10)
    old.at(11, TRUE)
    assert (len(old.state.fired["low"]), about(old)) == (1, None)


def test_d5_a_removed_rule_is_forgotten() -> None:
    """D5: with its episodes."""
    old = flapping()
    old.flaps(3)
    old.configured(10, rule("other"))
    assert (told(old)[-1], old.state.fired) == ((State.RETIRED, "rule_removed", 10), {})


def test_without_its_rule_it_is_left_as_it_is() -> None:
    """A missing rule is not judged; the next configuration change retires its alerts."""
    old = flapping()
    old.flaps(3)
    old.rules = {}
    assert old.at(300, MISS).changed == ()


def test_d5_other_keys_keep_it() -> None:
    """D5: a severity follows; without `flapping` it ends at the next input, as calm."""
    old = flapping()
    old.flaps(3)
    old.configured(10, rule(flapping=TWICE, severity=Severity.CRITICAL))
    alert = about(old)
    assert alert is not None
    assert alert.severity is Severity.CRITICAL
    old.configured(11, rule(flapping=None))
    assert about(old) is not None
    old.at(12, FALSE)
    assert told(old)[-1] == (State.RESOLVED, "calm", 12)


def test_a5_a_step_of_the_clock_moves_its_episodes() -> None:
    """A5: neither does a step forward calm it, nor one backward prolong it."""
    for by in (10 * MINUTE, -10 * MINUTE):
        busy = flapping()
        busy.flaps(3, every=10)
        busy.stepped(by)
        busy.all({by / SECOND + 70: MISS})
        assert len(told(busy)) == 1
        busy.all({by / SECOND + 70.001: MISS})
        assert told(busy)[-1] == (State.RESOLVED, "calm", by / SECOND + 70.001)


def test_rules_flap_apart_in_the_order_of_the_rules() -> None:
    """Promise 6: several that begin at one input do so in the same order in every replay."""
    names = [f"rule-{number}" for number in range(9)]
    many = Played(*(rule(name, flapping=Limit(1, MINUTE)) for name in names))
    outcome = StepResult(many.state)
    for second in range(4):
        at, found = T0 + second * SECOND, FALSE if second % 2 else TRUE
        event = reading(second + 1, at)
        outcome = many.take(event, dict.fromkeys(names, found))
    assert [turn.rule for turn in outcome.transitions] == names
    assert list(many.state.alerts) == [name + FLAPPING for name in names]
