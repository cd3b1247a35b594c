"""How things stand, for `marginwatch status`: the daemon, the accounts, the open alerts, the channels."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

import click

from daemon.alerts.names import called, whose
from daemon.alerts.numbers import amount, lasting, spelled
from daemon.alerts.system import NOBODY
from daemon.cli import hushing, pacing, times
from daemon.cli.options import Format
from daemon.cli.output import Row, Table, exact, write_csv
from daemon.cli.record import Record
from daemon.rules.durations import duration_text
from daemon.store.deliveries import Deliveries
from daemon.store.holder import Holder, holder
from daemon.store.status import AccountStatus, ChannelStatus
from daemon.types import Alert, Millis, Silence

COLUMNS = (
    "account", "user_id", "every", "reading_at", "quality", "available_margin", "miss_at", "miss_reason", "miss_detail",
    "readings_24h", "misses_24h",
)  # fmt: skip
"""Of csv: a row per account."""


@dataclass(frozen=True, slots=True)
class Account:
    """One that is configured. `recorded` is None until a daemon has begun with it."""

    name: str
    every: Millis
    """The effective interval."""
    recorded: AccountStatus | None


@dataclass(frozen=True, slots=True)
class Channel:
    """One that is configured, or for which something still waits."""

    name: str
    waiting: ChannelStatus | None
    tried: Deliveries | None


@dataclass(frozen=True, slots=True)
class Overview:
    now: Millis
    zone: tzinfo | None
    daemon: Holder | None
    accounts: tuple[Account, ...]
    alerts: tuple[tuple[str, Alert], ...]
    """The open ones with their accounts, oldest first."""
    channels: tuple[Channel, ...]
    silences: tuple[Silence, ...]
    """Those that hold, and the acks of open alerts."""

    def at(self, instant: Millis | None) -> str | None:
        return None if instant is None else times.iso(instant, self.zone)

    def ago(self, instant: Millis) -> str:
        """For people; an instant in the future is a clock that was set."""
        return f"{lasting(self.now - instant)} ago" if instant <= self.now else times.shown(instant, self.zone)


def show(record: Record, now: Millis, output: Format) -> None:
    """Print how things stand at `now`."""
    overview = _look(record, now)
    match output:
        case Format.JSON:
            click.echo(json.dumps(_object(overview), ensure_ascii=False, indent=2))
        case Format.CSV:
            write_csv(COLUMNS, (_account(each, overview) for each in overview.accounts))
        case Format.TABLE:
            _print(overview)


def _look(record: Record, now: Millis) -> Overview:
    config, history = record.config, record.history
    recorded = {each.account: each for each in history.status(now)}
    every = pacing.intervals(config, {name: each.user_id for name, each in recorded.items()})
    open_alerts = [(each.account, alert) for each in recorded.values() for alert in each.alerts.values()]
    open_alerts += [(NOBODY, alert) for alert in history.own_alerts()]
    return Overview(
        now=now,
        zone=record.zone,
        daemon=holder(config.daemon.database.reveal()),
        accounts=tuple(Account(each.name, every[each.name], recorded.get(each.name)) for each in config.accounts),
        alerts=tuple(sorted(open_alerts, key=lambda pair: pair[1].started_at)),
        channels=tuple(_channels(record, now)),
        silences=tuple(hushing.holding(record, now)),
    )


def _channels(record: Record, now: Millis) -> Iterator[Channel]:
    waiting = {each.channel: each for each in record.history.waiting(now)}
    tried = {each.channel: each for each in record.history.deliveries()}
    for name in dict.fromkeys([*(each.name for each in record.config.channels), *waiting]):
        yield Channel(name, waiting.get(name), tried.get(name))


# For programs.


def _object(overview: Overview) -> Row:
    daemon = overview.daemon
    return {
        "at": overview.at(overview.now),
        "collecting": daemon is not None,
        "pid": int(daemon.pid) if daemon is not None and daemon.pid.isdecimal() else None,
        "accounts": [_account(each, overview) for each in overview.accounts],
        "alerts": [_alert(account, alert, overview) for account, alert in overview.alerts],
        "channels": [_channel(each, overview) for each in overview.channels],
        "silences": [hushing.row(each, overview.zone) for each in overview.silences],
    }


def _account(account: Account, overview: Overview) -> Row:
    told = account.recorded
    reading, miss = (None, None) if told is None else (told.reading, told.miss)
    return {
        "account": account.name,
        "user_id": None if told is None else told.user_id or None,
        "every": duration_text(account.every),
        "reading_at": overview.at(None if reading is None else reading.at),
        "quality": None if reading is None else reading.quality.value,
        "available_margin": None if reading is None else exact(reading.balances.available_margin),
        "miss_at": overview.at(None if miss is None else miss.at),
        "miss_reason": None if miss is None else miss.reason.value,
        "miss_detail": None if miss is None else miss.detail,
        "readings_24h": 0 if told is None else told.readings,
        "misses_24h": 0 if told is None else told.misses,
    }


def _alert(account: str, alert: Alert, overview: Overview) -> Row:
    return {
        "id": alert.code,
        "rule": alert.rule,
        "account": account,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "started_at": overview.at(alert.started_at),
        "fired_at": overview.at(alert.fired_at),
        "worst": exact(alert.worst),
        "detail": alert.detail or None,
    }


def _channel(channel: Channel, overview: Overview) -> Row:
    tried, waiting = channel.tried, channel.waiting
    return {
        "channel": channel.name,
        "delivered_at": overview.at(None if tried is None else tried.delivered_at),
        "failures": 0 if tried is None else tried.failures,
        "detail": None if tried is None else tried.detail or None,
        "waiting": 0 if waiting is None else waiting.waiting,
        "waiting_since": overview.at(None if waiting is None else waiting.oldest),
    }


# For people.


def _print(overview: Overview) -> None:
    click.echo(_daemon(overview.daemon))
    accounts = [_account_cells(each, overview) for each in overview.accounts]
    _section("accounts", ("account", "every", "last reading", "available_margin", "24 h", "last miss"), accounts)
    for trouble in filter(None, map(_trouble, overview.accounts)):
        click.echo(trouble)
    alerts = [_alert_cells(account, alert, overview) for account, alert in overview.alerts]
    _section("open alerts", ("id", "rule", "account", "severity", "state", "for", "worst"), alerts)
    for account, alert in overview.alerts:
        if alert.detail:
            click.echo(f"{called(alert.rule)} · {whose(account)}: {alert.detail}")
    for each in overview.silences:
        click.echo(f"{'acknowledged' if each.ack else f'silence {each.id}'}: {hushing.told(each, overview.zone)}")
    channels = [_channel_cells(each, overview) for each in overview.channels]
    _section("channels", ("channel", "last delivery", "failing", "waiting"), channels)


def _section(title: str, columns: tuple[str, ...], rows: list[list[str]]) -> None:
    click.echo(f"\n{title}" if rows else f"\n{title}: none")
    if rows:
        Table(columns, rows, frozenset({"available_margin", "worst"})).write()


def _daemon(daemon: Holder | None) -> str:
    if daemon is None:
        return "no daemon is collecting: start it with marginwatch run"
    pid = f", pid {daemon.pid}" if daemon.pid else ""
    return f"a daemon is collecting{pid}{f' on {daemon.host}' if daemon.host else ''}"


def _account_cells(account: Account, overview: Overview) -> list[str]:
    told = account.recorded
    reading, miss = (None, None) if told is None else (told.reading, told.miss)
    margin = None if reading is None else reading.balances.available_margin
    return [
        account.name,
        duration_text(account.every),
        "never" if reading is None else overview.ago(reading.at),
        "-" if margin is None else amount(margin),
        "-" if told is None else f"{told.readings} read, {told.misses} missed",
        "-" if miss is None else f"{overview.ago(miss.at)}: {miss.reason}",
    ]


def _trouble(account: Account) -> str:
    """Why an account is not read at present, with what to do; empty where its last attempt succeeded."""
    told = account.recorded
    if told is None or told.miss is None or (told.reading is not None and told.reading.seq > told.miss.seq):
        return ""
    return f"{account.name}: {told.miss.detail}"


def _alert_cells(account: str, alert: Alert, overview: Overview) -> list[str]:
    lasts = lasting(overview.now - (alert.fired_at or alert.started_at))
    worst = "-" if alert.worst is None else spelled(alert.worst, alert.judged)
    return [alert.code, called(alert.rule), whose(account), alert.severity.value, alert.state.value, lasts, worst]


def _channel_cells(channel: Channel, overview: Overview) -> list[str]:
    tried, waiting = channel.tried, channel.waiting
    delivered = "never" if tried is None or tried.delivered_at is None else overview.ago(tried.delivered_at)
    failing = f"{tried.failures} in a row: {tried.detail}" if tried is not None and tried.failures else "no"
    queued = "nothing" if waiting is None else f"{waiting.waiting}, the oldest {overview.ago(waiting.oldest)}"
    return [channel.name, delivered, failing, queued]
