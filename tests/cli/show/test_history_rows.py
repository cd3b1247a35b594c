"""`history`: the recorded readings, for people and for programs."""

import csv
import io
import json
import re
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from daemon.cli import record_access
from daemon.cli.options import Format
from daemon.cli.output.tables import MOST
from daemon.cli.session import CommandSession
from daemon.cli.show import history_rows
from daemon.readings.fields import VALUES
from daemon.types import SECOND, Quality, Record
from tests.cli.calls import SECRETS, Terminal, account, call, collecting, record, write
from tests.fakes import NOON, ManualClock
from tests.values import reading

LATER = ManualClock(NOON + 60 * SECOND)
EXACT = "996660.6064387699998485"


def two_accounts(folder: Path) -> Path:
    """`main` at 0 and 2 s, `grid-1` at 1 s; a value that no float keeps, a field not sent."""
    odd = reading(1, NOON + SECOND, Quality.SUSPECT, available_margin=EXACT)
    odd = replace(odd, balances=replace(odd.balances, al_freeze=None))
    records = (
        Record("main", reading(1, NOON, available_margin="500.50")),
        Record("grid-1", odd),
        Record("main", reading(2, NOON + 2 * SECOND)),
    )
    record(folder, *records, accounts=("main", "grid-1"))
    return write(folder, account(), account("grid-1"))


def test_json_has_exact_digits_and_offsets(tmp_path: Path) -> None:
    """The machine format of DESIGN §5: strings with exact digits, ISO 8601, null for unknown."""
    result = call("history", "--format", "json", "--config", two_accounts(tmp_path), clock=LATER)
    rows = json.loads(result.stdout)
    assert [(row["account"], row["seq"]) for row in rows] == [
        ("main", 1),
        ("grid-1", 1),
        ("main", 2),
    ]
    assert rows[1] == {
        "account": "grid-1",
        "at": "2026-01-01T12:00:01.000+01:00",
        "seq": 1,
        "source": "rest",
        "quality": "suspect",
        "available_margin": EXACT,
        "available_usdt": EXACT,
        "almighty_gold": "0",
        "al_margin": "0",
        "al_freeze": None,
        "cross_un_pnl": None,
    }


def test_csv_has_the_same(tmp_path: Path) -> None:
    """A header and a row per reading."""
    result = call("history", "--format", "csv", "--config", two_accounts(tmp_path), clock=LATER)
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["available_margin"] for row in rows] == ["500.5", EXACT, "500"]
    assert rows[1]["al_freeze"] == ""


def test_a_table_is_for_people(tmp_path: Path) -> None:
    """Local times, no idle zeros, a word for readings that were not judged as usual."""
    result = call("history", "--config", two_accounts(tmp_path), clock=LATER)
    note, *lines = result.stdout.splitlines()
    assert note == "not shown: cross_un_pnl (not sent). Name fields with --fields"
    cells = [line.split() for line in lines]
    assert cells[0][:3] == ["account", "at", "available_margin"]
    assert cells[1][:3] == ["main", "12:00:00", "500.5"]
    assert cells[2][:4] == ["grid-1", "12:00:01", "suspect", "996660.60643877"]


@pytest.mark.parametrize(
    ("width", "columns", "note"),
    [
        (
            120,
            "at available_margin available_usdt almighty_gold al_margin al_freeze",
            "not shown: cross_un_pnl (not sent). Name fields with --fields",
        ),
        (
            60,
            "at available_margin available_usdt almighty_gold",
            (
                "not shown: cross_un_pnl (not sent); al_margin, al_freeze (no room). Name fields"
                " with --fields"
            ),
        ),
        (
            30,
            "at available_margin",
            (
                "not shown: cross_un_pnl (not sent); available_usdt, almighty_gold, al_margin,"
                " al_freeze (no room). Name fields with --fields"
            ),
        ),
    ],
)
def test_a_narrow_terminal_gets_a_table_of_the_first_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int, columns: str, note: str
) -> None:
    """A line for each reading, and above it what is left out."""
    record(tmp_path, Record("main", reading(1, NOON)), Record("main", reading(2, NOON + SECOND)))
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    session = CommandSession(environ=SECRETS, path=write(tmp_path, account()))
    with record_access.open_record(session) as past:
        wish = history_rows.HistoryOptions("*", None, changes=False, output=Format.TABLE)
        history_rows.show(past, wish, (0, NOON * 2), NOON)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()).splitlines()
    header = next(number for number, line in enumerate(shown) if line.split()[:1] == ["at"])
    assert " ".join(line.strip() for line in shown[:header]).strip() == note
    assert shown[header].split() == columns.split()
    assert [line.split()[0] for line in shown[header + 2 : header + 4]] == ["12:00:00", "12:00:01"]
    assert max(map(len, shown)) <= width


