"""`import`: readings that others recorded (daemon/cli/import_csv)."""

import csv
import gzip
import io
import itertools
import json
import os
import re
import resource
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result

from daemon.cli.import_csv import run
from daemon.cli.import_csv.lines import CsvLine, Mistake, lines
from daemon.cli.import_csv.run import MAX_ACCOUNTS, SHOWN
from daemon.cli.import_csv.spool import Spool
from daemon.cli.session import CommandSession
from daemon.store import History
from daemon.types import SECOND, Balances, Quality, Reading, Record, Source
from tests.cli.calls import (
    CHANNEL,
    RULE,
    SECRETS,
    Terminal,
    account,
    call,
    collecting,
    record,
    url,
    write,
)
from tests.docs.markdown import DATABASE
from tests.fakes import NOON, ManualClock
from tests.other_users import mounted, needs_root
from tests.values import reading

DAY_LATER = ManualClock(NOON + 86_400 * SECOND)
HEAD = "account,time,available_margin\n"
DELETED = "delete those rows of the table snapshots, with source 'import', and import again"
KEPT = f"the record is kept: to replace it, {DELETED}"


def bring_in(folder: Path, text: str | bytes, *, options: Sequence[str] = ()) -> Result:
    """Import this text from a file, with the configuration of `write`."""
    file = folder / "old.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return call("import", file, *options, "--config", write(folder), clock=DAY_LATER)


def recorded(folder: Path, name: str = "main") -> list[Reading]:
    with History.open(url(folder)) as history:
        return [each for each in history.inputs(name, -(2**63) + 1) if isinstance(each, Reading)]


def said(text: str) -> list[CsvLine | Mistake]:
    return list(lines(io.StringIO(text), None, NOON))


def test_readings_are_imported_exactly(tmp_path: Path) -> None:
    """DESIGN §5: source `import`, quality `ok`, all digits; an empty cell is unknown."""
    rows = (
        "main,2026-01-01T12:00:00+01:00,996660.6064387699998485,\n"
        "main,2026-01-01T12:00:05+01:00,,12.5\n"
    )
    result = bring_in(tmp_path, "account,time,availableMargin,al_freeze\n" + rows)
    first, second = recorded(tmp_path)
    assert (result.exit_code, result.stdout) == (
        0,
        "main: new in the database\nmain: 2 readings imported\n",
    )
    assert (first.source, first.quality, first.exchange_at) == (Source.IMPORT, Quality.OK, None)
    assert first.balances == Balances(Decimal("996660.6064387699998485"))
    assert second.balances == Balances(al_freeze=Decimal("12.5"))
    assert (first.at, second.at) == (NOON, NOON + 5 * SECOND)
    assert first.seq < second.seq < 0


def test_a_rule_that_keeps_a_peak_is_named(tmp_path: Path) -> None:
    """A peak begins with the daemon's own readings; whoever imports older ones is told so."""
    (tmp_path / "old.csv").write_text(f"{HEAD}main,2026-01-01T12:00:00+01:00,5\n")
    drawdown = '[[rules]]\nname = "drawdown"\nwhen = "equity < 80% * peak(equity)"\n'
    config = write(tmp_path, account(), RULE, drawdown, CHANNEL)
    result = call("import", tmp_path / "old.csv", "--config", config, clock=DAY_LATER)
    assert result.stdout.splitlines()[-1] == (
        "main: imported readings raise no peak, so drawdown counts from the daemon's own readings;"
        " only backtest sees the imported ones"
    )


def test_history_shows_what_was_imported(tmp_path: Path) -> None:
    """Beside the account's own readings, in the order of time."""
    record(tmp_path, Record("main", reading(2, NOON)))
    bring_in(tmp_path, HEAD + "main,2026-01-01T11:59:00,7\n")
    shown = call("history", "--format", "csv", "--config", tmp_path / "rules.toml", clock=DAY_LATER)
    assert [
        (row["source"], row["available_margin"])
        for row in csv.DictReader(io.StringIO(shown.stdout))
    ] == [
        ("import", "7"),
        ("rest", "500"),
    ]


