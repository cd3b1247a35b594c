"""Overview for `marginwatch status`: the daemon, the accounts, the open alerts, the channels."""

from collections.abc import Iterator, Sequence
from itertools import chain

from daemon.cli.options import Format
from daemon.cli.output.tables import Row, Table, exact, to_json, write_csv
from daemon.cli.output.terminal import STDOUT, echo, say
from daemon.cli.output.times import DisplayClock
from daemon.cli.record_access import OpenRecord
from daemon.cli.silence import actions
from daemon.cli.status import channels
from daemon.cli.status import exchange as traffic
from daemon.cli.status.health import ALERTING, BLIND, WELL, Finding, exit_status, findings, headline
from daemon.cli.status.nearest import COLUMNS as NEAREST_COLUMNS
from daemon.cli.status.nearest import OPTIONAL as OPTIONAL_OF_NEAREST
from daemon.cli.status.nearest import nearest_cells, nearest_row
from daemon.cli.status.open_alerts import COLUMNS as ALERT_COLUMNS
from daemon.cli.status.open_alerts import OPTIONAL as OPTIONAL_OF_ALERTS
from daemon.cli.status.open_alerts import alert_cells, alert_row, alert_sentences
from daemon.cli.status.state import EVERY, AccountOverview, Overview, gather
from daemon.readings import sum_check
from daemon.store.read.status import AccountStatus
from daemon.text.durations import duration_text
from daemon.text.numbers import format_absence, format_amount
from daemon.types import Millis, Miss, Quality, Reading

COLUMNS = (
    "account", "user_id", "every", "reading_at", "quality", "available_margin",
    "miss_at", "miss_reason", "miss_detail", "readings_24h", "misses_24h", "margin_is_sum",
    "paused_until", "pause_reason", "clock_ahead_ms",
    "nearest_rule", "nearest_field", "nearest_value", "nearest_limit", "nearest_distance",
)  # fmt: skip
"""Columns of csv, with one row per account."""


COLOURS = {WELL: "green", ALERTING: "yellow", BLIND: "red"}
"""The colour of the first line, by the exit status."""


def show(record: OpenRecord, now: Millis, output: Format, accounts: str = EVERY) -> int:
    """Print the state at `now`; return the exit status."""
    overview = gather(record, now, accounts)
    found = findings(overview)
    match output:
        case Format.JSON:
            STDOUT.write(to_json(_object(overview, found), indent=2) + "\n")
        case Format.CSV:
            write_csv(COLUMNS, (_csv_row(each, overview) for each in overview.accounts))
        case Format.TABLE:
            _print(overview, found)
    return exit_status(found)


# For programs.


def _object(overview: Overview, found: Sequence[Finding]) -> Row:
    first, *others = traffic.budget_rows(overview.traffic, overview.now.zone)
    return {
        "at": overview.now.iso(overview.now.now),
        "not_well": [{"why": each.why.value, "text": each.text} for each in found],
        **_daemon_row(overview),
        "budget": {key: value for key, value in first.items() if key != "address"},
        "budgets": [first, *others],
        "rollups_left": {"hours": overview.rollups.hours, "inputs": overview.rollups.inputs},
        "accounts": [_account(each, overview) for each in overview.accounts],
        "alerts": [alert_row(each, overview.now) for each in overview.alerts],
        "channels": [channels.channel_row(each, overview.now) for each in overview.channels],
        "silences": [actions.silence_row(each, overview.now.zone) for each in overview.silences],
        "muted": [
            {
                "rules": list(each.rules),
                "mutes": list(each.windows),
                "until": overview.now.iso(each.until),
            }
            for each in overview.muted
        ],
    }


def _daemon_row(overview: Overview) -> Row:
    daemon, (since, until) = overview.daemon, overview.absence or (None, None)
    return {
        "collecting": daemon is not None,
        "pid": int(daemon.pid) if daemon is not None and daemon.pid.isdecimal() else None,
        "absent_from": overview.now.iso(since),
        "absent_until": overview.now.iso(until),
        "not_recording": daemon.trouble or None if daemon is not None else None,
    }


def _account(account: AccountOverview, overview: Overview) -> Row:
    told = account.recorded
    reading, miss = (None, None) if told is None else (told.reading, told.miss)
    return {
        "account": account.name,
        "user_id": None if told is None else told.user_id or None,
        "every": duration_text(account.every),
        **_reading_row(reading, overview.now),
        **_miss_row(miss, overview.now),
        "readings_24h": 0 if told is None else told.readings,
        "misses_24h": 0 if told is None else told.misses,
        "margin_is_sum": told is None or _margin_is_sum(told),
        **traffic.account_row(overview.traffic, account.name, overview.now.zone),
        "nearest": nearest_row(account.nearest),
    }


def _csv_row(account: AccountOverview, overview: Overview) -> Row:
    nearest = nearest_row(account.nearest) or {}
    return {
        **_account(account, overview),
        **{f"nearest_{key}": value for key, value in nearest.items()},
    }


def _reading_row(reading: Reading | None, now: DisplayClock) -> Row:
    if reading is None:
        return {"reading_at": None, "quality": None, "available_margin": None}
    return {
        "reading_at": now.iso(reading.at),
        "quality": reading.quality.value,
        "available_margin": exact(reading.balances.available_margin),
    }


