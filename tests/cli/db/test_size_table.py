"""`db size`: a table with the largest first, and every figure for programs."""

import json
from dataclasses import replace
from datetime import UTC
from pathlib import Path

from daemon.cli.db.size_table import summary
from daemon.types import DAY
from tests.cli.calls import call, record, write
from tests.fakes import NOON, ManualClock
from tests.store.maintenance.test_size import WHOLE
from tests.store.records import read


def test_the_largest_table_comes_first(tmp_path: Path) -> None:
    """With its rows and bytes, then the whole and its growth."""
    path = write(tmp_path)
    record(tmp_path, *(read(seq) for seq in range(2, 302)))
    done = call("db", "size", "--config", path, clock=ManualClock(NOON + DAY))
    header, first, *_, whole = done.stdout.splitlines()
    assert (done.exit_code, header.split()) == (0, ["table", "rows", "size", "unused"])
    assert first.split()[:2] == ["snapshots", "300"]
    assert "more a day; " in whole


def test_the_day_on_which_the_disk_is_full() -> None:
    """A sentence of its own, unless it is a century away."""
    assert list(summary(WHOLE, NOON, UTC)) == [
        (
            "in all 110 kB, 1.0 kB more a day; 8.0 kB are free pages, which new rows fill first;"
            " 92 kB free on its disk"
        ),
        "at this rate the disk is full in 100 d, on 2026-04-11",
    ]
    assert len(list(summary(replace(WHOLE, disk_free=92_000_000), NOON, UTC))) == 1


def test_programs_get_bytes(tmp_path: Path) -> None:
    """The whole and each table as json, the tables as csv."""
    path = write(tmp_path)
    record(tmp_path, read(2))
    found = json.loads(call("db", "size", "--json", "--config", path).stdout)
    assert found["bytes"] >= sum(each["bytes"] for each in found["tables"])
    assert found["bytes_per_day"] is None
    lines = call("db", "size", "--format", "csv", "--config", path).stdout.splitlines()
    assert lines[0] == "table,rows,bytes,unused_bytes,rows_last_week"
    assert len(lines) == 1 + len(found["tables"])


def test_without_a_database_it_is_one_sentence(tmp_path: Path) -> None:
    """Status 1, with what to do."""
    done = call("db", "size", "--config", write(tmp_path))
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
