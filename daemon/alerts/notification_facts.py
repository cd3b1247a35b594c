"""What a notification tells of an alert, taken from the alert, the input and what the evaluator
made of it. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from daemon.alerts.engine import StepResult
from daemon.alerts.trend import NO_TREND, trend
from daemon.readings.exact import CONTEXT, added, subtracted
from daemon.readings.fields import CORE, VALUES
from daemon.rules.evaluation.evaluator import Points, Verdict
from daemon.types import (
    Alert,
    Balances,
    DecidingComparison,
    FlapRange,
    Input,
    Millis,
    NotificationFacts,
    State,
    Unconfirmed,
    base,
)

FIRING_NOW = "firing now"
"""How a rule that no longer flaps stands, where it fires."""


@dataclass(frozen=True, slots=True)
class EvaluationSnapshot:
    """What the evaluator knows at this input, for the messages: the fields now and how they
    moved.
    """

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    balances: Balances = field(default_factory=Balances)
    changes: Mapping[str, Decimal] = field(default_factory=dict)
    """By field: over `span`."""
    span: Millis = 0
    hourly: Mapping[str, Decimal] = field(default_factory=dict)
    """By field: over the last hour."""
    recent: Callable[[str], Points] = lambda _: ()
    """By field: its values in the last minutes. They are asked for only when somebody is told
    something.
    """


def moved(since: Balances, now: Balances) -> Mapping[str, Decimal]:
    """By field, how much it changed; without those that were or are unknown."""
    known = ((name, VALUES[name](now), VALUES[name](since)) for name in CORE)
    changes = (
        (name, subtracted(after, before))
        for name, after, before in known
        if after is not None is not before
    )
    return {name: change for name, change in changes if change is not None}


def facts(
    alert: Alert, event: Input, outcome: StepResult, snapshot: EvaluationSnapshot
) -> NotificationFacts:
    judged = _judged(alert, event.at, snapshot)
    same = judged is not None and alert.judged is not None and judged.side == alert.judged.side
    return NotificationFacts(
        severity=alert.severity,
        code=alert.code,
        since=alert.started_at,
        fired_at=alert.fired_at,
        at=event.at,
        judged=judged,
        worst=alert.worst if same else None,
        reason=_reason(alert, outcome),
        balances=snapshot.balances,
        changes=snapshot.changes,
        span=snapshot.span,
        hourly=snapshot.hourly,
        trend=trend(judged, snapshot.recent, event.at)
        if judged is not None and alert.swings is None
        else NO_TREND,
        unconfirmed=isinstance(event, Unconfirmed),
        detail=alert.detail if alert.swings is None else _standing(alert, outcome),
        swings=None if alert.swings is None else _range(alert.swings, alert, snapshot),
    )


def _range(swings: FlapRange, flapping: Alert, snapshot: EvaluationSnapshot) -> FlapRange:
    """The range of a flapping rule with the value at which it fires now, which only the episode's
    end adds to it.
    """
    verdict = snapshot.verdicts.get(base(flapping.rule))
    judged = None if verdict is None or verdict.when is not True else verdict.judged
    if (
        judged is None
        or judged.value is None
        or flapping.judged is None
        or judged.field != flapping.judged.field
    ):
        return swings
    low = judged.value if swings.low is None else min(swings.low, judged.value)
    high = judged.value if swings.high is None else max(swings.high, judged.value)
    return replace(swings, low=low, high=high)


def _judged(alert: Alert, at: Millis, snapshot: EvaluationSnapshot) -> DecidingComparison | None:
    """The comparison as it is now; where it was not judged now, as it was, with what its field was
    last seen at.
    """
    if alert.missing and alert.ended_at is None:
        return _silence(alert, at)
    verdict = snapshot.verdicts.get(base(alert.rule))
    if verdict is not None and verdict.judged is not None:
        return verdict.judged
    judged = alert.judged
    seen = (
        None
        if judged is None or judged.field not in VALUES
        else VALUES[judged.field](snapshot.balances)
    )
    return judged if judged is None or seen is None else replace(judged, value=seen)


def _silence(alert: Alert, at: Millis) -> DecidingComparison | None:
    """For how long readings have been missing by now, of an alert that fires because they are."""
    judged, fired_at = alert.judged, alert.fired_at
    if judged is None or judged.value is None or fired_at is None:
        return judged
    return replace(judged, value=added(judged.value, Decimal(at - fired_at)))


def _standing(flapping: Alert, outcome: StepResult) -> str:
    """How the rule that flaps stands now."""
    own = outcome.state.alerts.get(base(flapping.rule))
    return FIRING_NOW if own is not None and own.state is State.FIRING else "not firing now"


def _reason(alert: Alert, outcome: StepResult) -> str:
    ours = (
        turn.reason
        for turn in outcome.transitions
        if (turn.rule, turn.alert_seq) == (alert.rule, alert.seq)
    )
    return next(ours, "")


def is_worse(now: DecidingComparison, told: DecidingComparison | None, share: Decimal) -> bool:
    """Whether the judged value is worse than the one told by that share of it; of another
    comparison it is not.
    """
    if told is None or told.side != now.side or told.value is None or now.value is None:
        return False
    step = CONTEXT.multiply(abs(told.value), share)
    worse = subtracted(told.value, now.value) if now.falling else subtracted(now.value, told.value)
    return worse is not None and worse > 0 and worse >= step


def worst_of(told: NotificationFacts) -> DecidingComparison | None:
    """The worse end of the range that was told of a flapping rule."""
    if told.judged is None or told.swings is None:
        return None
    return replace(told.judged, value=told.swings.low if told.judged.falling else told.swings.high)


def is_wider(now: FlapRange, told: FlapRange | None) -> bool:
    """Whether the range of a flapping rule reaches beyond the one that was told; every value is
    beyond none.
    """
    if told is None or now.low is None or now.high is None:
        return False
    if told.low is None or told.high is None:
        return True
    return now.low < told.low or now.high > told.high
