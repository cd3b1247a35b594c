"""The life of every alert of one account: `step(state, input, …) -> outcome`. Pure.

    input ── what the evaluator made of it ──► step ──► the new state, the alerts it changed, their transitions

It knows no channel, no message and no clock: an input carries its instant, and timers are looked at only when
an input is judged (SEMANTICS A2). The live daemon and everything that replays history run this very function.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from daemon.alerts.life import Step, advance
from daemon.rules.evaluator import Verdict
from daemon.rules.rule import Rule
from daemon.types import (
    JUDGED,
    AccountState,
    Alert,
    ClockStep,
    ConfigChange,
    Input,
    Millis,
    Reading,
    State,
    Transition,
    Unconfirmed,
)

NameAlert = Callable[[str, str, Millis], str]
"""(rule, account, instant) -> the code of a new alert."""


@dataclass(frozen=True, slots=True)
class Outcome:
    state: AccountState
    changed: tuple[Alert, ...] = ()
    """Alerts whose recorded state this input changed, ended ones included."""
    transitions: tuple[Transition, ...] = ()


def step(
    state: AccountState,
    event: Input,
    verdicts: Mapping[str, Verdict],
    rules: Mapping[str, Rule],
    name_alert: NameAlert,
) -> Outcome:
    """Judge one input of an account. `rules` are those that watch it, `verdicts` theirs on this input.

    A rule without a verdict (a miss, for most of them) is left exactly as it is (promise 5).
    """
    if isinstance(event, ClockStep):
        return _shift(state, event)
    if isinstance(event, ConfigChange):
        return _retire(state, event, rules)
    steps = [
        _advance(state, event, rule, verdicts[name], name_alert) for name, rule in rules.items() if name in verdicts
    ]
    return _gather(_arrive(state, event), [step for step in steps if step is not None])


def _advance(state: AccountState, event: Input, rule: Rule, verdict: Verdict, name_alert: NameAlert) -> Step | None:
    return advance(
        state.alerts.get(rule.name), rule, verdict, event, lambda: name_alert(rule.name, state.account, event.at)
    )


def _arrive(state: AccountState, event: Input) -> AccountState:
    judged = isinstance(event, Unconfirmed) or (isinstance(event, Reading) and event.quality in JUDGED)
    return replace(state, seq=event.seq, at=event.at, judged_at=event.at if judged else state.judged_at)


def _gather(state: AccountState, steps: list[Step]) -> Outcome:
    if not steps:
        return Outcome(state)
    alerts = dict(state.alerts)
    for alert, _ in steps:
        if alert.ended_at is None:
            alerts[alert.rule] = alert
        else:
            alerts.pop(alert.rule, None)
    transitions = tuple(transition for _, transition in steps if transition is not None)
    return Outcome(replace(state, alerts=alerts), tuple(alert for alert, _ in steps), transitions)


def _shift(state: AccountState, event: ClockStep) -> Outcome:
    """Every instant held moves with the clock, so that every duration stays true (SEMANTICS A5)."""
    alerts = {rule: _shifted(alert, event.by) for rule, alert in state.alerts.items()}
    judged_at = None if state.judged_at is None else state.judged_at + event.by
    moved = replace(state, seq=event.seq, at=event.at, judged_at=judged_at, alerts=alerts)
    return Outcome(moved, tuple(alerts.values()))


def _shifted(alert: Alert, by: Millis) -> Alert:
    fired_at = None if alert.fired_at is None else alert.fired_at + by
    return replace(alert, started_at=alert.started_at + by, fired_at=fired_at)


def _retire(state: AccountState, event: ConfigChange, rules: Mapping[str, Rule]) -> Outcome:
    """End the alerts whose rule is gone or means something else now; keep all others (SEMANTICS D5)."""
    steps: list[Step] = []
    for alert in state.alerts.values():
        rule = rules.get(alert.rule)
        if rule is None or rule.meaning != alert.meaning:
            steps.append(_retired(alert, event, "rule_removed" if rule is None else "rule_changed"))
        elif rule.severity != alert.severity:
            steps.append((replace(alert, severity=rule.severity), None))
    return _gather(_arrive(state, event), steps)


def _retired(alert: Alert, event: ConfigChange, reason: str) -> Step:
    ended = replace(alert, state=State.RETIRED, ended_at=event.at)
    return ended, Transition(alert.rule, alert.seq, event.at, alert.state, State.RETIRED, reason, None)
