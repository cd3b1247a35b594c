"""Listing of `marginwatch history`, for people and for programs."""

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from operator import attrgetter

from daemon.cli.options import Format
from daemon.cli.output import times
from daemon.cli.output.tables import Row, Table, exact, last_of, write_csv, write_json
from daemon.cli.output.terminal import echo
from daemon.cli.record_access import OpenRecord
from daemon.readings.fields import SENT
from daemon.text.numbers import format_amount
from daemon.types import Millis, Quality, Reading

SHOWN = "1h"
"""The default span of a table."""

COLUMNS = ("account", "at", "seq", "source", "quality", *SENT)

_amounts = attrgetter(*SENT)


def show(record: OpenRecord, accounts: str, span: tuple[Millis, Millis], output: Format) -> None:
    """Print the readings of the accounts that match, in the order of time."""
    found = record.history.readings(record.matching(accounts), *span)
    match output:
        case Format.JSON:
            write_json(_rows(found, record.zone))
        case Format.CSV:
            write_csv(COLUMNS, _rows(found, record.zone))
        case Format.TABLE:
            _show_last(found, record.zone)


def _rows(found: Iterable[tuple[str, Reading]], zone: tzinfo | None) -> Iterator[Row]:
    for account, reading in found:
        amounts = zip(SENT, map(exact, _amounts(reading.balances)), strict=True)
        yield {
            "account": account,
            "at": times.format_iso(reading.at, zone),
            "seq": reading.seq,
            "source": reading.source.value,
            "quality": reading.quality.value,
            **dict(amounts),
        }


def _show_last(found: Iterable[tuple[str, Reading]], zone: tzinfo | None) -> None:
    last, remark = last_of(found, "readings")
    if last:
        columns = ("account", "at", "", *SENT)
        Table(columns, [_cells(*each, zone) for each in last], frozenset(SENT)).write()
    if remark:
        echo(remark)


def _cells(account: str, reading: Reading, zone: tzinfo | None) -> list[str]:
    quality = "" if reading.quality is Quality.OK else reading.quality.value
    amounts = _amounts(reading.balances)
    return [
        account,
        times.format_time(reading.at, zone),
        quality,
        *("-" if value is None else format_amount(value) for value in amounts),
    ]
