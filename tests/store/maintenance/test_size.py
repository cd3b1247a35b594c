"""Sizes: counted rows, measured bytes, and a forecast that follows from them."""

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from daemon.store import Store
from daemon.store.maintenance.size import DatabaseSize, TableSize, full_in, growth, measure
from daemon.types import DAY, HOUR, SECOND
from tests.store.records import epoch, read
from tests.values import T0

Write = Callable[..., None]

WHOLE = DatabaseSize(
    (TableSize("snapshots", 1_000, 100_000, 0, 70), TableSize("gaps", 0, 4_096, 4_000, 0)),
    size=110_000,
    free=8_000,
    is_estimate=False,
    span=7 * DAY,
    disk_free=92_000,
)


def test_rows_bytes_and_recent_rows_are_those_of_each_table(
    store: Store, write: Write, url: str
) -> None:
    """On both databases; older rows are no growth."""
    store.submit(epoch("main", "other", seq=1)).result(10)
    write(*(read(seq, T0 - 30 * DAY + seq) for seq in range(2, 12)))
    write(*(read(seq, account="other") for seq in range(2, 302)))
    found = measure(url, T0 + HOUR)
    [snapshots] = [each for each in found.tables if each.name == "snapshots"]
    assert (snapshots.rows, snapshots.recent, found.is_estimate) == (310, 300, False)
    assert found.span == HOUR - 2 * SECOND
    assert snapshots.size > 300 * 20
    assert found.size >= sum(each.size for each in found.tables)


def test_growth_is_that_of_the_recent_rows() -> None:
    """70 rows of 100 bytes in a week are 1000 bytes a day; the disk lasts for 100 days."""
    assert (growth(WHOLE), full_in(WHOLE)) == (1_000, 100 * DAY)


def test_a_young_record_has_no_forecast() -> None:
    """Less than an hour says nothing of a day."""
    young = replace(WHOLE, span=HOUR - 1)
    assert (growth(young), full_in(young)) == (None, None)


@pytest.mark.parametrize("other", [replace(WHOLE, tables=()), replace(WHOLE, disk_free=None)])
def test_a_disk_that_does_not_fill_has_no_date(other: DatabaseSize) -> None:
    """Nothing grows, or the disk is another machine's."""
    assert full_in(other) is None


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_without_statistics_sizes_are_estimates(
    store: Store, write: Write, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They sum up to what is in use, and the largest table is the largest."""
    write(*(read(seq) for seq in range(2, 502)))
    measured = measure(url, T0 + HOUR)
    monkeypatch.setattr(sys.modules["daemon.store.maintenance.size"], "STATISTICS", "NO_SUCH")
    found = measure(url, T0 + HOUR)
    assert found.is_estimate
    assert max(found.tables, key=lambda each: each.size).name == "snapshots"
    assert sum(each.size for each in found.tables) <= measured.size
    assert all(each.unused is None for each in found.tables)
