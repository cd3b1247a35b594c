"""Listing of `marginwatch gaps`, derived from the record, for people and for programs."""

from collections.abc import Mapping
from itertools import chain, takewhile

from daemon.cli.options import Format
from daemon.cli.output import times
from daemon.cli.output.tables import Row, Table, cell_time, last_of, write_csv, write_json
from daemon.cli.output.terminal import say
from daemon.cli.record_access import OpenRecord
from daemon.config.effective_intervals import settled_intervals
from daemon.readings import gaps, slots
from daemon.readings.gaps import ListedGap
from daemon.store.database.running_daemon import running_daemon
from daemon.text.numbers import format_duration
from daemon.types import GapReason, Millis

SHOWN = "7d"
"""The default span of a table."""

COLUMNS = ("account", "started_at", "ended_at", "reason", "missed", "step_ms", "detail")

OPTIONAL = ("missed", "to", "account")
"""Columns that a narrow terminal may lack, the first one first."""


def show(
    record: OpenRecord, accounts: str, span: tuple[Millis, Millis], now: Millis, output: Format
) -> None:
    """Print the gaps of the accounts that match, in the order of their beginnings."""
    found = find_gaps(record, accounts, span, now)
    match output:
        case Format.JSON:
            write_json(gap_row(*each, record) for each in found)
        case Format.CSV:
            write_csv(COLUMNS, (gap_row(*each, record) for each in found))
        case Format.TABLE:
            _show_last(found, now, record)


def find_gaps(
    record: OpenRecord, accounts: str, span: tuple[Millis, Millis], now: Millis
) -> list[tuple[str, ListedGap]]:
    """The gaps of the accounts that match and touch the span, in the order of their beginnings."""
    away = _away(record, now)
    found: list[tuple[str, ListedGap]] = []
    for name in record.matching(accounts):
        derived = gaps.gaps(chain(record.history.missing(name, span[0]), away.get(name, ())))
        within = takewhile(lambda gap: gap.started_at < span[1], derived)
        found += [(name, gap) for gap in within if gap.touches(*span)]
    return sorted(found, key=lambda pair: (pair[1].started_at, pair[0]))


def _away(record: OpenRecord, now: Millis) -> Mapping[str, tuple[ListedGap]]:
    """The gap of each account that lasts because no daemon collects; the next start records it."""
    last = record.history.last_epoch()
    if last is None or running_daemon(record.url) is not None:
        return {}
    stands = {each.account: each for each in record.history.status(now)}
    every = settled_intervals(
        record.config.accounts,
        record.config.budget,
        {name: each.user_id for name, each in stands.items()},
    )
    found = {}
    for name, state in last.state.items():
        # An account may have been renamed by hand, and be missing in one of both.
        if name in every and name in stands and state.since is not None:
            heard = (
                each.at for each in (stands[name].reading, stands[name].miss) if each is not None
            )
            since = max(state.at, last.ended_at or 0, *heard)
            if missed := slots.slots_passed(name, every[name], since, now):
                found[name] = (ListedGap(GapReason.DAEMON_DOWN, since, None, missed),)
    return found


def gap_row(account: str, gap: ListedGap, record: OpenRecord) -> Row:
    """A gap for programs."""
    return {
        "account": account,
        "started_at": times.format_iso(gap.started_at, record.zone),
        "ended_at": None if gap.ended_at is None else times.format_iso(gap.ended_at, record.zone),
        "reason": gap.reason.value,
        "missed": gap.missed,
        "step_ms": gap.step,
        "detail": gap.detail or None,
    }


def _show_last(found: list[tuple[str, ListedGap]], now: Millis, record: OpenRecord) -> None:
    last, remark = last_of(found, "gaps")
    if last:
        columns = ("account", "from", "to", "lasted", "reason", "missed")
        clock = times.DisplayClock(now, record.zone)
        rows = [_cells(*each, clock) for each in last]
        Table(columns, rows, frozenset({"missed"}), OPTIONAL).write()
    if remark:
        say(remark)


def _cells(account: str, gap: ListedGap, clock: times.DisplayClock) -> list[str]:
    began = cell_time(clock, gap.started_at)
    if gap.step is not None:
        size = f"{'-' if gap.step < 0 else '+'}{format_duration(abs(gap.step))}"
        return [account, began, "", "", f"{gap.reason} {size}", ""]
    ended = "goes on" if gap.ended_at is None else cell_time(clock, gap.ended_at)
    lasted = format_duration((clock.now if gap.ended_at is None else gap.ended_at) - gap.started_at)
    return [account, began, ended, lasted, gap.reason.value, str(gap.missed)]
