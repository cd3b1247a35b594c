"""`marginwatch import`: reads and checks all lines of a file, and stores them if all are good.

    file ──► lines ──► Spool (sorted) ──► store/write/imports, 1,000 lines a transaction
               └── mistakes: they are printed, and nothing is stored

Memory use does not grow with the length of the file.
"""

import errno
import io
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from itertools import groupby, islice
from operator import attrgetter
from typing import BinaryIO

import click

from daemon.cli.import_csv.lines import CsvLine, Mistake, lines
from daemon.cli.import_csv.spool import Spool
from daemon.cli.options import Format
from daemon.cli.output import times
from daemon.cli.output.tables import Row, exact, to_json
from daemon.cli.output.terminal import STDOUT, echo_progress, say
from daemon.config import Config
from daemon.config.problems import did_you_mean, format_value
from daemon.errors import MarginwatchError, StoreError
from daemon.rules.evaluation.evaluator import recorded_expressions
from daemon.rules.rule import Rule
from daemon.store.write.imports import (
    INSTANT,
    ImportConflict,
    ImportCounts,
    ImportedReading,
    Importer,
    ImportPreview,
    importing,
    known_accounts,
)
from daemon.types import Millis

SHOWN = 20
"""The most mistakes that are printed one by one."""

BATCH = 1_000
"""Lines stored in one transaction: a running daemon waits for one batch at most."""

EVERY = 20_000
"""Lines between two reports of progress."""

MOST_READ = 1 << 14
"""Characters of a line that are read at once; `lines` refuses a longer row."""

MAX_ACCOUNTS = 1_000
"""The most accounts of a file, as in a configuration: each is stored in its own transactions."""

EXCHANGE = "coinw"
"""The exchange of an account that rules.toml does not name."""

STDIN = "-"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The options of one call."""

    file: str
    """The path of the file; "-" is standard input."""
    new_accounts: bool = False
    """Whether accounts are taken that neither rules.toml nor the database knows."""
    dry_run: bool = False
    output: Format = Format.TABLE


@dataclass(slots=True)
class AccountResult:
    """The result of one account."""

    account: str
    is_new: bool
    counts: ImportCounts = field(default_factory=ImportCounts)


def bring_in(wish: ImportOptions, config: Config, now: Millis) -> int:
    """Import a file, print the result and return the exit status."""
    zone, url = config.daemon.timezone, config.daemon.database.reveal()
    with closing(Spool()) as spool:
        if _faulty(wish.file, spool, zone, now):
            return 1
        accounts = spool.accounts()
        if not wish.new_accounts:
            known = [each.name for each in config.accounts], known_accounts(url)
            _refuse_unknown(wish.file, accounts, *known)
        exchanges = {each.name: each.exchange for each in config.accounts}
        with _importer(url, wish) as importer:
            new = importer.introduce({name: exchanges.get(name, EXCHANGE) for name in accounts})
            if wish.output is Format.TABLE:
                _tell_new(new, exchanges, dry_run=wish.dry_run)
            results = [AccountResult(name, name in new) for name in accounts]
            for result in results:
                _store(importer, result, spool, wish)
                if wish.output is Format.TABLE:
                    _note_peaks(result.account, config.rules)
    if wish.output is Format.JSON:
        rows = [_row(each) for each in results]
        STDOUT.write(to_json({"dry_run": wish.dry_run, "accounts": rows}, indent=2) + "\n")
    return 0


def _importer(url: str, wish: ImportOptions) -> AbstractContextManager[Importer | ImportPreview]:
    return nullcontext(ImportPreview(url)) if wish.dry_run else importing(url)


def _row(result: AccountResult) -> Row:
    counts, clash = result.counts, result.counts.clash
    conflict = clash and {
        "line": clash.line,
        "field": clash.field,
        "value": exact(clash.said),
        "recorded": exact(clash.held),
    }
    return {
        "account": result.account,
        "new": result.is_new,
        "imported": counts.added,
        "there_already": counts.known,
        "differing": counts.clashing,
        "skipped": counts.late,
        "first_difference": conflict,
    }


def _faulty(file: str, spool: Spool, zone: tzinfo | None, now: Millis) -> bool:
    """Spool the good lines and print the mistakes; return whether there are mistakes."""
    faults = 0
    accounts = set[str]()
    for number, found in enumerate(lines(_text(file), zone, now), 1):
        _progress(number, "lines read")
        if isinstance(found, CsvLine):
            spool.put(found)
            accounts.add(found.account)
            if len(accounts) > MAX_ACCOUNTS:
                remedy = "see that the right column is called account, or import the file in parts"
                raise MarginwatchError(
                    f"{_named(file)} names more than {MAX_ACCOUNTS:,} accounts, so nothing was"
                    f" imported: {remedy}"
                )
            continue
        faults += 1
        if faults <= SHOWN:
            say(_sentence(file, found), err=True)
    spool.sort()
    if faults:
        more = f"and {faults - SHOWN} more mistakes; " if faults > SHOWN else ""
        say(f"{more}nothing was imported: mend the file, or leave these lines out", err=True)
    elif not spool.accounts():
        raise MarginwatchError(
            f"{_named(file)} has no readings below its first line, so nothing was imported: add"
            " some"
        )
    elif crowd := spool.crowded(INSTANT):
        where = f"{crowd[0]} at {times.format_iso(crowd[1], zone)}"
        raise MarginwatchError(
            f"{_named(file)} has more than {INSTANT} lines of {where}: leave most of them out"
        )
    return faults > 0


def _refuse_unknown(
    file: str, accounts: list[str], configured: list[str], recorded: list[str]
) -> None:
    """Raise for unknown accounts: a mistyped name would stay in the database for ever."""
    known = {*configured, *recorded}
    unknown = [name for name in accounts if name not in known]
    if unknown:
        told = []
        for name in unknown[:SHOWN]:
            near = did_you_mean(name, known).removeprefix("; ")
            told.append(f"{format_value(name)} ({near})" if near else format_value(name))
        told += [f"and {len(unknown) - SHOWN:,} more"] if len(unknown) > SHOWN else []
        raise MarginwatchError(
            f"{_named(file)} names accounts that neither rules.toml nor the database knows, so"
            f" nothing was imported: {', '.join(told)}; correct them, or add --new-accounts"
        )


def _sentence(file: str, mistake: Mistake) -> str:
    return f"{_named(file)}:{mistake.line}: {mistake.text}"


def _named(file: str) -> str:
    return "standard input" if file == STDIN else file or format_value(file)


def _text(file: str) -> Iterator[str]:
    """The text without a byte order mark; bytes that are not UTF-8 become surrogates."""
    try:
        with click.open_file("-", "rb") if file == STDIN else _regular(file) as content:
            text = io.TextIOWrapper(
                content, encoding="utf-8-sig", errors="surrogateescape", newline=""
            )
            yield from iter(partial(text.readline, MOST_READ), "")
    except OSError as error:
        raise MarginwatchError(
            f"{_named(file)} cannot be read ({error.strerror}): name another file"
        ) from None


def _regular(file: str) -> BinaryIO:
    """Open the file without waiting: a pipe may have no writer, and a device no end.

    Raises:
        MarginwatchError: where it is not a regular file.

    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    raise MarginwatchError(
        f"{_named(file)} is a pipe or a device, not a file: send it in with marginwatch import - <"
        f" {_named(file)}"
    )


