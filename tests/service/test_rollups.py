"""The loop of the hourly rollups: behind the readings, and never in their way."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.service.rollups import Rollups
from daemon.store import History, Store
from daemon.store.write.imports import ImportedReading, importing
from daemon.types import DAY, HOUR, MINUTE
from tests.fakes import ManualClock
from tests.store.records import ACCOUNT, epoch, read
from tests.values import T0, balances


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'watch.db'}"


@asynccontextmanager
async def rolling(store: Store, clock: ManualClock) -> AsyncIterator[None]:
    task = asyncio.create_task(Rollups(store, clock).run())
    yield
    task.cancel()
    await asyncio.wait([task])


async def until(clock: ManualClock, done: Callable[[], bool]) -> None:
    """Let the loop do its steps, for at most a minute of its clock at a time."""
    async with asyncio.timeout(30):
        while not done():
            await clock.advance(MINUTE)


def hours(url: str, account: str = ACCOUNT) -> list[int]:
    with History.open(url) as history:
        return [at for at, _ in history.rollups(account, "available_margin", 0, T0 + 365 * DAY)]


async def test_hours_are_rolled_when_they_are_over(url: str) -> None:
    """The hour that lasts waits; late readings roll theirs anew."""
    store, clock = Store.open(url), ManualClock(T0 + 90 * MINUTE)
    store.submit(epoch()).result(10)
    for seq, minutes in ((2, 10), (3, 70)):
        store.submit(read(seq, T0 + minutes * MINUTE)).result(10)
    async with rolling(store, clock):
        await until(clock, lambda: hours(url) == [T0])
        await until(clock, lambda: hours(url) == [T0, T0 + HOUR])
        with importing(url) as importer:
            importer.add(ACCOUNT, [ImportedReading(T0 - DAY, 0, balances())])
        await until(clock, lambda: hours(url) == [T0 - DAY, T0, T0 + HOUR])
    store.close()


async def test_an_old_record_is_rolled_with_progress_in_the_log(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It begins and ends with a line; what is left at a kill is done by the next daemon."""
    caplog.set_level(logging.INFO, "marginwatch")
    store, clock = Store.open(url), ManualClock(T0)
    store.submit(epoch()).result(10)
    with importing(url) as importer:
        old = [ImportedReading(T0 - hour * HOUR, 0, balances()) for hour in range(1, 200)]
        importer.add(ACCOUNT, old)
    async with rolling(store, clock):
        await until(clock, lambda: bool(hours(url)))
    some = len(hours(url))
    async with rolling(store, clock):
        await until(clock, lambda: "the hourly rollups are up to date" in caplog.messages)
    assert (some < 199, len(hours(url))) == (True, 199)
    assert "hourly rollups of older readings are being made; readings go on" in caplog.messages
    store.close()


async def test_a_store_that_refuses_is_told_once(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop waits and tries again; what it would have written is derived later."""
    store, clock = Store.open(url), ManualClock(T0)
    store.submit(epoch()).result(10)
    store.submit(read(2)).result(10)
    store.close()
    async with rolling(store, clock):
        await until(clock, lambda: bool(caplog.messages))
        for _ in range(5):
            await clock.advance(MINUTE)
    [told] = [each for each in caplog.messages if "hourly rollups wait" in each]
    assert told.startswith("the hourly rollups wait, and are tried every minute: ")


async def test_a_damaged_row_of_one_account_keeps_no_other_from_being_rolled(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told; the accounts after it get their hours."""
    store, clock = Store.open(url), ManualClock(T0 + 90 * MINUTE)
    store.submit(epoch("damaged", "whole")).result(10)
    for account in ("damaged", "whole"):
        store.submit(read(2, T0 + 10 * MINUTE, account)).result(10)
    with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
        database.execute(
            "UPDATE snapshots SET available_margin = 9e999 WHERE account_id ="
            " (SELECT id FROM accounts WHERE name = 'damaged')"
        )
    async with rolling(store, clock):
        await until(clock, lambda: any("hourly rollups wait" in each for each in caplog.messages))
    assert (hours(url, "damaged"), hours(url, "whole")) == ([], [T0])
    store.close()
