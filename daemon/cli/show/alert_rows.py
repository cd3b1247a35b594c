"""Listing of `marginwatch alerts`, for people and for programs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from fnmatch import fnmatchcase

from daemon.alerts.silences import find_acknowledgement, find_silence
from daemon.cli.options import Format
from daemon.cli.output import times
from daemon.cli.output.tables import (
    Row,
    Table,
    cell_time,
    exact,
    last_of,
    rule_row,
    value_unit,
    write_csv,
    write_json,
)
from daemon.cli.output.terminal import say
from daemon.cli.record_access import OpenRecord
from daemon.cli.silence.actions import format_silence
from daemon.config.model import SYSTEM_RULES
from daemon.config.problems import did_you_mean
from daemon.errors import UsageError
from daemon.rules.rule import is_pattern
from daemon.store.read.recorded import PastAlert
from daemon.text.names import account_label, rule_label
from daemon.text.numbers import format_duration, format_rounded, transition_comparison
from daemon.types import Alert, Millis, Silence, State, Transition, base

SHOWN = "24h"
"""The default span of a table."""

COLUMNS = ("id", "rule", "account", "severity", "at", "from", "to", "value", "reason", "unit")
"""Columns of csv, with one row per transition."""

OPTIONAL = ("severity", "reason", "account", "value", "id")
"""Columns that a narrow terminal may lack, the first one first."""


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """The options of one call, but for the span."""

    account: str
    rule: str
    severity: str | None
    only_open: bool

    def takes(self, past: PastAlert) -> bool:
        alert = past.alert
        return (
            fnmatchcase(past.account, self.account)
            and fnmatchcase(base(alert.rule), self.rule)
            and self.severity in {None, alert.severity.value}
            and not (self.only_open and alert.ended_at is not None)
        )


def show(
    record: OpenRecord, wish: AlertFilter, span: tuple[Millis, Millis], now: Millis, output: Format
) -> None:
    """Print the alerts that match, in the order of their beginnings."""
    record.must_know(wish.account)
    found = filter(wish.takes, _of_known(record.history.alerts(*span), wish.rule, record))
    match output:
        case Format.JSON:
            write_json(_object(each, record.zone) for each in found)
        case Format.CSV:
            write_csv(COLUMNS, transition_rows(found, record.zone))
        case Format.TABLE:
            _show_last(found, record.history.silences(), times.DisplayClock(now, record.zone))


def _of_known(found: Iterable[PastAlert], rule: str, record: OpenRecord) -> Iterable[PastAlert]:
    """The alerts. Raises UsageError for a rule that is neither configured nor recorded in them.

    A pattern may match none, which is said.
    """
    names = SYSTEM_RULES | {each.name for each in record.config.rules}
    if any(fnmatchcase(name, rule) for name in names):
        return found
    alerts = list(found)
    names |= {base(each.alert.rule) for each in alerts}
    if any(fnmatchcase(name, rule) for name in names):
        return alerts
    if is_pattern(rule):
        say(f'no rule matches "{rule}"{did_you_mean(rule, names)}', err=True)
        return alerts
    raise UsageError(f'there is no rule "{rule}"{did_you_mean(rule, names)}')


def _object(past: PastAlert, zone: tzinfo | None) -> Row:
    alert = past.alert
    return {
        "id": alert.code,
        **rule_row(alert.rule),
        "account": past.account,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "started_at": times.format_iso(alert.started_at, zone),
        "fired_at": _iso(alert.fired_at, zone),
        "ended_at": _iso(alert.ended_at, zone),
        "field": None if alert.judged is None else alert.judged.field,
        "condition": None if alert.judged is None else alert.judged.text,
        "worst": exact(alert.worst),
        **value_unit(alert.worst, alert.judged),
        "detail": alert.detail or None,
        "transitions": [_change(each, alert, zone) for each in past.transitions],
    }


def transition_rows(found: Iterable[PastAlert], zone: tzinfo | None) -> Iterator[Row]:
    """The rows of csv, one for each transition."""
    for past in found:
        alert = past.alert
        common = {
            "id": alert.code,
            "rule": alert.rule,
            "account": past.account,
            "severity": alert.severity.value,
        }
        yield from ({**common, **_change(each, alert, zone)} for each in past.transitions)


def _change(transition: Transition, alert: Alert, zone: tzinfo | None) -> Row:
    return {
        "at": times.format_iso(transition.at, zone),
        "from": transition.from_state.value,
        "to": transition.to_state.value,
        "value": exact(transition.value),
        **value_unit(transition.value, transition_comparison(transition, alert)),
        "reason": transition.reason,
    }


def _iso(at: Millis | None, zone: tzinfo | None) -> str | None:
    return None if at is None else times.format_iso(at, zone)


def _show_last(
    found: Iterable[PastAlert], silences: Sequence[Silence], now: times.DisplayClock
) -> None:
    last, remark = last_of(found, "alerts")
    if last:
        columns = ("id", "rule", "account", "severity", "state", "at", "value", "reason")
        rows = [cells for past in last for cells in _cells(past, now)]
        severities = [past.alert.severity.value for past in last for _ in past.transitions]
        Table(columns, rows, frozenset({"value"}), OPTIONAL, severities).write()
        for line in _hushed(last, silences, now.now, now.zone):
            say(line)
    if remark:
        say(remark)


def _hushed(
    found: Iterable[PastAlert], silences: Sequence[Silence], now: Millis, zone: tzinfo | None
) -> Iterator[str]:
    """A line for each open alert that is silenced or acknowledged at present."""
    for past in found:
        alert = past.alert
        if alert.ended_at is not None:
            continue
        silence = find_silence(silences, alert.rule, past.account, alert.code, now)
        if silence is not None:
            yield f"{alert.code} is silenced: {format_silence(silence, zone)}"
        if (ack := find_acknowledgement(silences, alert.code, now)) is not None:
            yield (
                f"{alert.code} is acknowledged{f' ({ack.comment})' if ack.comment else ''}: no"
                " reminders"
            )


def _cells(past: PastAlert, now: times.DisplayClock) -> Iterator[list[str]]:
    """The rows of one alert, one per transition; only the first names the alert."""
    alert = past.alert
    head = [alert.code, rule_label(alert.rule), account_label(past.account), alert.severity.value]
    for each in past.transitions:
        value = _value(each, alert)
        yield [
            *head,
            each.to_state.value,
            cell_time(now, each.at),
            value,
            _reason(alert, each),
        ]
        head = ["", "", "", ""]


def _value(transition: Transition, alert: Alert) -> str:
    """The value, rounded unless that would make it look like its limit."""
    if transition.value is None:
        return ""
    judged = transition_comparison(transition, alert)
    return format_rounded(transition.value, judged, None if judged is None else judged.threshold)


def _reason(alert: Alert, transition: Transition) -> str:
    over = transition.to_state in {State.RESOLVED, State.RETIRED}
    lasted = ""
    if over and alert.fired_at is not None:
        lasted = f", lasted {format_duration(transition.at - alert.fired_at)}"
    found = f": {alert.detail}" if alert.detail and transition.to_state is State.FIRING else ""
    return f"{transition.reason}{found}{lasted}"
