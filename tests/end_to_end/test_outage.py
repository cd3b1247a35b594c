"""The database refuses to write while the daemon runs: people are warned all the same, and the
record becomes whole.

The exception of promise 1, with real causes: another program's lock, a disk that is full, a limit
on the size of files, a server that goes away.
"""

import contextlib
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests import parts
from tests.end_to_end.running import ENDED, FIRED, HIGH, RULE, STOPS_WITHIN, Stage, level, stage
from tests.service.lives import rows

ACCOUNTS = ("main", "second")
DISK = "sqlite:///disk/marginwatch.db"
NOT_ITSELF = RULE + '[system]\ndisk-full = "off"\n'
"""It would tell that the disk is full, too."""
SEVERAL = 8
"""Polls of each account during which nothing can be written."""

Rows: TypeAlias = Sequence[tuple[object, ...]]
Query: TypeAlias = Callable[[str], Rows]
Outage: TypeAlias = Callable[[], contextlib.AbstractContextManager[None]]

READINGS = """
    SELECT name, exchange_at, available_margin
    FROM snapshots JOIN accounts ON accounts.id = account_id
    ORDER BY name, seq
"""
COUNTERS = (
    "SELECT seq FROM snapshots WHERE account_id = (SELECT id FROM accounts WHERE name = 'main')"
    " ORDER BY seq"
)
TRANSITIONS = """
    SELECT name, to_state, value FROM transitions JOIN alerts ON alerts.id = alert_id
    JOIN accounts ON accounts.id = account_id ORDER BY transitions.at, name, transitions.id
"""
NOTIFICATIONS = "SELECT kind, state, attempts FROM notifications ORDER BY id"
ATTEMPTS = "SELECT outcome FROM attempts ORDER BY id"


def query_of(it: Stage) -> Query:
    return lambda query: rows(it.database, query)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another program has begun to write, and does not end."""
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(disk: Path) -> Iterator[None]:
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(512))
    yield
    ballast.unlink()


@contextmanager
def limited(it: Stage) -> Iterator[None]:
    """No file of the daemon may grow any more."""
    largest = max(file.stat().st_size for file in it.database.parent.glob("marginwatch.db*"))
    before = resource.prlimit(
        it.life.process.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY)
    )
    yield
    resource.prlimit(it.life.process.pid, resource.RLIMIT_FSIZE, before)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with room for a small database; only root may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount") or "mount"
    try:
        subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=2m", "none", disk], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    yield disk
    subprocess.run([shutil.which("umount") or "umount", disk], check=True)


async def cross_meanwhile(it: Stage, outage: Outage, query: Query) -> None:
    """One account falls during the outage, another falls and recovers: told at once."""
    await it.until(lambda: {name for name, *_ in query(READINGS)} == set(ACCOUNTS))
    with outage():
        it.show("main", "90")
        await it.until(lambda: len(it.receiver.heard) == 1)
        it.show("second", "80")
        await it.until(lambda: len(it.receiver.heard) == 2)
        it.show("second", "300")
        await it.until(lambda: len(it.receiver.heard) == 3)
        await it.until(lambda: it.told("main", "90") >= SEVERAL)
    news = [one for message in it.receiver.heard for one in message.news]
    assert [(*one.kinds, one.not_recorded) for one in news] == [
        (FIRED, True),
        (FIRED, True),
        (ENDED, True),
    ]


async def judge(it: Stage, query: Query) -> None:
    """The record is complete while the daemon goes on, and what comes next is told as ever."""
    whole = [(FIRED, "delivered", 1), (FIRED, "delivered", 1), (ENDED, "delivered", 1)]
    await it.until(lambda: query(NOTIFICATIONS) == whole)
    it.show("main", "400")
    await it.until(lambda: query(NOTIFICATIONS) == [*whole, (ENDED, "delivered", 1)])
    (last,) = it.receiver.heard[-1].news
    assert (*last.kinds, last.not_recorded, last.maybe_repeat) == (ENDED, False, False)
    assert await it.stop() == 0
    assert query(READINGS) == [
        (name, entry.exchange_at, float(level(entry)))
        for name in ACCOUNTS
        for entry in it.asked(name)
    ]
    counters = [seq for (seq,) in query(COUNTERS)]
    assert counters == list(range(2, 2 + len(it.asked("main"))))
    crossings = [
        ("main", FIRED, 90),
        ("second", FIRED, 80),
        ("second", ENDED, 300),
        ("main", ENDED, 400),
    ]
    assert query(TRANSITIONS) == crossings
    assert query(ATTEMPTS) == [("delivered",)] * len(crossings)
    assert len(it.receiver.heard) == len(crossings)


def judge_log(it: Stage, reason: str) -> None:
    """The failure is said once, with its reason, and its end once."""
    assert it.said().count("refuses to write") == 1
    assert f"({reason})" in it.said()
    assert it.said().count("writes again") == 1
    assert "Traceback" not in it.said()


async def test_a_database_that_another_program_locks(tmp_path: Path) -> None:
    """Promise 1's exception: alerts under a foreign lock are sent, and recorded later."""
    async with stage(tmp_path, ACCOUNTS) as it:
        await it.start()
        await cross_meanwhile(it, lambda: locked(it.database), query_of(it))
        await judge(it, query_of(it))
        judge_log(it, "locked by another program")


