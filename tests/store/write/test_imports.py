"""Readings that others recorded (daemon/store/write/imports.py)."""

import sqlite3
from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest

from daemon.errors import StoreError
from daemon.store import History, Store
from daemon.store.write.imports import (
    INSTANT,
    LATEST,
    ImportConflict,
    ImportCounts,
    ImportedReading,
    importing,
)
from daemon.types import Balances, Millis, Record
from tests.store.records import ACCOUNT, epoch, fires
from tests.values import T0, miss, reading

Write = Callable[..., None]


def foreign(*instants: Millis, value: str = "7") -> Sequence[ImportedReading]:
    return [ImportedReading(at, 0, Balances(Decimal(value))) for at in instants]


def test_a_database_is_made_where_there_is_none(url: str) -> None:
    """With its tables, and readings as exact as the daemon's own."""
    with importing(url) as importer:
        assert importer.introduce({"old": "coinw", ACCOUNT: "coinw"}) == ["old", ACCOUNT]
        assert importer.introduce({"old": "coinw"}) == []
        assert importer.add("old", foreign(T0, value="996660.6064387699998485")) == ImportCounts(
            added=1
        )
    with History.open(url) as history:
        assert history.accounts() == ["old", ACCOUNT]
        [(_, found)] = history.readings(["old"], 0, T0 + 1)
    assert str(found.balances.available_margin) == "996660.6064387699998485"


def test_what_is_there_stays_as_it_is(url: str) -> None:
    """A line at an instant that is taken changes nothing, in whatever batch it comes."""
    with importing(url) as importer:
        importer.introduce({ACCOUNT: "coinw"})
        assert importer.add(ACCOUNT, foreign(T0, T0 + 2)) == ImportCounts(added=2)
        again = [
            *foreign(T0 + 2),
            *foreign(T0 + 1, value="8"),
            ImportedReading(T0, 0, Balances(Decimal(8)), line=5),
        ]
        clash = ImportConflict(5, "available_margin", Decimal(8), Decimal(7))
        assert importer.add(ACCOUNT, again) == ImportCounts(
            added=1, known=1, clashing=1, clash=clash
        )
    with History.open(url) as history:
        values = [
            each.balances.available_margin for _, each in history.readings([ACCOUNT], 0, T0 + 9)
        ]
    assert values == [7, 8, 7]


def test_beside_a_daemon_alerts_and_state_are_untouched(
    url: str, store: Store, write: Write
) -> None:
    """Only lines before the account's own readings are added; the daemon's state stays."""
    write(Record(ACCOUNT, reading(2, T0 + 2_000)), fires(3))
    before = (
        store.load(ACCOUNT),
        list(store.recent(ACCOUNT, 0)),
        store.episode_deliveries(),
        store.calls(0),
    )
    with importing(url) as importer:
        counts = importer.add(ACCOUNT, foreign(T0 + 1_999, T0 + 2_000, T0 + 5_000))
    assert counts == ImportCounts(added=1, late=2)
    assert (
        store.load(ACCOUNT),
        list(store.recent(ACCOUNT, 0)),
        store.episode_deliveries(),
        store.calls(0),
    ) == before


def test_an_epoch_that_crashed_ends_with_our_own_record(url: str, write: Write) -> None:
    """Imports later than our last input do not show that the daemon was there."""
    write(Record(ACCOUNT, miss(2, T0 + 1_000)))
    with importing(url) as importer:
        importer.add(ACCOUNT, foreign(T0 + 50_000))
    write(epoch(at=T0 + 100_000, seq=3))
    with History.open(url) as history:
        assert [each.ended_at for each in history.epochs(0, T0 + 200_000)] == [T0 + 1_000, None]


def test_counters_are_negative_and_ascend_by_time() -> None:
    """From the first to the last importable instant, each used once."""
    instants = (0, 1, T0, LATEST)
    seqs = [ImportedReading(at, n, Balances()).seq for at in instants for n in (0, INSTANT - 1)]
    assert seqs == sorted(set(seqs))
    assert -(2**53) < seqs[0] < seqs[-1] < 0


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_database_of_another_program_is_refused(url: str) -> None:
    """One sentence, and nothing is added to it."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("CREATE TABLE theirs (id)")
    connection.close()
    with pytest.raises(StoreError, match="holds tables of another program"), importing(url):
        pass
