"""`history`: the recorded readings, for people and for programs."""

import csv
import io
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from daemon.cli.output.tables import MOST
from daemon.types import SECOND, Quality, Record
from tests.cli.calls import account, call, collecting, record, write
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
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[1][:4] == ["main", "2026-01-01", "12:00:00", "500.5"]
    assert lines[2][:5] == ["grid-1", "2026-01-01", "12:00:01", "suspect", "996660.60643877"]


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
    assert len(table) == MOST + 2
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
        == 4
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
