"""Open alerts for `status`, with the news of each channel and the reason why it is held back."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from daemon.alerts.channel_decisions import FiringDecider, NotificationPolicy
from daemon.cli.channel_news import ChannelNews, channel_news, channel_row
from daemon.cli.output.tables import Row, exact, rule_row, value_unit
from daemon.cli.output.times import DisplayClock
from daemon.cli.record_access import OpenRecord
from daemon.cli.replay_source import rule_set
from daemon.store.read.status import AccountStatus
from daemon.text.names import account_label, rule_label
from daemon.text.numbers import format_duration, format_rounded
from daemon.types import DAEMON_ACCOUNT, SEVERITIES, AccountState, Alert, Millis, State

COLUMNS = ("id", "rule", "account", "severity", "state", "for", "worst")

OPTIONAL = ("severity", "account")
"""Columns that a narrow terminal may lack, the first one first."""


@dataclass(frozen=True, slots=True)
class OpenAlert:
    account: str
    alert: Alert
    news: Sequence[ChannelNews]
    """By channel; empty while it is pending."""


def open_alerts(
    record: OpenRecord, recorded: Iterable[AccountStatus], now: Millis
) -> tuple[OpenAlert, ...]:
    """The open alerts of the accounts and of the daemon itself.

    Those that fire come first, then by severity, then the oldest.
    """
    own = {alert.rule: alert for alert in record.history.own_alerts()}
    by_account = {each.account: each.alerts for each in recorded} | {DAEMON_ACCOUNT: own}
    found: list[OpenAlert] = []
    for account, alerts in by_account.items():
        if alerts:
            decider = _decider(record, account, alerts, now)
            found += [
                OpenAlert(account, alert, channel_news(record.history, decider, alert, now))
                for alert in alerts.values()
            ]
    return tuple(sorted(found, key=lambda each: _urgency(each.alert)))


def _urgency(alert: Alert) -> tuple[bool, int, Millis]:
    severity = SEVERITIES.index(alert.severity)
    return alert.state is not State.FIRING, severity, alert.started_at


def _decider(
    record: OpenRecord, account: str, alerts: Mapping[str, Alert], now: Millis
) -> FiringDecider:
    config = record.config
    own = {rule.name: rule for rule in config.daemon_rules}
    rules = own if account == DAEMON_ACCOUNT else rule_set(config).watching(account)
    channels = [channel.name for channel in config.channels]
    policy = NotificationPolicy(rules, channels, config.mutes, record.history.silences())
    return FiringDecider(AccountState(account, alerts=alerts), policy, now)


def alert_row(each: OpenAlert, now: DisplayClock) -> Row:
    alert = each.alert
    return {
        "id": alert.code,
        **rule_row(alert.rule),
        "account": each.account,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "started_at": now.iso(alert.started_at),
        "fired_at": now.iso(alert.fired_at),
        "worst": exact(alert.worst),
        **value_unit(alert.worst, alert.judged),
        "detail": alert.detail or None,
        "channels": [channel_row(news, now) for news in each.news],
    }


def alert_cells(each: OpenAlert, now: DisplayClock) -> list[str]:
    alert = each.alert
    lasts = format_duration(now.now - (alert.fired_at or alert.started_at))
    limit = None if alert.judged is None else alert.judged.threshold
    worst = "-" if alert.worst is None else format_rounded(alert.worst, alert.judged, limit)
    return [
        alert.code,
        rule_label(alert.rule),
        account_label(each.account),
        alert.severity.value,
        alert.state.value,
        lasts,
        worst,
    ]


def alert_sentences(each: OpenAlert, now: DisplayClock) -> Iterator[str]:
    """Sentences below the table: a finding, why news is held back, and when it escalates."""
    name = f"{rule_label(each.alert.rule)} · {account_label(each.account)}"
    if each.alert.detail:
        yield f"{name}: {each.alert.detail}"
    held = defaultdict[str, list[str]](list)
    for news in each.news:
        if news.is_held or news.is_to_escalate:
            held[news.text(now.clock_time)].append(news.channel)
    for text, channels in held.items():
        yield f"{name} to {' and '.join(channels)}: {text}"
