"""`db size`: the table for people, and json or csv for programs."""

from collections.abc import Iterator
from datetime import tzinfo

from daemon.cli.options import Format
from daemon.cli.output.tables import Row, Table, to_json, write_csv
from daemon.cli.output.terminal import STDOUT, say
from daemon.cli.session import CommandSession
from daemon.store.maintenance.size import DatabaseSize, TableSize, full_in, growth, measure
from daemon.text.numbers import format_bytes, format_duration, format_instant
from daemon.types import DAY, Millis

COLUMNS = ("table", "rows", "bytes", "unused_bytes", "rows_last_week")


MOST: Millis = 100 * 365 * DAY
"""A longer time until the disk is full says nothing."""


def show(session: CommandSession, output: Format) -> None:
    """Print the sizes of the database."""
    settings, now = session.config(secrets=False).daemon, session.clock.now()
    found = measure(settings.database.reveal(), now)
    match output:
        case Format.JSON:
            STDOUT.write(to_json({**_whole(found), "tables": list(_rows(found))}, indent=2) + "\n")
        case Format.CSV:
            write_csv(COLUMNS, _rows(found))
        case Format.TABLE:
            _table(found).write()
            for sentence in summary(found, now, settings.timezone):
                say(sentence)


def summary(found: DatabaseSize, now: Millis, zone: tzinfo | None) -> Iterator[str]:
    """Sentences about the whole, and about the day on which the disk is full."""
    yield _total(found)
    full = full_in(found)
    if full is not None and full < MOST:
        day = format_instant(now + full, now, zone)[:10]
        yield f"at this rate the disk is full in {format_duration(full)}, on {day}"


def _rows(found: DatabaseSize) -> Iterator[Row]:
    for each in _by_size(found):
        values = (each.name, each.rows, each.size, each.unused, each.recent)
        yield dict(zip(COLUMNS, values, strict=True))


def _whole(found: DatabaseSize) -> dict[str, object]:
    full = full_in(found)
    return {
        "bytes": found.size,
        "free_bytes": found.free,
        "is_estimate": found.is_estimate,
        "bytes_per_day": growth(found),
        "disk_free_bytes": found.disk_free,
        "disk_full_in_days": None if full is None else full // DAY,
    }


def _table(found: DatabaseSize) -> Table:
    rows = [
        [
            each.name,
            f"{each.rows:,}",
            format_bytes(each.size),
            "-" if each.unused is None else format_bytes(each.unused),
        ]
        for each in _by_size(found)
    ]
    return Table(("table", "rows", "size", "unused"), rows, frozenset({"rows", "size", "unused"}))


def _by_size(found: DatabaseSize) -> list[TableSize]:
    return sorted(found.tables, key=lambda each: (-each.size, each.name))


def _total(found: DatabaseSize) -> str:
    daily = growth(found)
    rate = "too young to know its growth" if daily is None else f"{format_bytes(daily)} more a day"
    sentence = f"in all {format_bytes(found.size)}, {rate}"
    if found.free:
        sentence += f"; {format_bytes(found.free)} are free pages, which new rows fill first"
    if found.disk_free is not None:
        sentence += f"; {format_bytes(found.disk_free)} free on its disk"
    if found.is_estimate:
        sentence += "; the sizes of the tables are estimates, as this SQLite does not count them"
    return sentence
