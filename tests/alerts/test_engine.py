"""The life of alerts, told in verdicts: SEMANTICS A, D."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from daemon.alerts.engine import StepResult, step
from daemon.rules.evaluation.evaluator import Verdict
from daemon.rules.rule import Rule
from daemon.types import (
    MINUTE,
    SECOND,
    AccountState,
    ClockStep,
    ConfigChange,
    Input,
    Millis,
    Quality,
    Severity,
    State,
    Transition,
    Unconfirmed,
)
from tests.values import BETWEEN, FALSE, T0, TRUE, UNKNOWN, judged, miss, reading, rule, state


def name(rule: str, account: str, at: Millis) -> str:
    return f"{rule}-{account}-{at - T0}"


def play(
    verdicts: Sequence[Verdict], one: Rule, every: Millis = SECOND
) -> tuple[AccountState, list[Transition]]:
    """Feed one verdict per second to a fresh account."""
    here, seen = state(), list[Transition]()
    for seq, verdict in enumerate(verdicts, 1):
        outcome = step(
            here, reading(seq, T0 + seq * every), {one.name: verdict}, {one.name: one}, name
        )
        here = outcome.state
        seen += outcome.transitions
    return here, seen


def moves(transitions: Sequence[Transition]) -> list[tuple[State, State, str, int]]:
    return [(t.from_state, t.to_state, t.reason, (t.at - T0) // SECOND) for t in transitions]


def test_d1_without_for_the_first_transition_is_to_firing() -> None:
    """D1: no `for`, no pending."""
    _, seen = play([FALSE, TRUE], rule())
    assert moves(seen) == [(State.OK, State.FIRING, "condition", 2)]


def test_d1_a_pending_that_stops_holding_ends_not_held() -> None:
    """D1: pending ends as resolved with reason not_held."""
    here, seen = play([TRUE, FALSE], rule(hold=5 * SECOND))
    assert moves(seen) == [
        (State.OK, State.PENDING, "condition", 1),
        (State.PENDING, State.RESOLVED, "not_held", 2),
    ]
    assert here.alerts == {}


def test_d1_for_is_met_between_the_first_and_the_last_true_reading() -> None:
    """D1: `for` is met once first and last true reading are `for` apart, not an instant earlier."""
    _, early = play([TRUE] * 5, rule(hold=5 * SECOND))
    _, met = play([TRUE] * 6, rule(hold=5 * SECOND))
    assert moves(early) == [(State.OK, State.PENDING, "condition", 1)]
    assert moves(met)[1:] == [(State.PENDING, State.FIRING, "held", 6)]


def test_d1_a_gap_neither_resets_nor_completes_for() -> None:
    """D1: unknown readings and misses leave the clock running, and fire nothing themselves."""
    _, seen = play([TRUE, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN], rule(hold=3 * SECOND))
    assert moves(seen) == [(State.OK, State.PENDING, "condition", 1)]
    _, seen = play([TRUE, UNKNOWN, UNKNOWN, UNKNOWN, TRUE], rule(hold=3 * SECOND))
    assert moves(seen)[1:] == [(State.PENDING, State.FIRING, "held", 5)]


def test_d2_clear_when_concerns_firing_alerts_only() -> None:
    """D2: between the two conditions a firing alert stays, and a pending one ends."""
    here, seen = play([TRUE, BETWEEN], rule(clear_when="available_margin > 120"))
    assert moves(seen) == [(State.OK, State.FIRING, "condition", 1)]
    assert here.alerts["low"].state is State.FIRING
    _, pending = play([TRUE, BETWEEN], rule(clear_when="available_margin > 120", hold=MINUTE))
    assert moves(pending)[-1] == (State.PENDING, State.RESOLVED, "not_held", 2)


def test_d2_while_when_is_true_nothing_clears() -> None:
    """D2: `when` wins over a `clear_when` that is true as well."""
    both = Verdict(when=True, clear=True, judged=judged("90"))
    here, seen = play([both, both], rule())
    assert len(seen) == 1
    assert here.alerts["low"].state is State.FIRING


def test_an_end_carries_the_value_that_ended_it() -> None:
    """A resolved transition stores the value at its end."""
    _, seen = play([TRUE, FALSE], rule())
    assert moves(seen)[-1] == (State.FIRING, State.RESOLVED, "cleared", 2)
    assert seen[-1].value == Decimal(500)


@pytest.mark.parametrize("verdict", [UNKNOWN, FALSE])
def test_c2_an_unknown_condition_changes_nothing(verdict: Verdict) -> None:
    """C2: unknown neither starts an alert nor ends it."""
    here, seen = play([UNKNOWN, verdict], rule())
    assert (here.alerts, seen) == ({}, [])
    here, seen = play([TRUE, UNKNOWN], rule())
    assert here.alerts["low"].state is State.FIRING
    here, seen = play([TRUE, UNKNOWN], rule(hold=MINUTE))
    assert here.alerts["low"].state is State.PENDING


def test_promise_5_a_miss_fires_and_resolves_nothing() -> None:
    """Promise 5: without a verdict an alert is left exactly as it is."""
    here, _ = play([TRUE], rule())
    outcome = step(here, miss(2, T0 + MINUTE), {}, {"low": rule()}, name)
    assert outcome.transitions == ()
    assert outcome.changed == ()
    assert outcome.state.alerts == here.alerts
    assert (outcome.state.seq, outcome.state.at, outcome.state.judged_at) == (
        2,
        T0 + MINUTE,
        T0 + SECOND,
    )


def test_the_worst_value_of_an_episode_is_remembered() -> None:
    """Lower is worse for `<`: the worst goes down with the value, and not up again."""
    verdicts = [
        Verdict(when=True, clear=False, judged=judged(value)) for value in ("90", "40", "70")
    ]
    here, _ = play(verdicts, rule())
    assert here.alerts["low"].worst == Decimal(40)
    assert here.alerts["low"].judged == judged("90")


def test_for_a_rising_condition_higher_is_worse() -> None:
    """For `>` the worst goes up."""
    values = ("250", "500", "300")
    verdicts = [
        Verdict(when=True, clear=False, judged=judged(v, "200", falling=False)) for v in values
    ]
    here, _ = play(verdicts, rule())
    assert here.alerts["low"].worst == Decimal(500)


@pytest.mark.parametrize(
    "second",
    [None, judged(None), judged("1", field="al_freeze")],
    ids=["nothing judged", "value unknown", "another field decided"],
)
def test_only_the_field_that_raised_an_alert_makes_it_worse(second: object) -> None:
    """A value that is unknown, or of another comparison, is no worse value of this one."""
    verdicts = [TRUE, Verdict(when=True, clear=False, judged=second)]  # type: ignore[arg-type]
    here, _ = play(verdicts, rule())
    assert here.alerts["low"].worst == Decimal(90)


def test_an_alert_that_began_without_a_value_has_no_worst() -> None:
    """Nothing is invented where no comparison decided."""
    here, seen = play([Verdict(when=True, clear=False), TRUE], rule())
    assert (here.alerts["low"].worst, seen[0].value) == (None, None)


def test_what_did_not_change_is_not_written() -> None:
    """Promise 1: an input that changes nothing about an alert leaves its record alone."""
    here, _ = play([TRUE], rule())
    outcome = step(here, reading(2, T0 + 2 * SECOND), {"low": TRUE}, {"low": rule()}, name)
    assert outcome.changed == ()


def test_a1_only_judged_readings_move_the_age() -> None:
    """A1, B5: a suspect reading counts as an input, and judges nothing."""
    outcome = step(state(), reading(1, T0, Quality.SUSPECT), {}, {}, name)
    assert (outcome.state.seq, outcome.state.judged_at) == (1, None)
    late = Unconfirmed(2, T0 + SECOND, reading(1, T0, Quality.SUSPECT))
    assert step(outcome.state, late, {}, {}, name).state.judged_at == T0 + SECOND


def test_a5_a_clock_step_shifts_every_instant_held() -> None:
    """A5: durations stay true across a step; pending and firing alerts move with the clock."""
    rules = {"low": rule(), "held": rule("held", hold=MINUTE)}
    here = step(state(), reading(1, T0), {"low": TRUE, "held": TRUE}, rules, name).state
    outcome = step(here, ClockStep(2, T0 - 5 * MINUTE, -5 * MINUTE), {}, rules, name)
    assert outcome.state.judged_at == T0 - 5 * MINUTE
    assert {a.started_at for a in outcome.state.alerts.values()} == {T0 - 5 * MINUTE}
    assert outcome.state.alerts["low"].fired_at == T0 - 5 * MINUTE
    assert len(outcome.changed) == 2
    assert outcome.transitions == ()


def test_a5_a_step_before_any_reading_shifts_nothing() -> None:
    """A5: nothing held, nothing shifted."""
    assert step(state(), ClockStep(1, T0, 400), {}, {}, name) == StepResult(state(seq=1, at=T0))


def test_d5_an_unchanged_rule_keeps_its_alert() -> None:
    """D5: every key but the meaning may change and keeps the state; severity follows."""
    here, _ = play([TRUE], rule())
    same = rule(when="availableMargin<100", severity=Severity.CRITICAL, repeat=None)
    outcome = step(here, ConfigChange(2, T0 + MINUTE), {}, {"low": same}, name)
    assert outcome.transitions == ()
    assert outcome.state.alerts["low"].severity is Severity.CRITICAL
    again = step(outcome.state, ConfigChange(3, T0 + MINUTE), {}, {"low": same}, name)
    assert again.changed == ()


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({}, "rule_removed"),
        ({"low": rule(when="available_margin < 99")}, "rule_changed"),
        ({"low": rule(hold=MINUTE)}, "rule_changed"),
        ({"low": rule(clear_when="available_margin > 120")}, "rule_changed"),
    ],
)
def test_d5_a_changed_meaning_retires_the_alert(rules: dict[str, Rule], reason: str) -> None:
    """D5: a removed rule or a changed `when`, `clear_when` or `for` retires the alert."""
    here, _ = play([TRUE], rule())
    outcome = step(here, ConfigChange(2, T0 + MINUTE), {}, rules, name)
    assert outcome.state.alerts == {}
    assert [(t.from_state, t.to_state, t.reason) for t in outcome.transitions] == [
        (State.FIRING, State.RETIRED, reason)
    ]
    assert outcome.changed[0].ended_at == T0 + MINUTE
    assert isinstance(outcome, StepResult)


def test_two_rules_live_apart() -> None:
    """Each rule has its own alert, in the order of the verdicts, which is that of the rules."""
    rules = {"a": rule("a"), "b": rule("b"), "c": rule("c")}
    event: Input = reading(1, T0)
    outcome = step(state(), event, {"a": TRUE, "b": TRUE, "c": FALSE}, rules, name)
    assert [t.rule for t in outcome.transitions] == ["a", "b"]
    assert [a.code for a in outcome.changed] == ["a-main-0", "b-main-0"]
