"""The life of one alert beyond its first firing: SEMANTICS D2 to D4, alone and together."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from daemon.alerts.state_machine import RuleInput, advance
from daemon.rules.evaluation.evaluator import Verdict
from daemon.rules.rule import AtLeast
from daemon.types import MINUTE, SECOND, DecidingComparison, OnMissing, Quality, State
from tests.alerts.played import MISS, Played
from tests.values import BETWEEN, FALSE, T0, TRUE, UNKNOWN, judged, miss, reading, rule, state

BEGUN = (State.OK, State.FIRING, "condition", 1)
OK, PENDING, FIRING, RESOLVED = State.OK, State.PENDING, State.FIRING, State.RESOLVED

# Timers.


def test_a2_timers_are_looked_at_only_when_an_input_is_judged() -> None:
    """A2: whatever was due before, a transition's instant is that of the input which brings it."""
    late = Played(rule(hold=2 * SECOND, keep_firing_for=2 * SECOND)).all(
        {1: TRUE, 9: TRUE, 10: FALSE, 99: FALSE}
    )
    assert late.moves[1:] == [(PENDING, FIRING, "held", 9), (FIRING, RESOLVED, "cleared", 99)]
    gone = missing().all({1: FALSE, 50: MISS})
    assert gone.moves == [(OK, FIRING, "missing", 50)]


# keep_firing_for


def test_d2_keep_firing_for_starts_at_the_first_reading_that_would_clear() -> None:
    """D2: an alert ends once it has cleared for `keep_firing_for`, not an instant earlier."""
    kept = rule(keep_firing_for=3 * SECOND)
    assert Played(kept).all([TRUE, FALSE, FALSE, FALSE]).moves == [BEGUN]
    assert Played(kept).all([TRUE, FALSE, FALSE, FALSE, FALSE]).moves == [
        BEGUN,
        (FIRING, RESOLVED, "cleared", 5),
    ]


def test_d2_keep_firing_for_is_cancelled_by_a_reading_that_would_not_clear() -> None:
    """D2: the time begins anew after a true reading, or one between both conditions."""
    kept = rule(keep_firing_for=2 * SECOND)
    again = Played(kept).all([TRUE, FALSE, FALSE, TRUE, FALSE, FALSE])
    assert again.moves == [BEGUN]
    assert again.alert is not None
    assert again.alert.clearing_since == T0 + 5 * SECOND
    wide = rule(keep_firing_for=2 * SECOND, clear_when="available_margin > 120")
    between = Played(wide).all([TRUE, FALSE, BETWEEN, BETWEEN, FALSE, FALSE])
    assert between.moves == [BEGUN]
    assert between.all({7: FALSE}).moves == [BEGUN, (FIRING, RESOLVED, "cleared", 7)]


def test_d2_unknown_and_misses_neither_cancel_nor_complete_keep_firing_for() -> None:
    """D2, C2: unknown readings change nothing; time goes on until a clearing reading ends it."""
    kept = rule(keep_firing_for=3 * SECOND)
    waiting = Played(kept).all([TRUE, FALSE, UNKNOWN, MISS, UNKNOWN, MISS])
    assert waiting.moves == [BEGUN]
    assert waiting.all({7: FALSE}).moves == [BEGUN, (FIRING, RESOLVED, "cleared", 7)]


def test_d2_clear_when_that_is_unknown_ends_nothing() -> None:
    """D2, C2: `when` is false, but nobody knows whether `clear_when` holds."""
    unsure = Verdict(when=False, clear=None)
    assert Played(rule(clear_when="slope(al_freeze, 1h) > 0")).all([TRUE, unsure]).moves == [BEGUN]


def test_d2_a_pending_alert_knows_no_keep_firing_for() -> None:
    """D1, D2: both keys about the end concern firing alerts only."""
    slow = rule(hold=MINUTE, keep_firing_for=MINUTE, clear_when="available_margin > 120")
    assert Played(slow).all([TRUE, BETWEEN]).moves[-1] == (PENDING, RESOLVED, "not_held", 2)