def test_times_are_iso_seconds_or_milliseconds(tmp_path: Path) -> None:
    """Without a zone they are in the configured one."""
    times = [
        "2026-01-01T12:00",
        "2026-01-01T11:00:01Z",
        f"{NOON // 1_000 + 2}",
        f"{NOON + 3_000}",
        "1767265204.25",
    ]
    assert bring_in(tmp_path, HEAD + "".join(f"main,{time},1\n" for time in times)).exit_code == 0
    found = [each.at - NOON for each in recorded(tmp_path)]
    assert found == [0, 1_000, 2_000, 3_000, 4_250]


def test_times_that_are_no_single_instant_are_refused(tmp_path: Path) -> None:
    """Ambiguous and skipped local times are told with their place; nothing is imported."""
    times = ["2025-10-26T01:59", "2025-10-26T02:30", "2025-10-26T02:30+01:00", "2025-03-30T02:30"]
    result = bring_in(tmp_path, HEAD + "".join(f"main,{time},1\n" for time in times))
    assert (result.exit_code, result.stdout) == (1, "")
    assert [line.partition("old.csv:")[2] for line in result.stderr.splitlines()[:-1]] == [
        '3: time: "2025-10-26T02:30" comes twice that day: write 02:30+02:00 or 02:30+01:00',
        (
            '5: time: "2025-03-30T02:30" never comes that day, as clocks are put forward: write'
            " 02:30+01:00 or 02:30+02:00"
        ),
    ]


def test_the_same_file_again_adds_nothing(tmp_path: Path) -> None:
    """Several lines of one instant keep their order, and are known in any."""
    text = HEAD + "main,2026-01-01,1\nmain,2026-01-01,2\nmain,2025-12-31,3\n"
    bring_in(tmp_path, text)
    before = recorded(tmp_path)
    again = bring_in(tmp_path, text + "main,2026-01-01T00:00:01,4\n")
    assert again.stdout == "main: 1 reading imported, 3 were there already\n"
    assert bring_in(tmp_path, HEAD + "main,2026-01-01,2.00\n").stdout.endswith(
        "1 was there already\n"
    )
    assert [each.balances.available_margin for each in before] == [3, 1, 2]
    assert recorded(tmp_path)[:3] == before


def test_other_values_at_an_instant_that_is_taken_are_told(tmp_path: Path) -> None:
    """Conflicts are counted, with the first line, both values and the remedy; the record stays."""
    head = "account,time,available_margin,al_freeze\n"
    bring_in(tmp_path, head + "main,2025-12-01,1.5,\nmain,2025-12-02,2,3\nmain,2025-12-03,3,4\n")
    before = recorded(tmp_path)
    other = (
        "main,2025-12-03,3.0,\nmain,2025-12-02,2,4\nmain,2025-12-01,1.50,9\nmain,2025-12-04,8,\n"
    )
    result = bring_in(tmp_path, head + other)
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [
            "main: 1 reading imported, 1 was there already, 2 were there with other values",
            f"main: the first of those is line 3: it says al_freeze 4, and 3 is recorded; {KEPT}",
        ],
    )
    assert recorded(tmp_path)[:3] == before
    sole = bring_in(tmp_path, HEAD + "main,2025-12-01,1\n").stdout
    assert "main: 0 readings imported, 1 was there with other values\n" in sole
    assert "line 2: it says available_margin 1, and 1.5 is recorded" in sole
    assert (
        "it says al_freeze 9, and nothing is recorded"
        in bring_in(tmp_path, head + "main,2025-12-01,,9\n").stdout
    )


def test_the_remedy_for_other_values_is_one(tmp_path: Path) -> None:
    """With the rows deleted, the same file brings in its own values."""
    bring_in(tmp_path, HEAD + "main,2026-01-01,1\n")
    with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as connection, connection:
        connection.execute("DELETE FROM snapshots WHERE source = 'import'")
    assert bring_in(tmp_path, HEAD + "main,2026-01-01,9\n").stdout == "main: 1 reading imported\n"
    assert [each.balances.available_margin for each in recorded(tmp_path)] == [9]


