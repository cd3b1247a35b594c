"""Facts of a notification, taken from the alert, the input and the verdicts. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from daemon.alerts.engine import StepResult
from daemon.alerts.trend import NO_TREND, minute_changes, trend
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
    RecordedValue,
    State,
    Unconfirmed,
    base,
)

FIRING_NOW = "firing now"
"""Detail of a flapping alert whose rule fires at this moment."""


@dataclass(frozen=True, slots=True)
class EvaluationSnapshot:
    """Snapshot of the evaluator at one input, for messages: field values and their changes."""

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    balances: Balances = field(default_factory=Balances)
    changes: Mapping[str, Decimal] = field(default_factory=dict)
    """Change over `span`, by field."""
    span: Millis = 0
    hourly: Mapping[str, Decimal] = field(default_factory=dict)
    """Change over the last hour, by field."""
    recent: Callable[[str], Points] = lambda _: ()
    """Values of a field in the last minutes. Called only when a notification is built."""
    values: tuple[RecordedValue, ...] = ()
    """Values that the rules keep."""


def balance_changes(since: Balances, now: Balances) -> Mapping[str, Decimal]:
    """Change of each field, without fields that were or are unknown."""
    known = ((name, VALUES[name](now), VALUES[name](since)) for name in CORE)
    changes = (
        (name, subtracted(after, before))
        for name, after, before in known
        if after is not None is not before
    )
    return {name: change for name, change in changes if change is not None}


def notification_facts(
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
        read_at=None if outcome.state.judged_at == event.at else outcome.state.judged_at,
        minutely=minute_changes(snapshot.recent, event.at),
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
    """Widen the range by the value at which the rule fires now, not yet part of the episode."""
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
    """Comparison as judged now; if not judged now, the alert's own with the last known value."""
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
    """Comparison with the time without readings by now, for an alert about missing readings."""
    judged, fired_at = alert.judged, alert.fired_at
    if judged is None or judged.value is None or fired_at is None:
        return judged
    return replace(judged, value=added(judged.value, Decimal(at - fired_at)))


def _standing(flapping: Alert, outcome: StepResult) -> str:
    """Words that say whether the rule that flaps fires now."""
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
    """Check for worse than `told`, by that share of it; False for another comparison."""
    if told is None or told.side != now.side or told.value is None or now.value is None:
        return False
    step = CONTEXT.multiply(abs(told.value), share)
    worse = subtracted(told.value, now.value) if now.falling else subtracted(now.value, told.value)
    return worse is not None and worse > 0 and worse >= step


def worst_of(told: NotificationFacts) -> DecidingComparison | None:
    """Worse end of the range that was told of a flapping rule."""
    if told.judged is None or told.swings is None:
        return None
    return replace(told.judged, value=told.swings.low if told.judged.falling else told.swings.high)


def is_wider(now: FlapRange, told: FlapRange | None) -> bool:
    """Check whether the range reaches beyond the one told; any value is beyond an empty range."""
    if told is None or now.low is None or now.high is None:
        return False
    if told.low is None or told.high is None:
        return True
    return now.low < told.low or now.high > told.high
