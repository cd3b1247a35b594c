"""State machine of one alert: pending, firing, resolved (SEMANTICS D1 to D4). Pure.

`advance` is the whole machine; the engine calls it once per rule and input.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeAlias

from daemon.rules.evaluation.evaluator import Verdict
from daemon.rules.rule import Rule
from daemon.text.durations import duration_text
from daemon.types import (
    Alert,
    DecidingComparison,
    Input,
    Millis,
    Miss,
    OnMissing,
    State,
    Transition,
    TransitionReason,
)

Step: TypeAlias = tuple[Alert, Transition | None]
"""Alert with a changed record, and its transition if its state changed."""

NO_VERDICT = Verdict(when=None, clear=None)
"""Verdict of an input that does not concern the rule."""


@dataclass(frozen=True, slots=True)
class RuleInput:
    """One input, as one rule sees it."""

    event: Input
    rule: Rule
    unread: Millis
    """Time since the last judged reading."""
    new_code: Callable[[], str]
    """Function that gives the code of a new alert."""

    @property
    def missing(self) -> bool:
        """True if readings are missing for longer than the rule allows (SEMANTICS D4)."""
        concerned = isinstance(self.event, Miss) and self.rule.on_missing is not OnMissing.KEEP
        return concerned and self.unread >= self.rule.missing_after


def advance(alert: Alert | None, verdict: Verdict, now: RuleInput) -> list[Step]:
    """Steps of a rule's alert at one input, in order; empty if nothing changes.

    An unknown condition (`None`) changes nothing: it does not start, delay or end an alert.
    """
    if now.missing:
        return _miss(alert, now)
    if alert is not None and alert.missing and not isinstance(now.event, Miss):
        return _readings_are_back(alert, verdict, now)
    if alert is None:
        return [_begin(verdict, now)] if verdict.when is True else []
    if verdict.when is True:
        return _go_on(alert, verdict, now)
    if alert.state is State.PENDING:
        over = verdict.when is False
        return [_end(alert, verdict, now, TransitionReason.NOT_HELD)] if over else []
    return _clear(alert, verdict, now)


def _begin(verdict: Verdict, now: RuleInput) -> Step:
    alert = _new(verdict, now)
    if now.rule.hold > 0:
        return alert, _transition(alert, State.OK, verdict, now, TransitionReason.CONDITION)
    return _fire(alert, State.OK, verdict, now, TransitionReason.CONDITION)


def _new(verdict: Verdict, now: RuleInput) -> Alert:
    rule, event = now.rule, now.event
    return Alert(
        rule=rule.name,
        seq=event.seq,
        code=now.new_code(),
        severity=rule.severity,
        state=State.PENDING,
        meaning=rule.meaning,
        started_at=event.at,
        judged=verdict.judged,
        worst=_value(verdict.judged),
        detail=verdict.detail,
    )


def _go_on(alert: Alert, verdict: Verdict, now: RuleInput) -> list[Step]:
    """Continue while the condition holds; a pending alert fires once it has held for `for`."""
    seen = _worsen(alert, verdict)
    if seen.clearing_since is not None:
        seen = replace(seen, clearing_since=None)
    if alert.state is State.PENDING and now.event.at - alert.started_at >= now.rule.hold:
        return [_fire(_decided(seen, verdict), State.PENDING, verdict, now, TransitionReason.HELD)]
    return [] if seen is alert else [(seen, None)]


def _clear(alert: Alert, verdict: Verdict, now: RuleInput) -> list[Step]:
    """Clear, or run `keep_firing_for`: from the first clearing input until one that is not (D2)."""
    if verdict.clear is None:
        return []
    if verdict.clear is False:
        return [] if alert.clearing_since is None else [(replace(alert, clearing_since=None), None)]
    since = now.event.at if alert.clearing_since is None else alert.clearing_since
    if now.event.at - since >= now.rule.keep_firing_for:
        return [_end(alert, verdict, now, TransitionReason.CLEARED)]
    return (
        [] if alert.clearing_since is not None else [(replace(alert, clearing_since=since), None)]
    )


def _miss(alert: Alert | None, now: RuleInput) -> list[Step]:
    """Handle missing readings (D4). An alert that fires already keeps firing for its own reason.

    `on_missing = "ok"` ends a firing alert and does nothing else.
    """
    firing = alert is not None and alert.state is State.FIRING
    if now.rule.on_missing is OnMissing.OK:
        if alert is None or not firing:
            return []
        over = replace(alert, detail=_attempt(now.event))
        return [_end(over, NO_VERDICT, now, TransitionReason.MISSING)]
    if firing:
        return []
    verdict = Verdict(when=None, clear=None, judged=_silence(now), detail=_attempt(now.event))
    begun = _new(verdict, now) if alert is None else _decided(alert, verdict)
    before = State.OK if alert is None else State.PENDING
    return [_fire(replace(begun, missing=True), before, verdict, now, TransitionReason.MISSING)]


def _silence(now: RuleInput) -> DecidingComparison:
    """Comparison that stands for the missing readings, for messages."""
    limit = now.rule.missing_after
    text = f"on_missing after {duration_text(limit)}"
    return DecidingComparison(
        text, "age", Decimal(now.unread), Decimal(limit), falling=False, duration=True
    )


def _attempt(event: Input) -> str:
    """Reason why the last attempt gave no reading."""
    return event.detail if isinstance(event, Miss) else ""


def _readings_are_back(alert: Alert, verdict: Verdict, now: RuleInput) -> list[Step]:
    """End the alert about missing readings (D4).

    The first reading counts at once, without `for` and `at_least`.
    """
    over = _end(alert, verdict, now, TransitionReason.BACK)
    if verdict.holds is not True:
        return [over]
    return [over, _fire(_new(verdict, now), State.OK, verdict, now, TransitionReason.BACK)]


def _decided(alert: Alert, verdict: Verdict) -> Alert:
    """Alert with this verdict's comparison. A worst value of another comparison is dropped."""
    same = _side(alert.judged) == _side(verdict.judged)
    detail = verdict.detail or alert.detail
    return replace(
        alert,
        judged=verdict.judged,
        worst=alert.worst if same else _value(verdict.judged),
        detail=detail,
    )