def test_what_did_not_change_while_it_waits_for_its_end_is_not_written() -> None:
    """Promise 1: only the first clearing reading, and the first that is not, are recorded."""
    wide = Played(rule(keep_firing_for=MINUTE, clear_when="available_margin > 120"))
    wide.all([TRUE, FALSE])
    assert [
        len(wide.at(second, one).changed)
        for second, one in ((3, FALSE), (4, BETWEEN), (5, BETWEEN))
    ] == [0, 1, 0]


# on_missing


def missing(**policy: Any) -> Played:
    policy = {"on_missing": OnMissing.FIRING, "missing_after": 3 * SECOND, **policy}
    return Played(rule(**policy))


def test_d4_missing_readings_fire() -> None:
    """D4: fires at the first miss after `missing_after`, not earlier, with its reason."""
    assert missing().all([FALSE, MISS, MISS, MISS]).moves == [(OK, FIRING, "missing", 4)]
    early = missing().all({1: FALSE, 3.999: MISS})
    assert early.moves == []
    fired = early.all({4: MISS})
    assert fired.alert is not None
    assert (fired.alert.missing, fired.alert.detail) == (True, "no answer within 10 s")
    assert fired.alert.judged == DecidingComparison(
        "on_missing after 3s", "age", Decimal(3_000), Decimal(3_000), falling=False, duration=True
    )
    assert fired.transitions[0].value == Decimal(3_000)


def test_d4_an_account_that_was_never_read_is_missing_since_it_was_configured() -> None:
    """D4: a key that never worked fires; before the configuration nothing is missing."""
    fresh = missing()
    fresh.at(0, MISS)
    assert fresh.at(60, MISS).transitions == ()
    fresh.configured(60, fresh.rule)
    fresh.configured(61, fresh.rule)
    assert fresh.state.since == T0 + MINUTE
    assert fresh.all({62.9: MISS, 63: MISS}).moves == [(OK, FIRING, "missing", 63)]


def test_a4_downtime_counts_but_a_first_reading_that_succeeds_raises_nothing() -> None:
    """A4: after a start nothing is judged before the first attempt has ended."""
    calm = missing()
    calm.configured(0, calm.rule)
    calm.at(1, FALSE)
    calm.configured(1_000, calm.rule)
    assert calm.all({1_001: FALSE}).moves == []
    down = missing()
    down.configured(0, down.rule)
    down.at(1, FALSE)
    down.configured(1_000, down.rule)
    assert down.all({1_001: MISS}).moves == [(OK, FIRING, "missing", 1_001)]


def test_d4_an_account_that_comes_back_is_not_missing_since_before_it_was_removed() -> None:
    """D4, D5: while nobody watched, nobody expected readings."""
    back = missing()
    back.configured(0, back.rule)
    back.at(1, FALSE)
    back.state = replace(
        back.state, since=None
    )  # as `opening` leaves an account that is configured no more
    back.configured(1_000, back.rule)
    assert back.all({1_002.9: MISS}).moves == []
    assert back.all({1_003: MISS}).moves == [(OK, FIRING, "missing", 1_003)]


def test_d4_back_and_low_counts_at_once_whatever_at_least_asks() -> None:
    """D3, D4: the first reading after a silence decides, though `at_least` counts anew."""
    few = missing(at_least=AtLeast(3, 5)).all({1: FALSE, 4: MISS})
    low = Verdict(when=None, clear=None, judged=judged("10"), m_of_n=True, holds_alone=True)
    assert few.all({5: low}).moves[1:] == [(FIRING, RESOLVED, "back", 5), (OK, FIRING, "back", 5)]
    high = missing(at_least=AtLeast(3, 5)).all({1: FALSE, 4: MISS})
    fine = Verdict(when=None, clear=None, judged=judged("500"), m_of_n=True, holds_alone=False)
    assert high.all({5: fine}).moves[1:] == [(FIRING, RESOLVED, "back", 5)]


