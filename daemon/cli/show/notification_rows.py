"""Listing of `marginwatch notifications`, each with its result, for people and for programs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from daemon.cli.options import Format
from daemon.cli.output.tables import (
    Row,
    Table,
    attempt_text,
    cell_time,
    flat_row,
    last_of,
    rule_row,
    write_csv,
    write_json,
)
from daemon.cli.output.terminal import say
from daemon.cli.output.times import DisplayClock
from daemon.cli.record_access import BEGINNING, END, OpenRecord
from daemon.cli.status import channels
from daemon.cli.status.waiting import WaitReason
from daemon.config.problems import did_you_mean
from daemon.errors import UsageError
from daemon.rules.rule import is_pattern
from daemon.store.database.running_daemon import running_daemon
from daemon.store.operations import NoticeState
from daemon.store.read.recorded import PastNotice
from daemon.text.names import account_label, rule_label
from daemon.text.numbers import format_duration
from daemon.types import Millis, NoticeKey

SHOWN = "24h"
"""The default span of a table."""

COLUMNS = (
    "at", "channel", "kind", "rule", "account", "id", "severity", "state", "done_at", "attempts",
    "tried_at", "outcome", "detail", "told_at", "message", "title", "why", "until",
    "handed_over_by", "handed_to", "late",
)  # fmt: skip
"""Columns of csv, and keys of json."""

OPTIONAL = ("account", "rule", "raised")
"""Columns that a narrow terminal may lack, the first one first."""

Reasons = Mapping[NoticeKey, WaitReason]
"""The reason of each waiting notification."""


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    """The options of one call."""

    account: str
    channel: str
    since: str | None
    until: str | None
    waiting: bool
    output: Format


def show(record: OpenRecord, wish: NotificationFilter, now: Millis) -> None:
    """Print the notifications that match, in the order in which they were raised."""
    record.must_know(wish.account)
    running = running_daemon(record.url) is not None
    standings = channels.channel_overviews(record, now, running=running)
    _must_know(wish.channel, {each.name for each in standings}, record)
    why = _reasons(standings)
    found, present = _found(record, wish, now), DisplayClock(now, record.zone)
    rows = (notification_row(each, why.get(each.notice.key), present) for each in found)
    match wish.output:
        case Format.JSON:
            write_json(rows)
        case Format.CSV:
            write_csv(COLUMNS, map(flat_row, rows))
        case Format.TABLE:
            _show_last(found, why, present, wish)
            if why and not running:
                say("nothing is delivered, as no daemon runs: start it with marginwatch run")


def wait_reasons(record: OpenRecord, now: Millis) -> Reasons:
    """The reasons of all notifications that wait."""
    running = running_daemon(record.url) is not None
    return _reasons(channels.channel_overviews(record, now, running=running))


def _reasons(overviews: Iterable[channels.ChannelOverview]) -> Reasons:
    return {each.notice.notice.key: each.reason for one in overviews for each in one.waiting}


def _must_know(channel: str, names: set[str], record: OpenRecord) -> None:
    """Raise UsageError for a channel that is neither configured nor recorded.

    A pattern may match none, which is said.
    """
    if channel == "*" or any(fnmatchcase(name, channel) for name in names):
        return
    everything = record.history.notifications(BEGINNING, END)
    if any(fnmatchcase(each.notice.key.channel, channel) for each in everything):
        return
    if not is_pattern(channel):
        raise UsageError(f'there is no channel "{channel}"{did_you_mean(channel, names)}')
    say(f'no channel matches "{channel}"{did_you_mean(channel, names)}', err=True)


def _found(record: OpenRecord, wish: NotificationFilter, now: Millis) -> Iterator[PastNotice]:
    since = SHOWN if wish.output is Format.TABLE and not wish.waiting else None
    span = record.span(wish.since or since, wish.until, now)
    for each in record.history.notifications(*span, waiting=wish.waiting):
        key = each.notice.key
        if fnmatchcase(key.account, wish.account) and fnmatchcase(key.channel, wish.channel):
            yield each


# For programs.


def notification_row(past: PastNotice, reason: WaitReason | None, now: DisplayClock) -> Row:
    """A notification for programs; csv has its tuples joined."""
    key, facts = past.notice.key, past.notice.facts
    return {
        "at": now.iso(past.notice.at),
        "channel": key.channel,
        "kind": key.kind.value,
        **rule_row(key.rule),
        "account": key.account,
        "id": facts.code,
        "severity": facts.severity.value,
        "state": past.state.value,
        "done_at": now.iso(past.done_at),
        "attempts": past.attempts,
        "tried_at": now.iso(past.tried_at),
        "outcome": None if past.outcome is None else past.outcome.value,
        "detail": past.detail or None,
        "told_at": now.iso(past.told_at),
        "message": past.message,
        "title": past.title or None,
        "why": None if reason is None else reason.why.value,
        "until": now.iso(None if reason is None else reason.until),
        "handed_over_by": facts.handed_over_by or None,
        "handed_to": past.handed_to,
        "late": facts.late.value or None,
    }


# For people.


def _show_last(
    found: Iterable[PastNotice], why: Reasons, now: DisplayClock, wish: NotificationFilter
) -> None:
    last, remark = last_of(found, "notifications")
    if last:
        names = ("raised", "channel", "kind", "id", "rule", "account", "how it went")
        rows = [_cells(each, why.get(each.notice.key), now) for each in last]
        severities = [each.notice.facts.severity.value for each in last]
        Table(names, rows, optional=OPTIONAL, severities=severities).write()
    elif wish.waiting:
        remark = "nothing waits"
    if remark:
        say(remark)


def _cells(past: PastNotice, reason: WaitReason | None, now: DisplayClock) -> list[str]:
    key = past.notice.key
    return [
        cell_time(now, past.notice.at),
        key.channel,
        key.kind.value,
        past.notice.facts.code,
        rule_label(key.rule),
        account_label(key.account),
        "; ".join(_fared(past, reason, now)),
    ]


def _fared(past: PastNotice, reason: WaitReason | None, now: DisplayClock) -> Iterator[str]:
    """The result: its state or why it waits, the attempts, the last answer, the fallback."""
    if reason is not None:
        yield channels.reason_text(reason, now)
    elif past.state is not NoticeState.REFUSED:
        at = past.notice.at if past.done_at is None else past.done_at
        yield f"{past.state} {cell_time(now, at)}"
    elif not past.attempts:
        yield "not tried, as the channel was parked"
    if past.attempts > 1:
        yield f"{past.attempts} attempts"
    if past.outcome is not None and past.state is not NoticeState.DELIVERED:
        yield attempt_text(past.outcome, past.detail)
    spent = past.notice.facts.unacknowledged
    if spent is not None:
        yield f"escalated: nobody acknowledged for {format_duration(spent)}"
    if past.handed_to:
        yield f"handed over to {' and '.join(past.handed_to)}"
