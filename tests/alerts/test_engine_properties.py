"""Properties of alerts over any inputs: SEMANTICS A5, D1 to D4, D7, E4."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.channel_decisions import NotificationPolicy
from daemon.alerts.dispatch import dispatch
from daemon.alerts.engine import StepResult, step
from daemon.alerts.notification_facts import EvaluationSnapshot
from daemon.rules.evaluation.evaluator import Verdict
from daemon.rules.rule import Rule
from daemon.types import (
    SECOND,
    AccountState,
    ClockStep,
    ConfigChange,
    Input,
    Limit,
    Millis,
    OnMissing,
    State,
    Transition,
)
from tests.alerts.played import name
from tests.values import T0, judged, miss, reading, rule, state

TRUTHS: st.SearchStrategy[bool | None] = st.sampled_from([True, False, None])
VERDICTS = st.builds(
    lambda when, clear, value: Verdict(when, clear, judged(value)),
    TRUTHS,
    TRUTHS,
    st.sampled_from(["90", "80", "300"]),
)
SPANS = st.sampled_from([0, 1 * SECOND, 2 * SECOND, 5 * SECOND])


@dataclass(frozen=True)
class Day:
    """Input that comes `after` the last one: a reading, a miss, or a clock step `by`."""

    after: Millis
    found: Sequence[Verdict] = ()
    by: Millis = 0

    def event(self, seq: int, now: Millis) -> Input:
        if self.by:
            return ClockStep(seq, now + self.by, self.by)
        return reading(seq, now) if self.found else miss(seq, now)


PAUSES = st.sampled_from([0, 1, 500, 1_000, 2_000, 5_000, 60_000])
READ = st.builds(Day, PAUSES, st.tuples(VERDICTS, VERDICTS))
DAYS = st.lists(st.one_of(READ, READ, READ, st.builds(Day, PAUSES)), max_size=40)
STEPPED = st.lists(
    st.one_of(
        READ,
        READ,
        st.builds(Day, PAUSES),
        st.builds(Day, st.just(0), by=st.integers(-99_000, 99_000)),
    ),
    max_size=40,
)
RULES = st.builds(
    rule,
    st.just("one"),
    hold=SPANS,
    keep_firing_for=SPANS,
    on_missing=st.sampled_from(OnMissing),
    missing_after=st.sampled_from([1_000, 3_000]),
    flapping=st.none() | st.builds(Limit, st.integers(1, 3), st.sampled_from([5_000, 60_000])),
)

LEGAL = {
    (State.OK, State.PENDING),
    (State.OK, State.FIRING),
    (State.PENDING, State.FIRING),
    (State.PENDING, State.RESOLVED),
    (State.FIRING, State.RESOLVED),
}


def play(
    days: Sequence[Day], rules: Mapping[str, Rule], here: AccountState
) -> list[tuple[Input, Day, StepResult]]:
    now, played = here.at, []
    for seq, day in enumerate(days, here.seq + 1):
        event = day.event(seq, now + day.after)
        now = event.at
        outcome = step(here, event, dict(zip(rules, day.found, strict=False)), rules, name)
        here = outcome.state
        played.append((event, day, outcome))
    return played


def begun(rules: Mapping[str, Rule]) -> AccountState:
    return step(state(), ConfigChange(1, T0), {}, rules, name).state


@given(DAYS, RULES, RULES)
def test_d_alerts_live_by_their_rules(days: list[Day], first: Rule, second: Rule) -> None:
    """D1, D2: one open alert per rule; moves are legal; a true condition does not clear."""
    rules = {"one": first, "two": replace(second, name="two")}
    standing = dict[str, State]()
    for event, day, outcome in play(days, rules, begun(rules)):
        for turn in outcome.transitions:
            assert turn.from_state is standing.get(turn.rule, State.OK)
            assert (turn.from_state, turn.to_state) in LEGAL
            assert turn.at == event.at
            standing[turn.rule] = turn.to_state
            if turn.to_state is State.RESOLVED:
                del standing[turn.rule]
        assert {rule: alert.state for rule, alert in outcome.state.alerts.items()} == standing
        assert all(alert.ended_at is None for alert in outcome.state.alerts.values())
        assert {alert.rule for alert in outcome.changed} >= {
            turn.rule for turn in outcome.transitions
        }
        for verdict, rule_name in zip(day.found, rules, strict=False):
            ends = [
                turn.reason
                for turn in outcome.transitions
                if turn.rule == rule_name and turn.to_state is State.RESOLVED
            ]
            assert ends == [] or verdict.when is not True or ends == ["back"]
            assert verdict.when is not None or ends in ([], ["back"], ["cleared"])
        assert (outcome.state.seq, outcome.state.at) == (event.seq, event.at)


@given(DAYS, RULES)
def test_d1_pending_is_never_announced(days: list[Day], one: Rule) -> None:
    """D1: news is only of firings; every firing is announced, or told as flapping, once."""
    rules = {"one": one}
    order = NotificationPolicy(rules, ["phone"])
    for event, _, outcome in play(days, rules, begun(rules)):
        news = dispatch(event, outcome, order, {}, EvaluationSnapshot())
        firing = {
            alert.rule for alert in outcome.state.alerts.values() if alert.state is State.FIRING
        }
        assert {notice.key.rule for notice in news.notices} == firing - (
            {"one"} if "one:flapping" in firing else set()
        )
        assert max(Counter(notice.key for notice in news.notices).values(), default=1) == 1


@given(STEPPED, RULES)
def test_a5_a_clock_step_shifts_what_follows_and_nothing_else(days: list[Day], one: Rule) -> None:
    """A5: the same happens without the steps, with all later inputs moved accordingly."""
    rules = {"one": one}
    stepped, moved = list[Transition](), 0
    for event, day, outcome in play(days, rules, begun(rules)):
        moved += day.by
        assert not day.by or outcome.transitions == ()
        stepped += [replace(turn, at=turn.at - moved, alert_seq=0) for turn in outcome.transitions]
        assert event.at - moved >= T0
    plain = [
        outcome for _, _, outcome in play([day for day in days if not day.by], rules, begun(rules))
    ]
    assert stepped == [
        replace(turn, alert_seq=0) for outcome in plain for turn in outcome.transitions
    ]


def plainly(  # noqa: C901 -- plain, not short
    found: Sequence[tuple[Millis, bool | None, bool | None]], one: Rule
) -> list[tuple[State, Millis]]:
    """Model of SEMANTICS D1 and D2 (`for`, `clear_when`, `keep_firing_for`) over all readings."""
    turns = list[tuple[State, Millis]]()
    true_since: Millis | None = None
    clear_since: Millis | None = None
    firing = False
    for at, when, clear in found:
        if when is True:
            clear_since = None
            if true_since is None:
                true_since = at
                if one.hold > 0:
                    turns.append((State.PENDING, at))
            if not firing and at - true_since >= one.hold:
                firing = True
                turns.append((State.FIRING, at))
        elif not firing:
            if when is False and true_since is not None:
                true_since = None
                turns.append((State.RESOLVED, at))
        elif clear is False:
            clear_since = None
        elif clear is True:
            clear_since = at if clear_since is None else clear_since
            if at - clear_since >= one.keep_firing_for:
                firing, true_since, clear_since = False, None, None
                turns.append((State.RESOLVED, at))
    return turns


@given(st.lists(READ, max_size=40), SPANS, SPANS)
def test_d1_d2_equal_what_is_plainly_written(days: list[Day], hold: Millis, keep: Millis) -> None:
    """D1, D2: the engine, which remembers one alert, says what all readings say."""
    one = rule("one", hold=hold, keep_firing_for=keep, flapping=None)
    played = play(days, {"one": one}, begun({"one": one}))
    found = [(event.at, day.found[0].when, day.found[0].clear) for event, day, _ in played]
    turns = [(turn.to_state, turn.at) for _, _, outcome in played for turn in outcome.transitions]
    assert turns == plainly(found, one)
