"""Writes the log: every transition, and each failure once, with its end. Decides nothing."""

import logging
from collections.abc import Sequence

from daemon.log import FailureLog
from daemon.text.names import rule_label
from daemon.text.numbers import format_transition_value, format_value
from daemon.types import (
    Alert,
    AttemptResult,
    ClockStep,
    Kind,
    Message,
    Miss,
    Notice,
    Outcome,
    Reading,
    Record,
    State,
    Transition,
)

_log = logging.getLogger("marginwatch")


class EventLog:
    """The observer that writes the log."""

    def __init__(self, failure_log: FailureLog) -> None:
        self._failure_log = failure_log
        self._worse: tuple[str, str, int] | None = None
        """The last worsening that was logged: account, rule, input."""

    def judged(self, record: Record) -> None:
        self._heard(record)
        alerts = {(alert.rule, alert.seq): alert for alert in record.alerts}
        for notice in record.notices:
            self._worsened(notice)
        for transition in record.transitions:
            self._moved(
                record.account, transition, alerts.get((transition.rule, transition.alert_seq))
            )

    def attempted(
        self, channel: str, message: Message, notices: Sequence[Notice], attempted: AttemptResult
    ) -> None:
        """Log a delivery, or a failure once."""
        if attempted.outcome is Outcome.DELIVERED:
            self._failure_log.ended(
                ("deliver", channel), "the channel works again", channel=channel
            )
            # A picture or a report brings no news of an alert.
            level = logging.INFO if notices else logging.DEBUG
            extra = {"channel": channel, "notifications": len(notices)}
            _log.log(level, "delivered: %s", message.title, extra=extra)
        else:
            sentence = f"a message was not delivered: {attempted.detail or attempted.outcome}"
            self._failure_log.failed(
                ("deliver", channel), sentence, reason=attempted.outcome, channel=channel
            )

    def _heard(self, record: Record) -> None:
        match record.event:
            case Miss(reason=reason, detail=detail):
                self._failure_log.failed(
                    ("read", record.account), detail, reason=reason, account=record.account
                )
            case Reading():
                self._failure_log.ended(
                    ("read", record.account), "readings are back", account=record.account
                )
            case ClockStep(by=by):
                _log.warning("the clock was set", extra={"account": record.account, "by_ms": by})

    def _worsened(self, notice: Notice) -> None:
        """Log one line per input, whatever the number of channels."""
        key, judged = notice.key, notice.facts.judged
        if key.kind is Kind.WORSE and self._worse != (key.account, key.rule, key.seq):
            self._worse = key.account, key.rule, key.seq
            value = {}
            if judged is not None and judged.value is not None:
                value = {"value": format_value(judged.value, judged)}
            extra = {"account": key.account, "rule": key.rule, **value, "alert": notice.facts.code}
            _log.info("%s worse", rule_label(key.rule), extra=extra)

    def _moved(self, account: str, transition: Transition, alert: Alert | None) -> None:
        """Log a transition; a pending one that never fired at debug level."""
        pending = State.PENDING in {transition.from_state, transition.to_state}
        level = (
            logging.DEBUG if pending and transition.to_state is not State.FIRING else logging.INFO
        )
        detail = alert.detail if alert is not None and transition.to_state is State.FIRING else ""
        what = (
            f"{rule_label(transition.rule)} {transition.to_state}{f': {detail}' if detail else ''}"
        )
        _log.log(level, "%s", what, extra=_extra(account, transition, alert))


def _extra(account: str, transition: Transition, alert: Alert | None) -> dict[str, str]:
    value = format_transition_value(transition, alert)
    code = "" if alert is None else alert.code
    whom = {"account": account} if account else {}
    return {
        **whom,
        "rule": transition.rule,
        **({"value": value} if value else {}),
        **_range(alert),
        "reason": transition.reason,
        "alert": code,
    }


def _range(alert: Alert | None) -> dict[str, str]:
    """Number and value range of a flapping rule's episodes."""
    if alert is None or alert.swings is None:
        return {}
    count, low, high = alert.swings.count, alert.swings.low, alert.swings.high
    bounds = {}
    if low is not None and high is not None:
        bounds = {"low": format_value(low, alert.judged), "high": format_value(high, alert.judged)}
    return {"episodes": str(count), **bounds}
