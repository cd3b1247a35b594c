"""The rows that `backtest` prints for programs (DESIGN §5)."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from daemon.cli.output import times
from daemon.cli.output.tables import Row, exact, rule_row, value_unit
from daemon.replay.backtest import ReplayedMessage
from daemon.replay.statistics import RuleSummary, Worst
from daemon.text.numbers import transition_comparison
from daemon.types import SECOND, Alert, Record, Transition


def transitions(record: Record, zone: tzinfo | None) -> list[Row]:
    alerts = {(alert.rule, alert.seq): alert for alert in record.alerts}
    return [
        transition(each, alerts.get((each.rule, each.alert_seq)), record.account, zone)
        for each in record.transitions
    ]


def transition(each: Transition, alert: Alert | None, account: str, zone: tzinfo | None) -> Row:
    return {
        **rule_row(each.rule),
        "account": account,
        "at": times.format_iso(each.at, zone),
        "from": each.from_state.value,
        "to": each.to_state.value,
        "value": exact(each.value),
        **value_unit(each.value, transition_comparison(each, alert)),
        "reason": each.reason,
    }


def notification(told: ReplayedMessage, zone: tzinfo | None) -> dict[str, Any]:
    """The row of one message: `news` has all its items, `kind` is that of the first."""
    keys = [notice.key for notice in told.notices]
    return {
        "channel": told.channel,
        "at": times.format_iso(told.at, zone),
        "kind": keys[0].kind.value,
        "rules": list(dict.fromkeys(key.rule for key in keys)),
        "accounts": list(dict.fromkeys(key.account for key in keys)),
        "news": [
            {"rule": key.rule, "account": key.account, "kind": key.kind.value} for key in keys
        ],
        "text": f"{told.message.title}\n{told.message.body}",
    }


def summary(each: RuleSummary) -> Row:
    return {
        **rule_row(each.rule),
        "alerts": each.alerts,
        "firing_seconds": each.firing / SECOND,
        "longest_seconds": each.longest / SECOND,
        "at_night": each.at_night,
        **worst(each.worst),
        "early_seconds": None if each.early is None else each.early / SECOND,
    }


def worst(known: Sequence[Worst]) -> Row:
    """The worst values: `worst` of the first deciding comparison, `worsts` of each of them."""
    values = [
        {
            "comparison": each.judged.text,
            "value": exact(each.value),
            **value_unit(each.value, each.judged),
        }
        for each in known
    ]
    return {"worst": exact(known[0].value) if known else None, "worsts": values}