def _fire(
    alert: Alert, before: State, verdict: Verdict, now: RuleInput, reason: TransitionReason
) -> Step:
    firing = replace(alert, state=State.FIRING, fired_at=now.event.at)
    return firing, _transition(firing, before, verdict, now, reason)


def _end(alert: Alert, verdict: Verdict, now: RuleInput, reason: TransitionReason) -> Step:
    ended = replace(alert, state=State.RESOLVED, ended_at=now.event.at, ended_seq=now.event.seq)
    return ended, _transition(ended, alert.state, verdict, now, reason)


def _transition(
    alert: Alert, before: State, verdict: Verdict, now: RuleInput, reason: TransitionReason
) -> Transition:
    return Transition(
        alert.rule, alert.seq, now.event.at, before, alert.state, reason, _value(verdict.judged)
    )


def _worsen(alert: Alert, verdict: Verdict) -> Alert:
    """Alert with the worst value so far of its comparison; the same object if not worse."""
    judged = verdict.judged
    if verdict.detail and verdict.detail != alert.detail:
        alert = replace(alert, detail=verdict.detail)
    if judged is None or judged.value is None:
        return alert
    if alert.worst is None or _side(alert.judged) != judged.side:
        return alert
    worse = judged.value < alert.worst if judged.falling else judged.value > alert.worst
    return replace(alert, worst=judged.value) if worse else alert


def _value(judged: DecidingComparison | None) -> Decimal | None:
    return None if judged is None else judged.value


def _side(judged: DecidingComparison | None) -> tuple[str, bool] | None:
    return None if judged is None else judged.side