def test_counters_ascend_by_time_whatever_is_imported_when(tmp_path: Path) -> None:
    """Earlier, later and in between; nothing that was there gets another counter."""
    for days in ([5, 3], [9], [1, 4, 7]):
        bring_in(tmp_path, HEAD + "".join(f"main,2025-06-0{day},{day}\n" for day in days))
    found = recorded(tmp_path)
    assert [each.balances.available_margin for each in found] == [1, 3, 4, 5, 7, 9]
    assert [each.seq for each in found] == sorted({each.seq for each in found})
    assert max(abs(each.seq) for each in found) < 2**53


def test_lines_at_or_after_the_own_readings_are_skipped_and_counted(tmp_path: Path) -> None:
    """DESIGN §5: the account's own record begins where it begins."""
    record(tmp_path, Record("main", reading(2, NOON)))
    rows = "main,2026-01-01T11:59:59,1\nmain,2026-01-01T12:00:00,2\nmain,2026-01-01T12:00:01,3\n"
    result = bring_in(tmp_path, HEAD + rows)
    assert (
        result.stdout
        == "main: 1 reading imported, 2 skipped, for they do not lie before the account's own"
        " readings\n"
    )


def test_a_daemon_may_run_meanwhile(tmp_path: Path) -> None:
    """Its lock is not needed, and its state and windows do not change."""
    with collecting(tmp_path, Record("main", reading(2, NOON))) as store:
        before = store.load("main"), list(store.recent("main", 0))
        assert bring_in(tmp_path, HEAD + "main,2026-01-01,1\n").exit_code == 0
        assert (store.load("main"), list(store.recent("main", 0))) == before
    assert len(recorded(tmp_path)) == 2


def test_accounts_that_nobody_knows_are_added_where_that_is_wished(tmp_path: Path) -> None:
    """With a word about those that are not configured; from then on the database knows them."""
    text = HEAD + "old,2026-01-01,1\nmain,2026-01-01,1\n"
    result = bring_in(tmp_path, text, options=["--new-accounts"])
    assert result.stdout.splitlines() == [
        (
            "old: new in the database; rules.toml does not name it, so its exchange is taken to be"
            " coinw"
        ),
        "main: new in the database",
        "old: 1 reading imported",
        "main: 1 reading imported",
    ]
    assert (
        bring_in(tmp_path, text).stdout
        == "old: 0 readings imported, 1 was there already\nmain: 0 readings imported, 1 was there"
        " already\n"
    )


def test_a_mistyped_account_is_refused(tmp_path: Path) -> None:
    """A12: all unknown accounts in one sentence, with suggestions; no database is made."""
    result = bring_in(tmp_path, HEAD + "mian,2026-01-01,1\nmain,2026-01-01,1\nold,2026-01-01,1\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        result.stderr
        == f"{tmp_path}/old.csv names accounts that neither rules.toml nor the database knows, so"
        ' nothing was imported: "mian" (did you mean "main"?), "old"; correct them, or add'
        " --new-accounts\n"
    )
    assert not (tmp_path / "marginwatch.db").exists()


def test_standard_input(tmp_path: Path) -> None:
    """`-`, and its name in mistakes."""
    path = write(tmp_path)
    assert (
        call("import", "-", "--config", path, answers=HEAD + "main,2026-01-01,1\n").exit_code == 0
    )
    broken = call("import", "-", "--config", path, answers=HEAD + "main,2026-01-01,x\n")
    assert broken.exit_code == 1
    assert broken.stderr.startswith("standard input:2: available_margin: ")


