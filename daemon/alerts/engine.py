"""Engine of one account's alerts: `step(state, input, …) -> StepResult`. Pure.

    input, verdicts ──► step ──► new state, changed alerts, transitions

The engine knows no channel, no message and no clock. An input carries its instant, and timers are
checked only when an input is judged (SEMANTICS A2). The live daemon and every replay run this
function.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from daemon.alerts.flapping import Fired, flap, remember
from daemon.alerts.state_machine import NO_VERDICT, RuleInput, Step, advance
from daemon.rules.evaluation.evaluator import Verdict
from daemon.rules.rule import Rule
from daemon.types import (
    JUDGED,
    AccountState,
    Alert,
    ClockStep,
    ConfigChange,
    Input,
    Millis,
    Miss,
    OnMissing,
    Reading,
    State,
    Transition,
    TransitionReason,
    Unconfirmed,
    base,
)

NameAlert = Callable[[str, str, Millis], str]
"""Function from (rule, account, instant) to the code of a new alert."""


@dataclass(frozen=True, slots=True)
class StepResult:
    state: AccountState
    changed: tuple[Alert, ...] = ()
    """Alerts whose recorded state this input changed, ended ones included, in order of change."""
    transitions: tuple[Transition, ...] = ()


def step(
    state: AccountState,
    event: Input,
    verdicts: Mapping[str, Verdict],
    rules: Mapping[str, Rule],
    name_alert: NameAlert,
) -> StepResult:
    """Apply one input of an account to its alerts.

    `rules` watch the account, `verdicts` are theirs on this input. A rule without a verdict keeps
    its alert as it is (promise 5), unless its `on_missing` asks otherwise (SEMANTICS D4).
    """
    if isinstance(event, ClockStep):
        return _shift(state, event)
    if isinstance(event, ConfigChange):
        return _retire(state, event, rules)
    steps = _own(state, event, verdicts, rules, name_alert)
    flapping = any(alert.swings is not None for alert in state.alerts.values())
    if not steps and not state.fired and not flapping:  # nearly every input returns here
        return StepResult(_arrive(state, event, state.fired))
    fired = remember(state, steps, rules, event.at)
    steps += flap(
        state, event, fired, steps, rules, lambda rule: name_alert(rule, state.account, event.at)
    )
    return _gather(_arrive(state, event, fired), steps)


def _own(
    state: AccountState,
    event: Input,
    verdicts: Mapping[str, Verdict],
    rules: Mapping[str, Rule],
    name_alert: NameAlert,
) -> list[Step]:
    """Steps of the rules' own alerts, without those about flapping."""
    if not verdicts and not isinstance(event, Miss):  # nearly every reading returns here
        return []
    unread = unread_for(state, event.at)
    steps: list[Step] = []
    for name in _concerned(event, verdicts, rules):
        now = RuleInput(
            event, rules[name], unread, partial(name_alert, name, state.account, event.at)
        )
        steps += advance(state.alerts.get(name), verdicts.get(name, NO_VERDICT), now)
    return steps


def _concerned(
    event: Input, verdicts: Mapping[str, Verdict], rules: Mapping[str, Rule]
) -> Iterable[str]:
    """Rules with a verdict, and at a miss those with `on_missing`, in the rules' order."""
    if not isinstance(event, Miss):
        return verdicts
    return [
        name
        for name, rule in rules.items()
        if name in verdicts or rule.on_missing is not OnMissing.KEEP
    ]


def unread_for(state: AccountState, at: Millis) -> Millis:
    """Time without readings at `at`. None are expected before the account was configured."""
    since = max((each for each in (state.judged_at, state.since) if each is not None), default=at)
    return at - since


def _arrive(state: AccountState, event: Input, fired: Fired) -> AccountState:
    judged = isinstance(event, Unconfirmed) or (
        isinstance(event, Reading) and event.quality in JUDGED
    )
    return AccountState(
        state.account,
        event.seq,
        event.at,
        event.at if judged else state.judged_at,
        state.alerts,
        state.since,
        fired,
        state.values,
    )


def _gather(state: AccountState, steps: Iterable[Step]) -> StepResult:
    if not steps:
        return StepResult(state)
    alerts = dict(state.alerts)
    for alert, _ in steps:
        if alert.ended_at is None:
            alerts[alert.rule] = alert
        else:
            alerts.pop(alert.rule, None)
    transitions = tuple(transition for _, transition in steps if transition is not None)
    return StepResult(
        replace(state, alerts=alerts), tuple(alert for alert, _ in steps), transitions
    )


def _shift(state: AccountState, event: ClockStep) -> StepResult:
    moved = shifted(state, event)
    return StepResult(moved, tuple(moved.alerts.values()))


def shifted(state: AccountState, event: ClockStep) -> AccountState:
    """Move every instant held with the clock, so that durations stay true (SEMANTICS A5)."""
    by = event.by
    alerts = {rule: _shifted(alert, by) for rule, alert in state.alerts.items()}
    fired = {
        rule: tuple(replace(swing, fired_at=swing.fired_at + by) for swing in swings)
        for rule, swings in state.fired.items()
    }
    judged_at, since = _moved(state.judged_at, by), _moved(state.since, by)
    return AccountState(
        state.account, event.seq, event.at, judged_at, alerts, since, fired, state.values
    )


def _shifted(alert: Alert, by: Millis) -> Alert:
    return replace(
        alert,
        started_at=alert.started_at + by,
        fired_at=_moved(alert.fired_at, by),
        clearing_since=_moved(alert.clearing_since, by),
    )


def _moved(at: Millis | None, by: Millis) -> Millis | None:
    return None if at is None else at + by


def _retire(state: AccountState, event: ConfigChange, rules: Mapping[str, Rule]) -> StepResult:
    """Retire alerts whose rule is gone or changed its meaning; keep all others (SEMANTICS D5)."""
    steps: list[Step] = []
    for alert in state.alerts.values():
        rule = rules.get(base(alert.rule))
        reason = retirement(alert, rule)
        if reason is not None:
            steps.append(_retired(alert, event, reason))
        elif rule is not None and rule.severity != alert.severity:
            steps.append((replace(alert, severity=rule.severity), None))
    arrived = _arrive(state, event, remember(state, (), rules, event.at))
    return _gather(arrived if state.since is not None else replace(arrived, since=event.at), steps)


def retirement(alert: Alert, rule: Rule | None) -> TransitionReason | None:
    """Reason to retire the alert, given the rule now in force; None if it goes on."""
    if rule is None:
        return TransitionReason.RULE_REMOVED
    return TransitionReason.RULE_CHANGED if rule.meaning != alert.meaning else None


def _retired(alert: Alert, event: ConfigChange, reason: TransitionReason) -> Step:
    ended = replace(alert, state=State.RETIRED, ended_at=event.at, ended_seq=event.seq)
    return ended, Transition(
        alert.rule, alert.seq, event.at, alert.state, State.RETIRED, reason, None
    )