def test_fields_are_chosen_and_readings_without_a_change_left_out(tmp_path: Path) -> None:
    """In each format; derived fields and the exchange's spelling are taken, and nothing is cut."""
    record(
        tmp_path,
        *(
            Record("main", reading(seq, NOON + seq * SECOND, available_margin=margin))
            for seq, margin in enumerate(["500", "500", "90", "90", "500"], start=1)
        ),
    )
    asked = ["history", "--config", write(tmp_path, account()), "--changes"]
    table = call(*asked, "--fields", "availableMargin, freeze_ratio", clock=LATER).stdout
    assert [line.split() for line in table.splitlines()] == [
        ["at", "available_margin", "freeze_ratio"],
        ["12:00:01", "500", "0"],
        ["12:00:03", "90", "0"],
        ["12:00:05", "500", "0"],
    ]
    rows = json.loads(call(*asked, "--fields", "al_margin", "--json", clock=LATER).stdout)
    assert [(row["seq"], row["al_margin"]) for row in rows] == [(1, "0")]
    assert set(rows[0]) == {"account", "at", "seq", "source", "quality", "al_margin"}


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (["--since", "2026-01-01T12:00:01"], [Decimal(EXACT), Decimal(500)]),
        (["--until", "2026-01-01T12:00:01"], [Decimal("500.5")]),
        (["--since", "59s", "--until", "now"], [Decimal(EXACT), Decimal(500)]),
        (["--account", "grid-*"], [Decimal(EXACT)]),
        (["--since", "now"], []),
    ],
)
def test_the_span_and_the_account_choose(
    tmp_path: Path, span: list[str], expected: list[Decimal]
) -> None:
    """ISO 8601 in the configured zone, durations ago, globs."""
    result = call(
        "history", "--format", "json", *span, "--config", two_accounts(tmp_path), clock=LATER
    )
    assert [Decimal(row["available_margin"]) for row in json.loads(result.stdout)] == expected


def test_a_table_shows_the_last_and_says_so_and_json_is_never_cut(tmp_path: Path) -> None:
    """A person who needs all of them is told how."""
    count = MOST + 5
    record(tmp_path, *(Record("main", reading(seq, NOON + seq)) for seq in range(1, count + 1)))
    path = write(tmp_path, account())
    table = call("history", "--config", path, clock=LATER).stdout.splitlines()
    assert len(table) == MOST + 3
    assert (
        table[-1] == f"the last {MOST} of {count} readings; --format csv and --format json have all"
    )
    rows = json.loads(call("history", "--config", path, "--format", "json", clock=LATER).stdout)
    assert [row["seq"] for row in rows] == list(range(1, count + 1))


def test_a_table_looks_back_an_hour_where_nothing_is_said(tmp_path: Path) -> None:
    """Old readings are in csv and json, and in the table when asked for."""
    path, tomorrow = two_accounts(tmp_path), ManualClock(NOON + 86_400 * SECOND)
    table = call("history", "--config", path, clock=tomorrow).stdout
    assert table == "no readings in this span; an earlier --since looks further back\n"
    assert (
        len(call("history", "--config", path, "--since", "25h", clock=tomorrow).stdout.splitlines())
        == 5
    )
    assert (
        len(
            json.loads(call("history", "--config", path, "--format", "json", clock=tomorrow).stdout)
        )
        == 3
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--account", "x*"], 'no recorded account matches "x*": there are main, grid-1'),
        (
            ["--since", "soon"],
            (
                '"soon" is not a time: write 03:12, yesterday 20:20, mon 07:00, 2026-11-22T03:12,'
                " 24h for a day ago, or now"
            ),
        ),
        (["--fields", "al_frezze"], 'there is no field "al_frezze"; did you mean "al_freeze"?'),
        (["--fields", "Frozen"], 'there is no field "Frozen"; did you mean "al_freeze"?'),
        (
            ["--fields", "al_margin,age"],
            f'there is no field "age"; there are {", ".join(VALUES)}',
        ),
        (
            ["--since", "1h", "--until", "2h"],
            "--until lies before --since, so there is nothing in between: exchange them",
        ),
    ],
)
def test_what_cannot_be_shown_is_bad_usage(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    """One sentence, status 2."""
    result = call("history", *arguments, "--config", two_accounts(tmp_path), clock=LATER)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"{sentence}\n")


def test_history_is_read_beside_a_daemon(tmp_path: Path) -> None:
    """Reading takes no lock and sees what is committed."""
    with collecting(tmp_path, Record("main", reading(1, NOON))):
        result = call("history", "--format", "json", "--config", write(tmp_path), clock=LATER)
    assert len(json.loads(result.stdout)) == 1


def test_a_missing_database_is_one_sentence(tmp_path: Path) -> None:
    """Nothing is made by looking."""
    result = call("alerts", "--config", write(tmp_path))
    expected = (
        f"there is no database at {tmp_path}/marginwatch.db: start marginwatch run, or name another"
        " configuration\n"
    )
    assert (result.exit_code, result.stderr) == (1, expected)
    for command in ("history", "backtest"):
        result = call(command, "--config", tmp_path / "rules.toml")
        readings = "marginwatch run, bring readings in with marginwatch import, or name"
        assert (result.exit_code, result.stderr) == (
            1,
            expected.replace("marginwatch run, or name", readings),
        )
    assert call("backtest", "--verify", "--config", tmp_path / "rules.toml").stderr == expected
    assert sorted(each.name for each in tmp_path.iterdir()) == ["rules.toml"]
