"""Decisions on one input of an account: from verdicts to the record. Pure.

    verdicts ──► step (alerts) ──► dispatch (notifications) ──► new state and record

The live daemon and every replay decide here, in one place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from daemon.alerts.channel_decisions import NotificationPolicy, ToldBy
from daemon.alerts.dispatch import dispatch
from daemon.alerts.engine import NameAlert, step
from daemon.alerts.notification_facts import EvaluationSnapshot
from daemon.alerts.recorded_values import changed_values, next_values
from daemon.rules.evaluation.evaluator import Evaluator, Verdict
from daemon.types import (
    JUDGED,
    AccountState,
    ClockStep,
    ConfigChange,
    Input,
    Miss,
    Reading,
    Record,
    Unconfirmed,
    base,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """Result of one input, before it is committed."""

    state: AccountState
    record: Record


def judge(
    evaluator: Evaluator, event: Input, watched: Mapping[str, object]
) -> Mapping[str, Verdict]:
    """Verdicts on an input; empty if it is not judged. `watched` has the rules with open alerts."""
    match event:
        case Reading(quality=quality) if quality in JUDGED:
            return evaluator.read(event, {base(rule) for rule in watched})
        case Unconfirmed():
            return evaluator.read(event, {base(rule) for rule in watched})
        case Miss():
            return evaluator.miss(event)
        case ClockStep(by=by):
            evaluator.shift(by)
    return {}


def snapshot(
    evaluator: Evaluator, verdicts: Mapping[str, Verdict], watched: Mapping[str, object]
) -> EvaluationSnapshot:
    """Field values and changes for messages. Cheap when no alert can change."""
    if not (verdicts or watched):
        return EvaluationSnapshot(verdicts, evaluator.balances, values=evaluator.values)
    # Cached, as alerts and channels of one input ask for the same fields.
    recent = cache(evaluator.recent)
    return EvaluationSnapshot(
        verdicts,
        evaluator.balances,
        evaluator.changes(),
        evaluator.span,
        recent=recent,
        values=evaluator.values,
    )


def decide(
    state: AccountState,
    event: Input,
    snapshot: EvaluationSnapshot,
    policy: NotificationPolicy,
    told: ToldBy,
    name_alert: NameAlert,
) -> Decision:
    """Compute the account's next state and the record of this input."""
    outcome = step(state, event, snapshot.verdicts, policy.rules, name_alert)
    news = dispatch(event, outcome, policy, told, snapshot)
    record = Record(
        state.account, event, outcome.changed, outcome.transitions, news.notices, news.superseded
    )
    if snapshot.values is state.values and not isinstance(event, ConfigChange):
        return Decision(outcome.state, record)  # nearly every input
    values = next_values(state, event, snapshot.values, policy.rules)
    changed = tuple(changed_values(state.values, values))
    return Decision(replace(outcome.state, values=values), replace(record, values=changed))
