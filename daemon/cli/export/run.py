"""`marginwatch export`: reads pages of the record and writes them, row by row.

Listing ──► rows ──► csv or jsonl ──► target ──► the command that goes on from here
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from daemon.cli.export import target
from daemon.cli.export.events import AlertListing, GapListing, NotificationListing
from daemon.cli.export.listing import Listing, Selection
from daemon.cli.export.readings import ReadingListing
from daemon.cli.export.target import STANDARD_OUTPUT
from daemon.cli.output.progress import Bar, bar
from daemon.cli.output.tables import Row, counted, flat_row, to_json, write_csv
from daemon.cli.output.terminal import Writable, is_terminal, say
from daemon.cli.record_access import open_record
from daemon.cli.session import CommandSession
from daemon.errors import UsageError
from daemon.store.database import engine
from daemon.store.database.lock_file import own_files

LISTINGS: Mapping[str, type[Listing]] = {
    "readings": ReadingListing,
    "alerts": AlertListing,
    "notifications": NotificationListing,
    "gaps": GapListing,
}

ROWS = {"alerts": "transition"}
"""The name of a row, where it is not that of its kind."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The options of one call."""

    kind: str
    account: str
    since: str | None
    until: str | None
    file_format: str | None
    after: str | None
    target: str | None
    """A path; "-" is standard output."""
    force: bool

    @property
    def is_jsonl(self) -> bool:
        if self.file_format is None:
            return str(self.target).endswith(".jsonl")
        return self.file_format == "jsonl"


def export(session: CommandSession, wish: ExportOptions) -> None:
    """Write the selected rows, then say how many, and with which command to go on."""
    place = STANDARD_OUTPUT if wish.target is None else wish.target
    if wish.target is None and is_terminal():
        raise UsageError("say where to write: -o FILE, or -o - for this terminal")
    now = session.clock.now()
    with open_record(session, imported=True) as record:
        if place != STANDARD_OUTPUT:
            ours = [*own_files(engine.parse(record.url)), record.config.path]
            target.refuse_target(Path(place), ours, force=wish.force)
        span = record.span(wish.since, wish.until, now)
        listing = LISTINGS[wish.kind](record, Selection(wish.account, *span, wish.after, now))
        with target.opened(place, force=wish.force) as file:
            written = _write(file, listing, wish)
    _tell(session, wish, listing, written)


def _write(file: Writable, listing: Listing, wish: ExportOptions) -> int:
    """Write all rows; return their number."""
    printing = wish.target in {None, STANDARD_OUTPUT}
    with (
        nullcontext(Bar(None, None))
        if listing.total is None
        else bar(f"exporting {wish.kind}", listing.total, printing=printing)
    ) as progress:
        rows = _noted(listing.rows(), progress)
        if wish.is_jsonl:
            for row in rows:
                file.write(to_json(row) + "\n")
        else:
            write_csv(listing.columns, map(flat_row, rows), file)
    return progress.seen


def _noted(rows: Iterable[Row], progress: Bar) -> Iterator[Row]:
    for row in rows:
        progress.note(row)
        yield row


def _tell(session: CommandSession, wish: ExportOptions, listing: Listing, written: int) -> None:
    """Print the result beside the rows: on stderr, unless they went to a file."""
    is_file = wish.target not in {None, STANDARD_OUTPUT}
    where = f" to {wish.target}" if is_file else ""
    say(f"{counted(written, ROWS.get(wish.kind, wish.kind[:-1]))} written{where}", err=not is_file)
    option = listing.next_option()
    if option is not None:
        words = _next_command(session, wish, *option)
        say(f"what comes later: {shlex.join(words)} -o FILE", err=not is_file)


def _next_command(
    session: CommandSession, wish: ExportOptions, option: str, value: str
) -> list[str]:
    words = ["marginwatch", "export", wish.kind]
    if session.path is not None:
        words += ["--config", str(session.path)]
    if wish.account != "*":
        words += ["--account", wish.account]
    if wish.is_jsonl:
        words += ["--format", "jsonl"]
    return [*words, option, value]
