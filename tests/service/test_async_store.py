"""The store, awaited."""

import logging
from pathlib import Path

import pytest
from sqlalchemy import Connection

from daemon.service.async_store import ThreadedStore
from daemon.store import FaultInjection, Store
from daemon.store.operations import Reroute, SetUserId, StartEpoch, Written
from daemon.types import Kind, Notice, NoticeKey, NotificationFacts, Record, Severity
from tests.service.lives import RestlessClock, rows
from tests.values import T0, reading


async def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Records, states and recent readings go through threads and come back."""
    store = Store.open(f"sqlite:///{tmp_path / 'm.db'}")
    async_store = ThreadedStore(store, RestlessClock())
    await async_store.write(StartEpoch(T0, "start", "0", [], {"main": "coinw"}))
    written = [await async_store.write(Record("main", reading(seq, T0 + seq))) for seq in (1, 2, 3)]
    assert written == [Written.COMMITTED] * 3
    assert (await async_store.load("main")).seq == 3
    assert [held.seq async for held in async_store.recent("main", T0 + 2)] == [2, 3]
    store.close()


async def test_what_has_happened_is_written_however_often_it_takes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Strict 6: `insist` outlives commits that fail, and says so once, with the end."""
    caplog.set_level(logging.INFO)
    failures = [True, True]

    def commit(connection: Connection) -> None:
        if failures and failures.pop():
            connection.rollback()
            raise RuntimeError("rolled back")
        connection.commit()

    store = Store.open(f"sqlite:///{tmp_path / 'm.db'}")
    await ThreadedStore(store, RestlessClock()).write(
        StartEpoch(T0, "start", "0", [], {"main": "coinw"})
    )
    store.close()
    flaky = Store.open(
        f"sqlite:///{tmp_path / 'm.db'}", fault_injection=FaultInjection(commit=commit)
    )
    await ThreadedStore(flaky, RestlessClock()).insist(SetUserId("main", "42"))
    flaky.close()
    assert rows(tmp_path / "m.db", "SELECT user_id FROM accounts") == [("42",)]
    assert [record.levelname for record in caplog.records if "SetUserId" in record.message] == [
        "WARNING",
        "INFO",
    ]


async def test_what_the_store_rejects_for_good_holds_up_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A rejected attempt record must not silence its channel: it is logged once."""
    store = Store.open(f"sqlite:///{tmp_path / 'm.db'}")
    of_nothing = Notice(
        NoticeKey("main", "low", 1, "mail", Kind.FIRING, 1),
        T0,
        NotificationFacts(Severity.INFO, "k3f9", T0, T0, T0, None),
    )
    await ThreadedStore(store, RestlessClock()).insist(Reroute(T0, (of_nothing,)))
    store.close()
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "a completed action cannot be recorded"
    ]
