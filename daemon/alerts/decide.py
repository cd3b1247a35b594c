"""One input of an account, from verdicts to news: what the live daemon and every replay decide, in
one place. Pure.

verdicts ──► step (the alerts' lives) ──► dispatch (who is told) ──► the new state, and the record of it all
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from daemon.alerts.dispatch import NotificationPolicy, ToldBy, dispatch
from daemon.alerts.engine import NameAlert, step
from daemon.alerts.notification_facts import EvaluationSnapshot
from daemon.rules.evaluation.evaluator import Evaluator, Verdict
from daemon.types import (
    JUDGED,
    AccountState,
    ClockStep,
    Input,
    Miss,
    Reading,
    Record,
    Unconfirmed,
    base,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one input comes to, before it is committed."""

    state: AccountState
    record: Record


def judge(
    evaluator: Evaluator, event: Input, watched: Mapping[str, object]
) -> Mapping[str, Verdict]:
    """The verdicts on an input, as far as it is judged; `watched` are the rules with alerts."""
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
    """What messages tell of this input; of most inputs nobody is told anything."""
    if not (verdicts or watched):
        return EvaluationSnapshot(verdicts, evaluator.balances)
    recent = cache(evaluator.recent)  # alerts and channels of one input ask for the same
    return EvaluationSnapshot(
        verdicts, evaluator.balances, evaluator.changes(), evaluator.span, recent=recent
    )


def decide(
    state: AccountState,
    event: Input,
    snapshot: EvaluationSnapshot,
    order: NotificationPolicy,
    told: ToldBy,
    name_alert: NameAlert,
) -> Decision:
    """The account's next state, and everything that is to be recorded with it."""
    outcome = step(state, event, snapshot.verdicts, order.rules, name_alert)
    news = dispatch(event, outcome, order, told, snapshot)
    record = Record(
        state.account, event, outcome.changed, outcome.transitions, news.notices, news.superseded
    )
    return Decision(outcome.state, record)
