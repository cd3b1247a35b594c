"""What the log says of the daemon's work: every transition, and each failure once, with its end. Decides nothing."""

import logging
from collections.abc import Sequence

from daemon.alerts.numbers import spelled
from daemon.log import Episodes
from daemon.types import (
    Alert,
    Attempted,
    ClockStep,
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


class Reporter:
    """The watcher that writes the log."""

    def __init__(self, episodes: Episodes) -> None:
        self._episodes = episodes

    def judged(self, record: Record) -> None:
        self._heard(record)
        alerts = {(alert.rule, alert.seq): alert for alert in record.alerts}
        for transition in record.transitions:
            self._moved(record.account, transition, alerts.get((transition.rule, transition.alert_seq)))

    def attempted(self, channel: str, message: Message, notices: Sequence[Notice], attempted: Attempted) -> None:
        """Delivered messages are told at debug level: the transition has been logged already."""
        del message
        if attempted.outcome is Outcome.DELIVERED:
            self._episodes.ended(("deliver", channel), "the channel works again", channel=channel)
            _log.debug("delivered", extra={"channel": channel, "notifications": len(notices)})
        else:
            sentence = f"a message could not be delivered: {attempted.detail or attempted.outcome}"
            self._episodes.failed(("deliver", channel), sentence, reason=attempted.outcome, channel=channel)

    def _heard(self, record: Record) -> None:
        match record.event:
            case Miss(reason=reason, detail=detail):
                self._episodes.failed(("read", record.account), detail, reason=reason, account=record.account)
            case Reading():
                self._episodes.ended(("read", record.account), "readings are back", account=record.account)
            case ClockStep(by=by):
                _log.warning("the clock was set", extra={"account": record.account, "by_ms": by})

    def _moved(self, account: str, transition: Transition, alert: Alert | None) -> None:
        """What nobody is told of (a pending that came to nothing) is logged at debug level."""
        pending = State.PENDING in {transition.from_state, transition.to_state}
        level = logging.DEBUG if pending and transition.to_state is not State.FIRING else logging.INFO
        _log.log(level, "%s %s", transition.rule, transition.to_state, extra=_extra(account, transition, alert))


def _extra(account: str, transition: Transition, alert: Alert | None) -> dict[str, str]:
    field = alert.judged.field if alert is not None and alert.judged is not None else ""
    value = {} if transition.value is None else {"value": spelled(transition.value, field)}
    code = "" if alert is None else alert.code
    return {"account": account, "rule": transition.rule, **value, "reason": transition.reason, "alert": code}