def test_every_mistake_is_told_and_nothing_imported(tmp_path: Path) -> None:
    """The first twenty with file and line, the others counted; the database is not even made."""
    result = bring_in(tmp_path, HEAD + "main,2026-01-01,1\n" + "main,2026-01-01,x\n" * (SHOWN + 2))
    sentences = result.stderr.splitlines()
    assert result.exit_code == 1
    assert sentences[0].startswith(f"{tmp_path / 'old.csv'}:3: available_margin: ")
    assert len(sentences) == SHOWN + 1
    assert sentences[-1].startswith("and 2 more mistakes; nothing was imported")
    assert not (tmp_path / "marginwatch.db").exists()


def test_what_excel_writes_is_read(tmp_path: Path) -> None:
    """A byte order mark, CRLF, quotes, spaces and empty lines."""
    text = '\ufeff"account", "time",available_margin\r\n"main",2026-01-01 , 5\r\n\r\n,,\r\n'
    assert bring_in(tmp_path, text).stdout.endswith("1 reading imported\n")


def test_the_example_in_the_readme(tmp_path: Path) -> None:
    """The example of docs/database.md is imported exactly, with readings five seconds apart."""
    [example] = DATABASE.blocks("csv")
    assert bring_in(tmp_path, example).stdout.endswith("2 readings imported\n")
    first, second = recorded(tmp_path)
    assert second.at - first.at == 5 * SECOND
    assert first.balances.available_usdt == Decimal("996660.6064387699998485")


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("", ["is empty"]),
        (
            "account;time;available_margin\n",
            ["by semicolons: save the file as CSV with commas and decimal points"],
        ),
        ('\ufeff"account";"time";"available_margin"\r\n', ["by semicolons"]),
        ("sep=;\naccount;time;available_margin\n", ["by semicolons"]),
        ("account\ttime\tavailable_margin\n", ["by tabs"]),
        ("account|time|available_margin\n", ["by vertical bars"]),
        ("account,available_margin\n", ['has no column "time"']),
        ("time,available_margin\n", ['has no column "account"']),
        ("account,time\n", ["has no column of a field"]),
        ("account,time,freeMargin,seq,source,age\n", ["has no column of a field"]),
        ("account,time,availableMargni\n", ['did you mean "availableMargin"?']),
        ("account,time,al_freeze,alFreeze\n", ['two columns "al_freeze"']),
        ("account,at,time,al_freeze\n", ['two columns "time or at"']),
        (
            "acount,tiem,balance,AL_FREZE,al_margin,alMargin\n",
            [
                (
                    'the column "acount", which is none of account, time and the fields sent: did'
                    ' you mean "account"?'
                ),
                (
                    'the column "tiem", which is none of account, time and the fields sent: did you'
                    ' mean "time"?'
                ),
                (
                    'the column "balance", which is none of account, time and the fields sent:'
                    " leave it out"
                ),
                (
                    'the column "AL_FREZE", which is none of account, time and the fields sent: did'
                    ' you mean "al_freeze"?'
                ),
                'has two columns "al_margin": leave one out',
            ],
        ),
        ("margin,worth\n", ['"margin"', '"worth"', 'no column "account"', 'no column "time"']),
        (
            f"account,time,{'x' * 500}\n",
            [f'has the column "{"x" * 39}…", which', "has no column of a field"],
        ),
    ],
)
def test_a_first_line_that_cannot_be_used(head: str, words: list[str]) -> None:
    """A12: all mistakes of the first line at once with remedies, and none of later lines."""
    mistakes = said(head.removeprefix("\ufeff") + "x,y,z\nx,y,z\n" if head else "")
    for mistake, wanted in zip(mistakes, words, strict=True):
        assert isinstance(mistake, Mistake)
        assert mistake.line == 1
        assert wanted in mistake.text