async def test_a_disk_that_is_full(tmp_path: Path, tiny_disk: Path) -> None:
    """Promise 1's exception: the same on a disk without room, until there is room again."""
    async with stage(tmp_path, ACCOUNTS, database=DISK, rules=NOT_ITSELF) as it:
        await it.start()
        await cross_meanwhile(it, lambda: full(tiny_disk), query_of(it))
        await judge(it, query_of(it))
        judge_log(it, "the disk is full")


async def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """Promise 1's exception: the same if the system refuses writes, like a failing disk."""
    async with stage(tmp_path, ACCOUNTS) as it:
        await it.start()
        await cross_meanwhile(it, lambda: limited(it), query_of(it))
        await judge(it, query_of(it))
        judge_log(it, "the disk fails")


async def test_a_server_that_goes_away(tmp_path: Path, require: Callable[[str], Path]) -> None:
    """Promise 1's exception: the same while PostgreSQL is down, after an end without notice."""
    psycopg = pytest.importorskip("psycopg")
    with parts.cluster(require("postgresql")) as cluster:

        @contextmanager
        def away() -> Iterator[None]:
            cluster.stop()
            try:
                yield
            finally:
                cluster.start_again()

        def query(text: str) -> Rows:
            with psycopg.connect(cluster.url.replace("+psycopg", "")) as connection:
                found: Rows = connection.execute(text).fetchall()
                return found

        async with stage(tmp_path, ACCOUNTS, database=cluster.url) as it:
            await it.start()
            await cross_meanwhile(it, away, query)
            await judge(it, query)
            assert it.said().count("refuses to write") == 1
            assert it.said().count("writes again") == 1


async def test_a_stop_during_the_outage_says_what_is_lost(tmp_path: Path) -> None:
    """Unwritten records are lost: exit status and log say so; the next start goes on."""
    async with stage(tmp_path, ACCOUNTS) as it:
        await it.start()
        await it.until(lambda: all(it.told(name, HIGH) for name in ACCOUNTS))
        with locked(it.database):
            it.show("main", "90")
            await it.until(lambda: it.receiver.heard)
            assert await it.stop(within=STOPS_WITHIN) == 1
        assert (
            "error stopped; the database did not store everything in time: the rest is lost lost="
            in it.said()
        )
        assert rows(it.database, NOTIFICATIONS) == []
        await it.start()
        await it.until(lambda: rows(it.database, NOTIFICATIONS) == [(FIRED, "delivered", 1)])


async def test_status_tells_what_is_not_recorded(tmp_path: Path, tiny_disk: Path) -> None:
    """B8: with a full disk, `status` says why it does not show the alert."""
    async with stage(tmp_path, ("main",), database=DISK, rules=NOT_ITSELF) as it:
        await it.start()
        await it.until(lambda: it.told("main", HIGH) > 1)
        with full(tiny_disk):
            it.show("main", "90")
            await it.until(lambda: it.receiver.heard)
            printed = await status(it)
            assert f"pid {it.life.process.pid}, but cannot record anything since " in printed
            assert ": the disk is full\nwhat stands here is from before\n" in printed
        await it.until(lambda: rows(it.database, NOTIFICATIONS) == [(FIRED, "delivered", 1)])
        assert "from before" not in await status(it)


async def status(it: Stage) -> str:
    """The output of `status` while the daemon runs."""
    return await it.run("status")
