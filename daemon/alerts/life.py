"""One alert, one input: pending, firing, resolved (SEMANTICS D1 to D3). Pure.

`advance` is the whole state machine; the engine calls it once per rule and input.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from daemon.rules.evaluator import Verdict
from daemon.rules.rule import Rule
from daemon.types import Alert, Input, Judged, State, Transition

Step: TypeAlias = tuple[Alert, Transition | None]
"""An alert whose recorded state changed, and the transition if its state did."""


def advance(
    alert: Alert | None, rule: Rule, verdict: Verdict, event: Input, new_code: Callable[[], str]
) -> Step | None:
    """What `event` does to the alert of `rule` on one account; None when it changes nothing.

    An unknown condition (`None`) changes nothing: it neither starts, holds up, nor ends an alert.
    """
    if alert is None:
        return _begin(rule, verdict, event, new_code) if verdict.when is True else None
    if verdict.when is True:
        return _go_on(alert, rule, verdict, event)
    if alert.state is State.PENDING:
        return _end(alert, verdict, event, "not_held") if verdict.when is False else None
    return _end(alert, verdict, event, "cleared") if verdict.clear is True else None


def _begin(rule: Rule, verdict: Verdict, event: Input, new_code: Callable[[], str]) -> Step:
    alert = Alert(
        rule=rule.name,
        seq=event.seq,
        code=new_code(),
        severity=rule.severity,
        state=State.PENDING,
        meaning=rule.meaning,
        started_at=event.at,
        judged=verdict.judged,
        worst=_value(verdict.judged),
    )
    if rule.hold > 0:
        return alert, _transition(alert, State.OK, event, "condition", verdict)
    return _fire(alert, State.OK, event, "condition", verdict)


def _go_on(alert: Alert, rule: Rule, verdict: Verdict, event: Input) -> Step | None:
    seen = _worsen(alert, verdict.judged)
    if alert.state is State.PENDING and event.at - alert.started_at >= rule.hold:
        return _fire(replace(seen, judged=verdict.judged), State.PENDING, event, "held", verdict)
    return None if seen is alert else (seen, None)


def _fire(alert: Alert, before: State, event: Input, reason: str, verdict: Verdict) -> Step:
    firing = replace(alert, state=State.FIRING, fired_at=event.at)
    return firing, _transition(firing, before, event, reason, verdict)


def _end(alert: Alert, verdict: Verdict, event: Input, reason: str) -> Step:
    ended = replace(alert, state=State.RESOLVED, ended_at=event.at)
    return ended, _transition(ended, alert.state, event, reason, verdict)


def _transition(alert: Alert, before: State, event: Input, reason: str, verdict: Verdict) -> Transition:
    return Transition(alert.rule, alert.seq, event.at, before, alert.state, reason, _value(verdict.judged))


def _worsen(alert: Alert, judged: Judged | None) -> Alert:
    """The alert with the worst value so far of the side that it was raised for; the same object if no worse."""
    if judged is None or judged.value is None:
        return alert
    if alert.judged is None or alert.judged.field != judged.field or alert.worst is None:
        return alert
    worse = judged.value < alert.worst if judged.falling else judged.value > alert.worst
    return replace(alert, worst=judged.value) if worse else alert


def _value(judged: Judged | None) -> Decimal | None:
    return None if judged is None else judged.value
