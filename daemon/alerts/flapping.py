"""Flapping: a rule that fires again and again gets one alert of its own (SEMANTICS E4). Pure.

That alert is named after the rule, with FLAPPING behind it. It begins with the firing that exceeds
the limit, grows with the range of the values, and ends when the rule has calmed down. Routing,
reminders and restarts then work as for every alert; dispatch sends no single episodes meanwhile.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from daemon.alerts.state_machine import Step
from daemon.rules.rule import Rule
from daemon.types import (
    FLAPPING,
    AccountState,
    Alert,
    DecidingComparison,
    FlapEpisode,
    FlapRange,
    Input,
    Millis,
    State,
    Transition,
    TransitionReason,
    base,
)

NewCode = Callable[[str], str]
"""Function from the name of an alert's rule to the alert's code."""

Fired = Mapping[str, tuple[FlapEpisode, ...]]


def remember(
    state: AccountState, steps: Iterable[Step], rules: Mapping[str, Rule], at: Millis
) -> Fired:
    """Update the recent firing episodes, by rule, with this input's steps.

    Episodes older than the span of the rule's `flapping` are dropped.
    """
    fired = {rule: _recent(swings, rules.get(rule), at) for rule, swings in state.fired.items()}
    for alert, transition in steps:
        rule = rules.get(alert.rule)
        if alert.fired_at is None or rule is None or rule.flapping is None:
            continue
        swings = fired.get(alert.rule, ())
        if transition is not None and transition.to_state is State.FIRING:
            judged = None if alert.missing else alert.judged
            swings = (*swings, FlapEpisode(alert.fired_at, meaning=alert.meaning, judged=judged))
        fired[alert.rule] = _widened(swings, alert, transition)
    return {rule: swings for rule, swings in fired.items() if swings}


def _recent(
    swings: tuple[FlapEpisode, ...], rule: Rule | None, at: Millis
) -> tuple[FlapEpisode, ...]:
    if rule is None or rule.flapping is None:
        return ()
    earliest, meaning = at - rule.flapping.per, rule.meaning
    return tuple(
        swing for swing in swings if swing.fired_at >= earliest and swing.meaning == meaning
    )


def _widened(
    swings: tuple[FlapEpisode, ...], alert: Alert, transition: Transition | None
) -> tuple[FlapEpisode, ...]:
    """Widen the range of the last episode. The duration of a silence is no value of the field."""
    if not swings or alert.missing:
        return swings
    *before, last = swings
    for value in (alert.worst, transition.value if transition is not None else None):
        last = replace(last, low=_lower(last.low, value), high=_higher(last.high, value))
    return (*before, last)


def _lower(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _higher(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return max((each for each in (one, other) if each is not None), default=None)


def flap(
    state: AccountState,
    event: Input,
    fired: Fired,
    steps: Iterable[Step],
    rules: Mapping[str, Rule],
    code: NewCode,
) -> list[Step]:
    """Steps of the alerts about flapping; `steps` are those of the rules' own alerts."""
    # Episodes that began to fire, or ended. A pending episode does not count.
    turned = {
        turn.rule: turn.to_state is State.FIRING
        for _, turn in steps
        if turn is not None and State.FIRING in {turn.from_state, turn.to_state}
    }
    found = [
        _go_on(alert, event, fired, turned, rules)
        for alert in state.alerts.values()
        if alert.swings is not None
    ]
    for name in (name for name, began in turned.items() if began):
        rule, swings = rules[name], fired.get(name, ())
        if (
            name + FLAPPING not in state.alerts
            and rule.flapping is not None
            and len(swings) > rule.flapping.count
        ):
            found.append(_begin(rule, event, swings, code))
    return [step for step in found if step is not None]


def _begin(rule: Rule, event: Input, swings: tuple[FlapEpisode, ...], code: NewCode) -> Step:
    alert = Alert(
        rule=rule.name + FLAPPING,
        seq=event.seq,
        code=code(rule.name + FLAPPING),
        severity=rule.severity,
        state=State.FIRING,
        meaning=rule.meaning,
        started_at=swings[0].fired_at,
        fired_at=event.at,
        judged=_comparison(swings),
        swings=_extent(FlapRange(len(swings), None, None), swings),
    )
    return alert, _turn(alert, event, State.OK, TransitionReason.FLAPPING)


def _go_on(
    alert: Alert, event: Input, fired: Fired, turned: Mapping[str, bool], rules: Mapping[str, Rule]
) -> Step | None:
    """Continue, grow or end a flapping alert.

    `turned` has the rules with an episode that began (True) or ended (False) at this input. Only
    for these the range is updated.
    """
    name = base(alert.rule)
    rule, swings = rules.get(name), fired.get(name, ())
    if alert.swings is None or rule is None:
        return None
    if rule.flapping is None or 2 * len(swings) <= rule.flapping.count:
        over = replace(alert, state=State.RESOLVED, ended_at=event.at, ended_seq=event.seq)
        return over, _turn(over, event, State.FIRING, TransitionReason.CALM)
    if name not in turned:
        return None
    grown = _extent(replace(alert.swings, count=alert.swings.count + turned[name]), swings)
    judged = alert.judged or _comparison(swings)
    return None if grown == alert.swings else (replace(alert, swings=grown, judged=judged), None)


def _comparison(swings: tuple[FlapEpisode, ...]) -> DecidingComparison | None:
    """Comparison that the values of the range belong to. Missing readings have none."""
    return next((swing.judged for swing in reversed(swings) if swing.judged is not None), None)


def _extent(told: FlapRange, swings: tuple[FlapEpisode, ...]) -> FlapRange:
    low, high = told.low, told.high
    for swing in swings:
        low, high = _lower(low, swing.low), _higher(high, swing.high)
    return replace(told, low=low, high=high)


def _turn(alert: Alert, event: Input, before: State, reason: TransitionReason) -> Transition:
    return Transition(alert.rule, alert.seq, event.at, before, alert.state, reason, None)