@pytest.mark.parametrize(
    "head",
    [
        "account,time,available_margin,al_freeze",
        "Account,Time,Available_Margin,AL_FREEZE",
        "ACCOUNT,AT,availablemargin,alFreeze",
        '"account", "at","Available margin","al-freeze"',
        "account,time,available_margin,al_freeze,,,",
    ],
)
def test_names_of_columns_in_any_spelling(head: str) -> None:
    """A12: any case, the exchange's spelling, spaces for underscores, and empty last columns."""
    commas = "," * (head.count(",") - 3)
    [line] = said(f"{head}\nmain,1767265000,1,2{commas}\n")
    assert line == CsvLine("main", NOON - 200_000, Balances(Decimal(1), al_freeze=Decimal(2)))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('main,2026-01-01,"1,5"', "has a decimal comma: write a point"),
        ('main,2026-01-01,"1.234,56"', "has a decimal comma"),
        ("main,2026-01-01,1,5", "this one 4: is there a decimal comma?"),
        ("main,2026-01-01", "this one 2: are cells missing?"),
        ("main,2026-01-01,nan", "is no number"),
        ("main,2026-01-01,-inf", "is no number"),
        ("main,2026-01-01,1_000", "is no number"),
        ("main,2026-01-01,0x10", "is no number"),
        ("main,2026-01-01,1e24", "too large"),
        ("main,2026-01-01,1e999", "is no number"),
        (f"main,2026-01-01,0.{'1' * 41}", "too long"),
        ("main,2026-01-01,", "no value of any field"),
        ("main,24h,1", '"24h" is no time'),
        ("main,1767265201,1", "lies in the future"),
        (
            "main,17672220,1",
            (
                '"17672220" is no plausible time: seconds since 1970 have 10 digits now,'
                " milliseconds 13"
            ),
        ),
        ("main,176722200000,1", "is no plausible time"),
        ("main,1767222000000000,1", "is no plausible time"),
        (f"main,{'x' * 500},1", f'time: "{"x" * 39}…" is no time'),
        (f"main,2026-01-01,{'x' * 500}", f'available_margin: "{"x" * 39}…" is no number'),
        ("main,2026-01-01T11:00:00.001Z,1", "lies in the future"),
        ("main,1969-12-31,1", "before 1970"),
        ("main,,1", "is no time"),
        (",2026-01-01,1", "account: must be 1 to 64 letters"),
        ("ma/in,2026-01-01,1", "account: must be"),
    ],
)
def test_a_line_that_cannot_be_used(line: str, words: str) -> None:
    """Its number, its column and the remedy; the lines beside it are judged too."""
    good, mistake, other = said(HEAD + f"main,1767265000,1\n{line}\nmain,1767265001,1\n")
    assert (good, other) == (
        CsvLine("main", NOON - 200_000, Balances(Decimal(1))),
        CsvLine("main", NOON - 199_000, Balances(Decimal(1))),
    )
    assert isinstance(mistake, Mistake)
    assert mistake.line == 3
    assert words in mistake.text


