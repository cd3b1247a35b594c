"""`history --every`: the same figures, whether they come from rollups or from readings."""

import json
import sqlite3
from contextlib import closing
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from daemon.cli.show.history_steps import StepLength, in_steps
from daemon.store import History, Store
from daemon.store.operations import MarkHours, WriteRollups
from daemon.types import DAY, HOUR, MINUTE, Millis, Quality, Record
from tests.cli.calls import call, record, url, write
from tests.fakes import NOON, ManualClock
from tests.values import reading

LATER = ManualClock(NOON + 30 * HOUR)
BERLIN = ZoneInfo("Europe/Berlin")


def readings(*margins: str, apart: Millis = 10 * MINUTE) -> list[Record]:
    return [
        Record("main", reading(seq, NOON + seq * apart, available_margin=margin))
        for seq, margin in enumerate(margins, 1)
    ]


def roll_up(folder: Path, hours: int | None = None) -> None:
    """Rolls up the first hours that are over, or all."""
    store = Store.open(url(folder))
    while (found := store.unseen_inputs("main")) is not None:
        store.submit(MarkHours("main", found.hours, found.seq)).result(10)
    marks = store.pending_hours("main", LATER.now(), hours or 1_000)
    rolled = tuple(store.roll_hours("main", marks))
    store.submit(WriteRollups("main", rolled, marks)).result(10)
    store.close()


def steps(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = call("history", "--every", *arguments, "--json", "--config", write(folder), clock=LATER)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_each_step_has_exact_figures(tmp_path: Path) -> None:
    """Readings that were not judged count for nothing, steps without any are left out."""
    suspect = reading(9, NOON + 9 * HOUR, Quality.SUSPECT, available_margin="7")
    record(tmp_path, *readings("5", "0.1000000000000000000001", "9"), Record("main", suspect))
    assert steps(tmp_path, "20m", "--field", "availableMargin") == [
        {
            "account": "main",
            "at": "2026-01-01T12:00:00.000+01:00",
            "readings": 1,
            **dict.fromkeys(("first", "last", "low", "high", "mean"), "5"),
        },
        {
            "account": "main",
            "at": "2026-01-01T12:20:00.000+01:00",
            "readings": 2,
            "first": "0.1000000000000000000001",
            "last": "9",
            "low": "0.1000000000000000000001",
            "high": "9",
            "mean": "4.55000000000000000000005",
        },
    ]


@pytest.mark.parametrize("hours", [1, 3, None])
@pytest.mark.parametrize("every", ["1h", "90m", "3h", "1d"])
def test_rollups_and_readings_give_the_same(tmp_path: Path, every: str, hours: int | None) -> None:
    """Whichever hours are rolled up, also where the span cuts one."""
    record(tmp_path, *readings(*map(str, range(70)), apart=13 * MINUTE))
    spans: tuple[list[str], ...] = (
        ["--since", "2026-01-01T12:30", "--until", "2026-01-01T20:10"],
        [],
    )
    before = [steps(tmp_path, every, *span) for span in spans]
    roll_up(tmp_path, hours)
    assert [steps(tmp_path, every, *span) for span in spans] == before
    assert before[0]
    assert sum(each["readings"] for each in before[1]) == 70


def test_whole_hours_come_from_rollups(tmp_path: Path) -> None:
    """The readings are not read again: what is changed by hand in a rollup shows."""
    record(tmp_path, *readings("5", "6"))
    roll_up(tmp_path)
    with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as database:
        database.execute("UPDATE rollups SET high = 99")
        database.commit()
    assert [each["high"] for each in steps(tmp_path, "1h")] == ["99"]
    assert [each["high"] for each in steps(tmp_path, "30m")] == ["6"]


@pytest.mark.parametrize(
    ("zone", "day"),
    [(BERLIN, "2026-03-29"), (BERLIN, "2026-10-25"), (ZoneInfo("UTC"), "2026-01-01")],
)
def test_days_begin_at_midnight(zone: tzinfo, day: str) -> None:
    """Also on days of 23 and 25 hours."""
    midnight = int(datetime.fromisoformat(day).replace(tzinfo=zone).timestamp() * 1_000)
    found = StepLength(DAY, zone)
    assert {found.start(midnight + hour * HOUR) for hour in range(23)} == {midnight}
    assert found.start(midnight - 1) < midnight
    assert found.start(midnight + 26 * HOUR) > midnight


def test_an_hour_across_two_steps_is_read_itself(tmp_path: Path) -> None:
    """In a zone of half an hour, midnight is in the middle of an hour."""
    record(tmp_path, *readings(*map(str, range(70)), apart=13 * MINUTE))
    kolkata = StepLength(DAY, ZoneInfo("Asia/Kolkata"))
    with History.open(url(tmp_path)) as history:
        before = list(in_steps(history, "main", "available_margin", (0, LATER.now()), kolkata))
    roll_up(tmp_path)
    with History.open(url(tmp_path)) as history:
        after = list(in_steps(history, "main", "available_margin", (0, LATER.now()), kolkata))
    assert before == after
    assert len(after) == 2


def test_ratios_have_steps_too(tmp_path: Path) -> None:
    """They are made of the readings."""
    record(tmp_path, *readings("5"))
    roll_up(tmp_path)
    [found] = steps(tmp_path, "1d", "--field", "margin_usage")
    assert (found["high"], found["readings"]) == ("0", 1)


def test_people_get_the_last_steps(tmp_path: Path) -> None:
    """A table, with a sentence where there is nothing."""
    path = write(tmp_path)
    record(tmp_path, *readings("5", "7"))
    done = call("history", "--every", "1h", "--config", path, clock=LATER)
    header, line = done.stdout.splitlines()
    assert header.split() == ["at", "readings", "first", "last", "low", "high", "mean"]
    assert line.split()[-6:] == ["2", "5", "7", "5", "7", "6"]
    empty = call("history", "--every", "1m", "--config", path, clock=LATER).stdout
    assert empty.startswith("no steps in this span")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--every 1ms", "the shortest step is 1s"),
        ("--every 2y", "is no duration: write --every 5m"),
        ("--every 400d", "the longest step is 366d"),
        ("--every 5m --field margn", "there is no field"),
        ("--every 5m --fields al_margin", "leave them out"),
        ("--every 5m --changes", "leave them out"),
        ("--every 5m --account other", "no recorded account matches"),
        ("--every 5m --since 1h --until 2h", "--until lies before --since"),
        ("--field al_margin", "--field belongs to --every"),
    ],
)
def test_what_makes_no_steps_is_bad_usage(tmp_path: Path, arguments: str, sentence: str) -> None:
    """One sentence with the remedy, status 2."""
    record(tmp_path, *readings("5"))
    done = call("history", *arguments.split(), "--config", write(tmp_path), clock=LATER)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert sentence in done.stderr
