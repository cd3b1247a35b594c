"""`marginwatch backtest` over one set of rules: prints what would have been announced."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Protocol

from daemon import config as configs
from daemon.cli.backtest import rows as program_rows
from daemon.cli.backtest.span import ReplayedSpan, Run, Summaries
from daemon.cli.backtest.table import BacktestTable
from daemon.cli.options import Format
from daemon.cli.output import progress
from daemon.cli.output.progress import Bar
from daemon.cli.output.tables import Row, to_json, write_csv, write_rows
from daemon.cli.output.terminal import STDOUT
from daemon.cli.record_access import OpenRecord
from daemon.cli.session import CommandSession
from daemon.replay.backtest import ReplayedMessage
from daemon.types import Record

if TYPE_CHECKING:
    from daemon.cli.backtest.command import BacktestOptions

SPOOLED = 1_000_000
"""Bytes of notifications kept in memory; more go to a temporary file."""

COLUMNS = (
    "at",
    "what",
    "rule",
    "account",
    "from",
    "to",
    "value",
    "reason",
    "channel",
    "kind",
    "text",
)
"""Columns of csv, with one row per transition and per message."""


class RunPrinter(Protocol):
    """Prints the results of one run, during the replay and at its end."""

    def take(self, each: Record | ReplayedMessage) -> None: ...

    def finish(self, summaries: Summaries, bar: Bar) -> None: ...


def show(past: OpenRecord, wish: "BacktestOptions", session: CommandSession) -> int:
    """Print the replay and return the exit status.

    Times are read and shown in the zone of the replayed configuration: that of FILE, if it has one.
    """
    played = past.config
    if wish.other is not None:
        played = configs.read_policy(wish.other, base=past.config, environ=session.environ)
    record = replace(past, config=played)
    now = session.clock.now()
    names = record.matching(wish.account)
    span = ReplayedSpan(record, names, *record.span(wish.since, wish.until, now), now)
    if not wish.diff:
        return _one(Run(span, played), wish.output)
    from daemon.cli.backtest import diff  # noqa: PLC0415 -- on use

    return diff.show(Run(span, past.config), Run(span, played), wish.output)


def _one(run: Run, output: Format) -> int:
    summary = run.summary()
    with tempfile.SpooledTemporaryFile(max_size=SPOOLED, mode="w+", encoding="utf-8") as spool:
        printer = _PRINTERS[output](run, spool)
        with progress.bar(
            "replaying", run.span.about(), printing=output is not Format.TABLE
        ) as bar:
            for each in run.play(bar):
                if isinstance(each, Record):
                    summary.take(each)
                printer.take(each)
        printer.finish(summary.finish(bar.ends), bar)
    return 0


@dataclass(slots=True)
class _RunCsv:
    """Prints a row per transition and per message, in the order of time."""

    run: Run

    def __post_init__(self) -> None:
        write_csv(COLUMNS, ())

    def take(self, each: Record | ReplayedMessage) -> None:
        zone = self.run.span.past.zone
        if isinstance(each, Record):
            write_rows(
                COLUMNS,
                ({"what": "transition", **row} for row in program_rows.transitions(each, zone)),
            )
        else:
            told = program_rows.notification(each, zone)
            kinds = " ".join(dict.fromkeys(news["kind"] for news in told["news"]))
            flat = {
                "rule": " ".join(told["rules"]),
                "account": " ".join(told["accounts"]),
                "kind": kinds,
            }
            write_rows(COLUMNS, [{"what": "notification", **told, **flat}])

    def finish(self, summaries: Summaries, bar: Bar) -> None:
        """Nothing follows the rows."""


class _RunJson:
    """Prints one object; notifications are spooled until all transitions are printed."""

    def __init__(self, run: Run, spool: IO[str]) -> None:
        self._zone = run.span.past.zone
        self._told = spool
        self._any = {True: False, False: False}
        STDOUT.write('{"transitions": [')

    def take(self, each: Record | ReplayedMessage) -> None:
        if isinstance(each, Record):
            for row in program_rows.transitions(each, self._zone):
                STDOUT.write(self._line(row, first=not self._any[True]))
                self._any[True] = True
        else:
            self._told.write(
                self._line(program_rows.notification(each, self._zone), first=not self._any[False])
            )
            self._any[False] = True

    def _line(self, row: Row, *, first: bool) -> str:
        return ("\n" if first else ",\n") + to_json(row)

    def finish(self, summaries: Summaries, bar: Bar) -> None:
        del bar
        STDOUT.write('\n],\n"notifications": [')
        self._told.seek(0)
        shutil.copyfileobj(self._told, STDOUT)
        rows = (program_rows.summary(each) for each in summaries.values())
        STDOUT.write('\n],\n"summary": [\n' + ",\n".join(map(to_json, rows)))
        STDOUT.write("\n]}\n")


_PRINTERS: Mapping[Format, Callable[[Run, IO[str]], RunPrinter]] = {
    Format.TABLE: lambda run, _: BacktestTable(run),
    Format.CSV: lambda run, _: _RunCsv(run),
    Format.JSON: _RunJson,
}