def test_a_quotation_mark_without_its_partner(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open quotation mark swallows the next lines: that is told, and nothing is imported."""
    *_, mistake = said(HEAD + 'main,1,"1\n' + "main,1,1\n" * 50_000)
    assert isinstance(mistake, Mistake)
    assert "a quotation mark may be missing its partner" in mistake.text


@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    """One sentence, exit status 1."""
    result = call("import", tmp_path / name, "--config", write(tmp_path))
    assert result.exit_code == 1
    assert result.stderr.endswith("name another file\n")


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (
            HEAD.encode() + b"main,2026-01-01,1\nm\xe4in,2026-01-01,1\nmain,2026-01-01,x\n",
            3,
            "save it as UTF-8 CSV",
        ),
        (
            (HEAD + "main,2026-01-01,1\n").encode("utf-16"),
            1,
            "is text in UTF-16: save it as UTF-8 CSV",
        ),
        (
            (HEAD + "main,2026-01-01,1\n").encode("utf-16-le"),
            1,
            "this is not UTF-8 text; save it as UTF-8 CSV",
        ),
        (gzip.compress(HEAD.encode()), 1, "is compressed by gzip: unpack it first, with gunzip"),
        (b"PK\x03\x04\x14\0\x06\0", 1, "is a spreadsheet or an archive: save the readings as CSV"),
        (
            b'[\n{"account": "main", "at": "2026-01-01"}\n]\n',
            1,
            "is JSON: import reads CSV, such as marginwatch",
        ),
        (b'{"account": "main"}', 1, "is JSON: import reads CSV"),
        (
            b"SQLite format 3\0\x10\0",
            1,
            "is a database: write CSV with marginwatch history --format csv",
        ),
    ],
    ids=[
        "latin-1",
        "utf-16",
        "utf-16 without a mark",
        "gzip",
        "a spreadsheet",
        "json",
        "an object",
        "a database",
    ],
)
def test_files_that_are_no_csv(tmp_path: Path, content: bytes, line: int, words: str) -> None:
    """A12: the format and the remedy are told once, whatever follows."""
    result = bring_in(tmp_path, content)
    assert (result.exit_code, result.stdout) == (1, "")
    first, last = result.stderr.splitlines()
    assert f"old.csv:{line}: " in first
    assert words in first
    assert last.startswith("nothing was imported")


@pytest.mark.parametrize("below", ["", "\n", ",,\n\n"])
def test_a_file_without_readings_is_no_success(tmp_path: Path, below: str) -> None:
    """Only the names of its columns: said, exit status 1, and no database is made."""
    result = bring_in(tmp_path, HEAD + below)
    said = (
        f"{tmp_path}/old.csv has no readings below its first line, so nothing was imported: add"
        " some\n"
    )
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", said)
    assert not (tmp_path / "marginwatch.db").exists()


def test_too_many_lines_of_one_instant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters are made of instants, and each has room for so many."""
    monkeypatch.setattr(run, "INSTANT", 2)
    result = bring_in(tmp_path, HEAD + "main,2026-01-01,1\n" * 3)
    assert result.exit_code == 1
    assert "more than 2 lines of main at 2026-01-01T00:00:00.000+01:00" in result.stderr


def test_a_long_file_is_stored_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is the same for any size, sorted and complete."""
    monkeypatch.setattr(run, "BATCH", 3)
    rows = "".join(f"main,{NOON - (at * 7) % 11 * 1_000},{at}\n" for at in range(10))
    assert "10 readings imported" in bring_in(tmp_path, HEAD + rows).stdout
    found = [each.at for each in recorded(tmp_path)]
    assert found == sorted(found)
    assert len(found) == 10


def test_a_terminal_sees_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line that is written again and again; elsewhere nothing is said."""
    monkeypatch.setattr(run, "EVERY", 2)
    monkeypatch.setattr(run, "BATCH", 2)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    file = tmp_path / "old.csv"
    file.write_text(
        HEAD + "".join(f"main,{1_767_265_000 + at},1\n" for at in range(5)), encoding="utf-8"
    )
    session = CommandSession(environ=SECRETS, path=write(tmp_path))
    wish = run.ImportOptions(str(file))
    assert run.bring_in(wish, session.config(secrets=False), NOON) == 0
    assert (
        terminal.getvalue()
        == "2 lines read\x1b[K\r4 lines read\x1b[K\r2 lines of main stored\x1b[K\r4 lines of main"
        " stored\x1b[K\r"
    )


def test_the_pile_keeps_the_order_of_the_file_within_an_instant() -> None:
    """And otherwise that of time."""
    pile = Spool()
    for at, value in ((5, "1"), (3, "2"), (5, "3")):
        pile.put(CsvLine("main", at, Balances(Decimal(value))))
    pile.sort()
    assert [(line.at, str(line.balances.available_margin)) for line in pile.lines("main")] == [
        (3, "2"),
        (5, "1"),
        (5, "3"),
    ]
    pile.close()


@pytest.mark.parametrize("rows", [60_000, 120_000])
def test_a_temporary_folder_without_room_is_one_sentence(tmp_path: Path, rows: int) -> None:
    """A10: a full disk while reading or sorting gives a remedy, and nothing is stored."""
    needs_root()
    config = write(tmp_path)
    times = ((name, 1_500_000_000 + at) for name in ("main", "other") for at in range(rows // 2))
    (tmp_path / "old.csv").write_text(
        HEAD + "".join(f"{name},{at},1{at}.5\n" for name, at in times), encoding="utf-8"
    )
    small = tmp_path / "small"
    small.mkdir()
    with mounted(small, "size=1m"):
        command = [
            sys.executable,
            "-m",
            "daemon",
            "import",
            str(tmp_path / "old.csv"),
            "--config",
            str(config),
        ]
        environ = {**os.environ, **SECRETS, "SQLITE_TMPDIR": str(small)}
        shown = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert (
        shown.stderr
        == "the file cannot be sorted, so nothing was imported (database or disk is full): free"
        " space where temporary files are, or let SQLITE_TMPDIR name a directory with room\n"
    )
    assert not (tmp_path / "marginwatch.db").exists()


@pytest.mark.no_cover
def test_a_disk_that_fills_up_on_the_way_says_what_is_there(tmp_path: Path) -> None:
    """A10: the number of imported readings, and that the same file adds the rest later."""
    needs_root()
    small = tmp_path / "small"
    small.mkdir()
    (tmp_path / "old.csv").write_text(
        HEAD + "".join(f"main,{1_500_000_000 + at},1{at}.5\n" for at in range(40_000)),
        encoding="utf-8",
    )
    with mounted(small, "size=1m"):
        config = write(small)
        first = call("import", str(tmp_path / "old.csv"), "--config", config)
        subprocess.run(["mount", "-o", "remount,size=32m", str(small)], check=True)
        again = call("import", str(tmp_path / "old.csv"), "--config", config)
    there = (
        r"has no room: .*\. main: ([0-9,]+) readings imported; import the file again to add the"
        r" rest\n"
    )
    told = re.search(there, first.stderr)
    assert told is not None, first.output
    assert first.exit_code == 1
    assert f"{told[1]} were there already" in again.stdout


@pytest.mark.parametrize("file", ["/proc/self/mem", "/", "/nowhere.csv"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, file: str) -> None:
    """A10: also where that shows only while it is read."""
    result = call("import", file, "--config", write(tmp_path))
    assert (result.exit_code, result.stderr[: len(file) + 15]) == (1, f"{file} cannot be read")


# Files that were never meant to be read to their end (S13).


@pytest.mark.parametrize("name", ["pipe", "/dev/zero", "/dev/urandom", "socket"])
def test_s13_what_is_no_regular_file_is_not_opened(tmp_path: Path, name: str) -> None:
    """S13: a pipe without a writer would never answer, and a device has no end."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        result = call("import", tmp_path / name, "--config", write(tmp_path))
    assert (result.exit_code, result.stdout) == (1, "")
    said = (
        r"is a pipe or a device, not a file: send it in with marginwatch import - <|No such device"
    )
    assert re.search(said, result.stderr)


def test_s13_a_link_to_a_file_is_a_file(tmp_path: Path) -> None:
    """S13: only what is read counts."""
    (tmp_path / "real.csv").write_text(HEAD + "main,2026-01-01,1\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    result = call("import", tmp_path / "link.csv", "--config", write(tmp_path))
    assert (result.exit_code, result.stdout) == (
        0,
        "main: new in the database\nmain: 1 reading imported\n",
    )


ENDLESS: dict[str, Callable[[], Iterable[str]]] = {
    "one line": lambda: itertools.repeat("main,2026-01-01," * 1_000),
    "cells": lambda: itertools.repeat("," * 16_000),
    "quoted lines": lambda: itertools.chain([HEAD, '"'], itertools.repeat('\n","')),
    "a quote": lambda: itertools.chain([HEAD, '"'], itertools.repeat("a\n")),
    "header": lambda: itertools.repeat("a" * 16_000),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_s13_a_row_without_an_end_is_refused(what: str) -> None:
    """S13: reading ends after MAX_ROW characters of a row, even if the text never ends."""
    *_, mistake = lines(ENDLESS[what](), UTC, NOON)
    assert isinstance(mistake, Mistake)
    assert (
        "has more than 10,000 characters: a quotation mark may be missing its partner"
        in mistake.text
    )


def test_s13_many_accounts_are_refused_at_once(tmp_path: Path) -> None:
    """S13: a column of numbers called account is a mistake, found early; nothing is stored."""
    rows = "".join(f"a{number},2026-01-01,1\n" for number in range(MAX_ACCOUNTS + 1))
    for options in ((), ("--new-accounts",)):
        result = bring_in(tmp_path, HEAD + rows + "broken\n", options=options)
        assert result.exit_code == 1
        assert result.stderr.endswith(
            "names more than 1,000 accounts, so nothing was imported: see that the right column is"
            " called account, or import the file in parts\n"
        )
    assert not (tmp_path / "marginwatch.db").exists()


def test_s13_of_many_unknown_accounts_some_are_named(tmp_path: Path) -> None:
    """S13: twenty of them, and how many more there are."""
    rows = "".join(f"a{number},2026-01-01,1\n" for number in range(300))
    said = bring_in(tmp_path, HEAD + rows).stderr
    assert '"a19", and 280 more; correct them, or add --new-accounts' in said
    assert '"a20"' not in said


def test_s13_a_line_without_an_end_takes_no_memory(tmp_path: Path) -> None:
    """S13: the running program reads only the beginning of a line that goes on for ever."""
    path, bound = write(tmp_path), 600 << 20
    with (
        subprocess.Popen(["yes", "main,"], stdout=subprocess.PIPE) as words,
        subprocess.Popen(["tr", "-d", "\n"], stdin=words.stdout, stdout=subprocess.PIPE) as line,
    ):
        done = subprocess.run(
            [sys.executable, "-m", "daemon", "import", "-", "--config", path],
            stdin=line.stdout,
            capture_output=True,
            text=True,
            env=SECRETS,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (bound, bound)),
        )
        for stream in (line.stdout, words.stdout):
            assert stream is not None
            stream.close()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("standard input:1: has more than 10,000 characters")


@pytest.mark.parametrize("before", [False, True])
def test_a_dry_run_says_what_would_be_added_and_changes_nothing(
    tmp_path: Path, before: bool
) -> None:
    """With a database and without one, which it does not make."""
    text = HEAD + "main,1767200000,90\nmain,1767200005,91\n"
    if before:
        assert bring_in(tmp_path, HEAD + "main,1767200000,90\n").exit_code == 0
    there = recorded(tmp_path) if before else []
    result = bring_in(tmp_path, text, options=["--dry-run"])
    assert result.exit_code == 0
    assert result.stdout.splitlines() == (
        ["main: 1 reading would be imported, 1 was there already"]
        if before
        else ["main: would be new in the database", "main: 2 readings would be imported"]
    )
    assert (tmp_path / "marginwatch.db").exists() == before
    assert (recorded(tmp_path) if before else []) == there
    assert bring_in(tmp_path, text.replace("main", "mian"), options=["--dry-run"]).exit_code == 1


def test_an_import_for_programs(tmp_path: Path) -> None:
    """Counts of each account, and the first line that contradicts the record."""
    assert bring_in(tmp_path, HEAD + "main,1767200000,90\n").exit_code == 0
    text = HEAD + "main,1767200000,95\nmain,1767200005,91\n"
    found = json.loads(bring_in(tmp_path, text, options=["--json"]).stdout)
    assert found == {
        "dry_run": False,
        "accounts": [
            {
                "account": "main",
                "new": False,
                "imported": 1,
                "there_already": 0,
                "differing": 1,
                "skipped": 0,
                "first_difference": {
                    "line": 2,
                    "field": "available_margin",
                    "value": "95",
                    "recorded": "90",
                },
            }
        ],
    }
