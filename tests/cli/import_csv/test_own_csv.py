"""`import` of what `history` wrote: nothing that has a meaning is lost on the way."""

import csv
import io
import sqlite3
import tempfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from click.testing import Result
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.exchanges.common.responses import MAX_DECIMALS
from daemon.readings.fields import SENT
from daemon.types import Balances, Quality, Reading, Record, Source
from tests.cli.calls import CHANNEL, RULE, account, call, record, write
from tests.fakes import NOON, ManualClock
from tests.values import reading

LATER = ManualClock(NOON + 7 * 86_400_000)
ACCOUNTS = ("main", "grid-bot", "Zweit konto")
ZONES = ("Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "UTC")

amounts = st.builds(
    lambda digits, decimals: Decimal(digits).scaleb(-decimals),
    st.integers(-(10**24) + 1, 10**24 - 1) | st.integers(-1_000, 1_000),
    st.integers(0, MAX_DECIMALS),
)
balances = st.builds(Balances, *[st.none() | amounts] * len(SENT)).filter(
    lambda each: each != Balances()
)
readings = st.lists(
    st.tuples(
        st.sampled_from(ACCOUNTS),
        st.integers(0, 5_000),
        st.sampled_from(Quality),
        st.sampled_from([Source.REST, Source.WS, Source.CONFIRM]),
        balances,
    ),
    min_size=1,
    max_size=12,
)


def configured(folder: Path, zone: str = "Europe/Berlin") -> Path:
    return write(folder, *(account(name) for name in ACCOUNTS), RULE, CHANNEL, timezone=zone)


def history(path: Path) -> str:
    return call("history", "--format", "csv", "--config", path, clock=LATER).stdout


def bring_in(path: Path, text: str) -> Result:
    return call("import", "-", "--config", path, answers=text, clock=LATER)


def meaning(text: str) -> list[dict[str, str]]:
    """All columns but the account's counter and the source, which import gives anew."""
    rows = csv.DictReader(io.StringIO(text))
    return [
        {name: cell for name, cell in row.items() if name not in {"seq", "source"}} for row in rows
    ]


NOTHING = (Quality.OK, Source.REST, Balances(None, None, None, None, None, Decimal(0)))


@settings(max_examples=25, deadline=None)
@given(readings, st.sampled_from(ZONES))
@example([("main", 1, *NOTHING), ("grid-bot", 0, *NOTHING), ("grid-bot", 1, *NOTHING)], "UTC")
def test_a_history_survives_export_and_import(
    found: list[tuple[str, int, Quality, Source, Balances]], zone: str
) -> None:
    """A12: a random record comes back digit by digit; importing it again adds nothing."""
    seqs = dict.fromkeys(ACCOUNTS, 1)
    records = []
    for name, at, quality, source, values in found:
        seqs[name] += 1
        records.append(Record(name, Reading(seqs[name], NOON + at, source, quality, None, values)))
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        record(Path(one), *records, accounts=ACCOUNTS)
        written = history(configured(Path(one), zone))
        path = configured(Path(other), zone)
        assert bring_in(path, written).exit_code == 0
        assert meaning(history(path)) == meaning(written)
        again = bring_in(path, written)
        assert all(" 0 readings imported" in line for line in again.stdout.splitlines())


def test_readings_that_judged_nothing_judge_nothing_when_imported(tmp_path: Path) -> None:
    """A12: suspect, contradicted and stale readings keep their quality, so no rule judges them."""
    text = "".join(
        f"main,{NOON + at},{value},{quality}\n"
        for at, value, quality in [
            (0, 500, ""),
            (1_000, 1, "contradicted"),
            (2_000, 2, "stale"),
            (3_000, 50, "suspect"),
            (4_000, 50, "Unconfirmed"),
            (5_000, 500, "confirmed"),
            (6_000, 6, "suspect"),
        ]
    )
    path = configured(tmp_path)
    assert bring_in(path, f"account,at,available_margin,quality\n{text}").exit_code == 0
    played = call(
        "backtest", "--since", "2026-01-01", "--format", "csv", "--config", path, clock=LATER
    )
    moves = [
        (row["to"], row["value"]) for row in csv.DictReader(io.StringIO(played.stdout)) if row["to"]
    ]
    assert moves == [("firing", "50"), ("resolved", "500")]


def test_an_unknown_quality_is_a_mistake(tmp_path: Path) -> None:
    """A12: it is not taken for a good one."""
    result = bring_in(
        configured(tmp_path), f"account,at,available_margin,quality\nmain,{NOON},1,good\n"
    )
    assert result.exit_code == 1
    assert result.stderr.startswith(
        'standard input:2: quality: "good" is none of ok, suspect, confirmed, '
    )


def test_the_view_balances_can_be_imported(tmp_path: Path) -> None:
    """A12: with its derived columns, one of which may be infinite; they are derived anew."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    record(
        one,
        Record("main", reading(2, NOON, available_margin="0", al_freeze="3")),
        accounts=ACCOUNTS,
    )
    with closing(sqlite3.connect(one / "marginwatch.db")) as connection:
        found = connection.execute("SELECT * FROM balances")
        written = io.StringIO()
        csv.writer(written).writerows([[column[0] for column in found.description], *found])
    path = configured(other)
    assert "Inf" in written.getvalue() or "inf" in written.getvalue()
    assert bring_in(path, written.getvalue()).stdout.endswith("main: 1 reading imported\n")
    [row] = meaning(history(path))
    assert (row["available_margin"], row["al_freeze"], row["quality"]) == ("0", "3", "ok")
    assert Decimal(row["available_usdt"]) == 0