def test_d4_on_missing_keep_is_promise_5() -> None:
    """D4, promise 5: by default missing readings neither fire nor end anything, however long."""
    assert missing(on_missing=OnMissing.KEEP).all({1: FALSE, 99: MISS}).moves == []
    assert missing(on_missing=OnMissing.KEEP).all({1: TRUE, 99: MISS}).moves == [BEGUN]


@pytest.mark.parametrize("found", [FALSE, UNKNOWN, BETWEEN], ids=["false", "unknown", "between"])
def test_d4_what_was_missing_ends_at_the_first_reading_that_is_not_true(found: Verdict) -> None:
    """D4: whatever `clear_when` and `keep_firing_for` say."""
    stubborn = missing(clear_when="available_margin > 120", keep_firing_for=MINUTE)
    stubborn.all({1: FALSE, 4: MISS, 5: MISS, 6: found})
    assert stubborn.moves == [(OK, FIRING, "missing", 4), (FIRING, RESOLVED, "back", 6)]
    assert stubborn.alert is None


def test_d4_readings_are_back_and_low() -> None:
    """D4: it ends, and a new episode fires at once, without `for`, both in one input."""
    slow = missing(hold=MINUTE).all({1: FALSE, 4: MISS})
    first = slow.alert
    outcome = slow.at(6, TRUE)
    assert slow.moves == [
        (OK, FIRING, "missing", 4),
        (FIRING, RESOLVED, "back", 6),
        (OK, FIRING, "back", 6),
    ]
    over, begun = outcome.changed
    assert first is not None
    assert (over.seq, over.ended_seq, begun.seq) == (first.seq, begun.seq, 3)
    assert (slow.alert, begun.missing, begun.fired_at) == (begun, False, T0 + 6 * SECOND)
    assert (begun.judged, begun.worst) == (TRUE.judged, Decimal(90))


def test_d4_what_fires_again_lives_on_by_its_own_keys() -> None:
    """D4, D2: the new episode is an ordinary one: clear_when and keep_firing_for hold again."""
    back = missing(keep_firing_for=2 * SECOND).all({1: FALSE, 4: MISS, 6: TRUE, 7: FALSE})
    assert len(back.moves) == 3
    assert back.all({9: FALSE}).moves[3:] == [(FIRING, RESOLVED, "cleared", 9)]


def test_d4_an_alert_that_fires_goes_on_firing_for_its_own_reason() -> None:
    """D4: it is not told a second time, and ends by its own condition."""
    low = missing(clear_when="available_margin > 120").all(
        {1: TRUE, 5: MISS, 6: UNKNOWN, 7: BETWEEN}
    )
    assert low.moves == [BEGUN]
    assert low.all({8: FALSE}).moves[1:] == [(FIRING, RESOLVED, "cleared", 8)]


@pytest.mark.parametrize("found", [TRUE, FALSE, UNKNOWN], ids=["true", "false", "unknown"])
def test_d4_a_pending_alert_fires_as_missing(found: Verdict) -> None:
    """D4: a pending alert fires at once; it then acts as any alert about missing readings."""
    pending = missing(hold=MINUTE).all({1: TRUE, 4: MISS})
    assert pending.alert is not None
    assert (pending.alert.seq, pending.alert.started_at, pending.alert.worst) == (
        1,
        T0 + SECOND,
        Decimal(3_000),
    )
    pending.at(5, found)
    again = [(OK, FIRING, "back", 5)] if found is TRUE else []
    assert pending.moves == [
        (OK, PENDING, "condition", 1),
        (PENDING, FIRING, "missing", 4),
        (FIRING, RESOLVED, "back", 5),
        *again,
    ]


def test_d4_what_is_missing_is_written_once() -> None:
    """Promise 1: miss after miss changes nothing about the alert."""
    long = missing().all({1: FALSE, 4: MISS})
    assert long.at(5, MISS).changed == ()