def _tell_new(new: list[str], exchanges: Mapping[str, str], *, dry_run: bool) -> None:
    for account in new:
        known = ""
        if account not in exchanges:
            known = f"; rules.toml does not name it, so its exchange is taken to be {EXCHANGE}"
        say(f"{account}: {'would be ' if dry_run else ''}new in the database{known}")


def _store(
    importer: Importer | ImportPreview, result: AccountResult, spool: Spool, wish: ImportOptions
) -> None:
    account = result.account
    readings = _numbered(account, spool)
    while batch := list(islice(readings, BATCH)):
        try:
            result.counts += importer.add(account, batch)
        except StoreError as error:
            if not result.counts.added:
                raise
            raise StoreError(
                f"{error}. {account}: {_outcome(result.counts)}; import the file again to add the"
                " rest"
            ) from None
        _progress(result.counts.lines, f"lines of {account} stored")
    if wish.output is Format.JSON:
        return
    say(f"{account}: {_outcome(result.counts, dry_run=wish.dry_run)}")
    if result.counts.clash is not None:
        say(f"{account}: {_kept(result.counts.clash)}")


def _note_peaks(account: str, rules: Iterable[Rule]) -> None:
    """Say which rules do not see what was imported: a peak begins with the daemon's readings."""
    named = [
        each.name for each in rules if each.watches(account) and any(recorded_expressions(each))
    ]
    if named:
        say(
            f"{account}: imported readings raise no peak, so {', '.join(named)} counts from the"
            " daemon's own readings; only backtest sees the imported ones"
        )


def _numbered(account: str, spool: Spool) -> Iterator[ImportedReading]:
    for at, together in groupby(spool.lines(account), key=attrgetter("at")):
        yield from (
            ImportedReading(at, n, line.balances, line.number, line.quality)
            for n, line in enumerate(together)
        )


def _outcome(counts: ImportCounts, *, dry_run: bool = False) -> str:
    word = "would be imported" if dry_run else "imported"
    words = [f"{counts.added:,} {'reading' if counts.added == 1 else 'readings'} {word}"]
    if counts.known:
        words.append(f"{_were(counts.known)} there already")
    if counts.clashing:
        words.append(f"{_were(counts.clashing)} there with other values")
    if counts.late:
        words.append(
            f"{counts.late:,} skipped, for they do not lie before the account's own readings"
        )
    return ", ".join(words)


def _were(number: int) -> str:
    return f"{number:,} {'was' if number == 1 else 'were'}"


def _kept(clash: ImportConflict) -> str:
    said, held = exact(clash.said), exact(clash.held) or "nothing"
    return (
        f"the first of those is line {clash.line}: it says {clash.field} {said}, and {held} is"
        " recorded; the record is kept: to replace it, delete those rows of the table snapshots,"
        " with source 'import', and import again"
    )


def _progress(number: int, what: str) -> None:
    """Show the progress on a terminal, in a line that the next output overwrites."""
    if number % EVERY == 0 and sys.stderr.isatty():
        echo_progress(f"{number:,} {what}")