def _miss_row(miss: Miss | None, now: DisplayClock) -> Row:
    if miss is None:
        return {"miss_at": None, "miss_reason": None, "miss_detail": None}
    return {
        "miss_at": now.iso(miss.at),
        "miss_reason": miss.reason.value,
        "miss_detail": miss.detail,
    }


# For people.


def _print(overview: Overview, found: Sequence[Finding]) -> None:
    say(headline(found), fg=COLOURS[exit_status(found)])
    for line in _daemon(overview):
        say(line)
    if overview.absence is not None:
        clock = overview.now
        say(f"it {format_absence(*overview.absence, clock.now, clock.zone)}")
    _print_accounts(overview)
    _print_alerts(overview)
    echo()
    echo("channels" if overview.channels else "channels: none")
    if overview.channels:
        channels.show(overview.channels, overview.now)


def _print_accounts(overview: Overview) -> None:
    accounts = [_account_cells(each, overview) for each in overview.accounts]
    _section(
        "accounts",
        ("account", "every", "last reading", "available_margin", "24 h", "last miss"),
        accounts,
        ("every", "24 h"),
    )
    for remark in chain.from_iterable(map(_remarks, overview.accounts)):
        say(remark)
    for line in traffic.lines(
        overview.traffic, (each.name for each in overview.accounts), overview.now.zone
    ):
        say(line)
    nearest = nearest_cells(overview.accounts)
    if nearest:
        _section("nearest rules", NEAREST_COLUMNS, nearest, OPTIONAL_OF_NEAREST)


def _print_alerts(overview: Overview) -> None:
    """Print the open alerts, then the silences and acknowledgements, then what is muted."""
    cells = [alert_cells(each, overview.now) for each in overview.alerts]
    severities = [each.alert.severity.value for each in overview.alerts]
    _section("open alerts", ALERT_COLUMNS, cells, OPTIONAL_OF_ALERTS, severities)
    for alert in overview.alerts:
        for sentence in alert_sentences(alert, overview.now):
            say(sentence)
    for each in overview.silences:
        say(
            f"{'acknowledged' if each.ack else f'silence {each.id}'}:"
            f" {actions.format_silence(each, overview.now.zone)}"
        )
    for muted in overview.muted:
        until = overview.now.clock_time(muted.until)
        say(f"muted until {until} by {', '.join(muted.windows)}: {', '.join(muted.rules)}")


def _section(
    title: str,
    columns: tuple[str, ...],
    rows: list[list[str]],
    optional: tuple[str, ...],
    severities: Sequence[str] = (),
) -> None:
    echo()
    echo(title if rows else f"{title}: none")
    if rows:
        numbers = frozenset({"available_margin", "worst", "value", "distance"})
        Table(columns, rows, numbers, optional, severities).write()


def _daemon(overview: Overview) -> Iterator[str]:
    daemon = overview.daemon
    if daemon is None:
        yield "start it with marginwatch run"
        return
    pid = f", pid {daemon.pid}" if daemon.pid else ""
    running = f"a daemon is collecting{pid}{f' on {daemon.host}' if daemon.host else ''}"
    if not daemon.trouble:
        yield running
        left = overview.rollups
        if left.is_behind:
            yield (
                f"hourly rollups of older readings are being made: {left.hours:,} hours and"
                f" {left.inputs:,} inputs to go"
            )
        return
    recorded_at = _recorded_at(overview)
    since = (
        "anything"
        if recorded_at is None
        else f"anything since {overview.now.clock_time(recorded_at)}"
    )
    yield f"{running}, but cannot record {since}: {daemon.trouble}"
    yield "what stands here is from before"


def _recorded_at(overview: Overview) -> Millis | None:
    """The instant of the last recorded attempt to read."""
    recorded = [each.recorded for each in overview.accounts if each.recorded is not None]
    attempts = [one.at for each in recorded for one in (each.reading, each.miss) if one is not None]
    return max(attempts, default=None)


def _account_cells(account: AccountOverview, overview: Overview) -> list[str]:
    told = account.recorded
    reading, miss = (None, None) if told is None else (told.reading, told.miss)
    margin = None if reading is None else reading.balances.available_margin
    read = "never" if reading is None else overview.now.ago(reading.at)
    if reading is not None and reading.quality is not Quality.OK:
        read += f", {reading.quality}"  # a suspect reading (SEMANTICS B5)
    return [
        account.name,
        duration_text(account.every),
        read,
        "-" if margin is None else format_amount(margin),
        "-" if told is None else f"{told.readings} read, {told.misses} missed",
        "-" if miss is None else f"{overview.now.ago(miss.at)}: {miss.reason}",
    ]


def _remarks(account: AccountOverview) -> Iterator[str]:
    """Remarks on an account: why it is not read at present, or that a sum is off (SEMANTICS B6)."""
    told = account.recorded
    if told is None:
        return
    if told.miss is not None and (told.reading is None or told.reading.seq < told.miss.seq):
        yield f"{account.name}: {told.miss.detail}"
    if not _margin_is_sum(told):
        yield f"{account.name}: {sum_check.SENTENCE}"


def _margin_is_sum(told: AccountStatus) -> bool:
    return not sum_check.check_sums(told.latest).off