def test_d4_a_suspect_reading_does_not_bring_readings_back() -> None:
    """D4, B5: only judged readings do."""
    gone = missing().all({1: FALSE, 4: MISS})
    gone.take(reading(3, T0 + 5 * SECOND, Quality.SUSPECT), {})
    assert len(gone.moves) == 1


def test_d4_on_missing_ok_ends_what_fires_as_missing() -> None:
    """D4: with reason `missing` and without a value; the condition may fire it anew."""
    forgiving = missing(on_missing=OnMissing.OK, keep_firing_for=MINUTE).all(
        {1: TRUE, 3: MISS, 4: MISS}
    )
    assert forgiving.moves == [BEGUN, (FIRING, RESOLVED, "missing", 4)]
    assert (forgiving.transitions[-1].value, forgiving.alert) == (None, None)
    assert forgiving.all({5: MISS, 6: TRUE}).moves[2:] == [(OK, FIRING, "condition", 6)]


def test_d4_on_missing_ok_leaves_what_is_pending() -> None:
    """D1, D4: it ends firing alerts; a gap neither resets nor completes `for`."""
    slow = missing(on_missing=OnMissing.OK, hold=8 * SECOND).all({1: TRUE, 5: MISS})
    assert slow.all({9: TRUE}).moves == [
        (OK, PENDING, "condition", 1),
        (PENDING, FIRING, "held", 9),
    ]


def test_d4_a_step_of_the_clock_makes_nothing_missing() -> None:
    """A5, D4: how long readings have been missing is a duration."""
    calm = missing().all({1: FALSE})
    calm.stepped(MINUTE)
    assert calm.all({62: MISS}).moves == []
    assert calm.all({64: MISS}).moves == [(OK, FIRING, "missing", 64)]


def test_a_verdict_on_a_miss_counts_while_readings_are_not_missing_yet() -> None:
    """Promise 5: a rule that names `age` is judged at misses, until `on_missing` takes over."""
    both = rule(on_missing=OnMissing.FIRING, missing_after=MINUTE, when="age > 5s")
    here = state(judged_at=T0)
    rule_input = RuleInput(miss(1, T0 + 6 * SECOND), both, 6 * SECOND, lambda: "abcd")
    [(alert, moved)] = advance(None, TRUE, rule_input)
    assert moved is not None
    assert (moved.reason, alert.missing, here.alerts) == ("condition", False, {})


# What an alert remembers.


def test_the_worst_value_is_of_the_comparison_that_fired() -> None:
    """A pending alert that fires for another part of its condition drops the old worst value."""
    freeze = Verdict(
        when=True, clear=False, judged=judged("7", "5", falling=False, field="al_freeze")
    )
    played = Played(rule(hold=SECOND)).all([TRUE, freeze])
    assert played.alert is not None
    assert (played.alert.judged, played.alert.worst) == (freeze.judged, Decimal(7))
    same = Played(rule(hold=2 * SECOND)).all([TRUE, replace(TRUE, judged=judged("40")), TRUE])
    assert same.alert is not None
    assert (same.alert.judged, same.alert.worst) == (judged("90"), Decimal(40))


def test_what_a_system_rule_found_is_remembered_and_kept_up() -> None:
    """D7: the latest sentence is the alert's; an input without one leaves it."""
    said = Played(rule()).all([replace(TRUE, detail="one"), replace(TRUE, detail="two"), TRUE])
    assert said.alert is not None
    assert said.alert.detail == "two"


def test_d1_what_is_pending_without_a_value_may_fire_without_one() -> None:
    """Nothing is invented where no comparison decided."""
    bare = Verdict(when=True, clear=False)
    played = Played(rule(hold=SECOND)).all([bare, bare])
    assert played.alert is not None
    assert (played.alert.state, played.alert.worst) == (FIRING, None)
