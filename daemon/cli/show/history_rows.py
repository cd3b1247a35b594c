"""Listing of `marginwatch history`, for people and for programs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal

from daemon.cli.options import Format
from daemon.cli.output import times
from daemon.cli.output.tables import Row, Table, exact, last_of, room, write_csv, write_json
from daemon.cli.output.terminal import say
from daemon.cli.output.times import DisplayClock
from daemon.cli.record_access import OpenRecord
from daemon.errors import UsageError
from daemon.readings.fields import AGE, SENT, VALUES, find_field
from daemon.readings.similar_fields import similar_field
from daemon.text.numbers import format_amount
from daemon.types import Millis, Quality, Reading

SHOWN = "1h"
"""The default span of a table."""

COLUMNS = ("account", "at", "seq", "source", "quality")
"""Columns of csv, before those of the fields."""

Found = Iterable[tuple[str, Reading]]
"""Readings with their accounts, oldest first."""


@dataclass(frozen=True, slots=True)
class HistoryOptions:
    """The options of one call, but for the span."""

    account: str
    fields: str | None
    """Names of fields, separated by commas; None is every field that the exchange sends."""
    changes: bool
    output: Format


def show(
    record: OpenRecord, wish: HistoryOptions, span: tuple[Millis, Millis], now: Millis
) -> None:
    """Print the readings that match, in the order of time."""
    fields = SENT if wish.fields is None else tuple(map(value_field, wish.fields.split(",")))
    found: Found = record.history.readings(record.matching(wish.account), *span)
    if wish.changes:
        found = _changes(found, fields)
    match wish.output:
        case Format.JSON:
            write_json(_rows(found, fields, record.zone))
        case Format.CSV:
            write_csv((*COLUMNS, *fields), _rows(found, fields, record.zone))
        case Format.TABLE:
            _show_last(found, fields, DisplayClock(now, record.zone), wish)


def value_field(word: str) -> str:
    """The field that a word names; raises UsageError for one that has no recorded values."""
    name = find_field(word.strip())
    if name is None or name == AGE:
        similar = similar_field(word, VALUES)
        hint = f'did you mean "{similar}"?' if similar else f"there are {', '.join(VALUES)}"
        raise UsageError(f'there is no field "{word.strip()}"; {hint}')
    return name


def _changes(found: Found, fields: Sequence[str]) -> Iterator[tuple[str, Reading]]:
    """Readings in which one of the fields is not as in the account's reading before."""
    before: dict[str, list[Decimal | None]] = {}
    for account, reading in found:
        values = [VALUES[name](reading.balances) for name in fields]
        if before.get(account) != values:
            before[account] = values
            yield account, reading


def _rows(found: Found, fields: Sequence[str], zone: tzinfo | None) -> Iterator[Row]:
    for account, reading in found:
        yield {
            "account": account,
            "at": times.format_iso(reading.at, zone),
            "seq": reading.seq,
            "source": reading.source.value,
            "quality": reading.quality.value,
            **{name: exact(VALUES[name](reading.balances)) for name in fields},
        }


def _show_last(
    found: Found, fields: Sequence[str], now: DisplayClock, wish: HistoryOptions
) -> None:
    last, remark = last_of(found, "readings")
    if last:
        table, left_out = _fitting(last, fields, now, whole=wish.fields is not None)
        if left_out:
            say(f"not shown: {'; '.join(left_out)}. Name fields with --fields")
        table.write()
    if remark:
        say(remark)


def _fitting(
    last: Sequence[tuple[str, Reading]], fields: Sequence[str], now: DisplayClock, *, whole: bool
) -> tuple[Table, list[str]]:
    """The table, and what it leaves out: fields without a value, and those without room.

    A `whole` table leaves out nothing.
    """
    if whole:
        return _table(last, fields, now), []
    kept = [
        name for name in fields if any(VALUES[name](each.balances) is not None for _, each in last)
    ]
    unsent = [name for name in fields if name not in kept]
    table = _table(last, kept, now)
    narrow: list[str] = []
    while len(kept) > 1 and table.width > room():
        narrow.insert(0, kept.pop())
        table = _table(last, kept, now)
    left_out = [f"{', '.join(unsent)} (not sent)"] if unsent else []
    return table, left_out + ([f"{', '.join(narrow)} (no room)"] if narrow else [])


def _table(last: Sequence[tuple[str, Reading]], fields: Sequence[str], now: DisplayClock) -> Table:
    """A table of these fields; accounts and qualities are columns where they differ."""
    several = len({account for account, _ in last}) > 1
    doubtful = any(reading.quality is not Quality.OK for _, reading in last)
    columns = [*["account"] * several, "at", *[""] * doubtful, *fields]
    rows = []
    for account, reading in last:
        quality = "" if reading.quality is Quality.OK else reading.quality.value
        values = [VALUES[name](reading.balances) for name in fields]
        amounts = ["-" if value is None else format_amount(value) for value in values]
        at = now.clock_time(reading.at)
        rows.append([*[account] * several, at, *[quality] * doubtful, *amounts])
    return Table(columns, rows, frozenset(fields))
