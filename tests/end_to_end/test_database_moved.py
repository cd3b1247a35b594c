"""The database is moved, deleted or replaced while the daemon runs: people are warned, and the
record becomes whole.

The exception of promise 1, where SQLite itself would refuse nothing: it writes into a file that
nobody finds.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.end_to_end.running import FIRED, HIGH, RULE, stage
from tests.end_to_end.test_outage import (
    ACCOUNTS,
    COUNTERS,
    NOTIFICATIONS,
    cross_meanwhile,
    judge,
    query_of,
)
from tests.other_users import needs_root
from tests.service.lives import rows

DATABASE = "sqlite:///data/marginwatch.db"

Loss: TypeAlias = Callable[[Path], Iterator[None]]


def files(database: Path) -> list[Path]:
    """The database, and what SQLite keeps beside it."""
    return [
        path for suffix in ("", "-wal", "-shm") if (path := Path(f"{database}{suffix}")).exists()
    ]


def discard(database: Path, *suffixes: str) -> None:
    for suffix in suffixes:
        Path(f"{database}{suffix}").unlink()


def moved(database: Path) -> Iterator[None]:
    """Alone: its WAL stays."""
    away = database.with_name("away.db")
    database.rename(away)
    yield
    away.rename(database)


def moved_whole(database: Path) -> Iterator[None]:
    away = database.parent.parent / "away"
    away.mkdir()
    taken = files(database)
    for file in taken:
        file.rename(away / file.name)
    yield
    for file in taken:
        (away / file.name).rename(file)


def moved_with_its_lock(database: Path) -> Iterator[None]:
    away = database.parent.parent / "away"
    away.mkdir()
    taken = [*files(database), Path(f"{database}.lock")]
    for file in taken:
        file.rename(away / file.name)
    yield
    for file in taken:
        (away / file.name).rename(file)


def moved_whole_and_back_alone(database: Path) -> Iterator[None]:
    """Move all files, then put back the main file, into which the WAL is merged by then."""
    away = database.parent.parent / "away"
    away.mkdir()
    for file in files(database):
        file.rename(away / file.name)
    yield
    (away / database.name).rename(database)


def folder_renamed(database: Path) -> Iterator[None]:
    away = database.parent.with_name("away")
    database.parent.rename(away)
    yield
    away.rename(database.parent)


def folder_replaced(database: Path) -> Iterator[None]:
    away = database.parent.with_name("away")
    database.parent.rename(away)
    database.parent.mkdir()
    yield
    shutil.rmtree(database.parent)
    away.rename(database.parent)


def overwritten(database: Path) -> Iterator[None]:
    """A backup takes its place, and is taken back."""
    away = database.with_name("away.db")
    shutil.copy(database, database.with_name("backup.db"))
    database.rename(away)
    database.with_name("backup.db").rename(database)
    yield
    away.rename(database)


def mounted_over(database: Path) -> Iterator[None]:
    other = database.parent.with_name("other")
    other.mkdir()
    with bound(other, database.parent):
        yield


MOUNTS = 50
"""How often it is tried: a file that the daemon opens in that moment keeps it busy."""


@contextmanager
def bound(what: Path, where: Path, *options: str) -> Iterator[None]:
    """Mounted there; only root may."""
    mount, umount = shutil.which("mount") or "mount", shutil.which("umount") or "umount"
    away = [umount, "--lazy", str(where)]  # the daemon may have opened a file there
    for _ in range(MOUNTS):
        try:
            subprocess.run(
                [mount, "--bind", str(what), str(where)], check=True, capture_output=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"nothing can be mounted here: {error}")
        if not options or not subprocess.run([mount, *options, str(where)], check=False).returncode:
            break
        subprocess.run(away, check=True)
    else:
        pytest.fail("the daemon kept a file open there each time")
    try:
        yield
    finally:
        subprocess.run(away, check=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One with room for the database in a folder of its own."""
    (tmp_path / "data").mkdir()
    return tmp_path


LOSSES = (
    moved,
    moved_whole,
    moved_with_its_lock,
    moved_whole_and_back_alone,
    folder_renamed,
    folder_replaced,
    overwritten,
    mounted_over,
)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
async def test_a_database_that_is_put_back(folder: Path, loss: Loss) -> None:
    """A2: alerts go on without the file, and are recorded once it is back; logged once each."""
    async with stage(folder, ACCOUNTS, database=DATABASE) as it:
        await it.start()
        await cross_meanwhile(it, lambda: contextmanager(loss)(it.database), query_of(it))
        await judge(it, query_of(it))
        assert it.said().count("refuses to write") == 1
        assert it.said().count("writes again") == 1
        assert "Traceback" not in it.said()


async def test_a_deleted_database_is_brought_back_as_status_says(folder: Path) -> None:
    """A2: an alert fires after `rm`; status and ack name a remedy, which restores the record."""
    needs_root()  # who else may look into the daemon
    async with stage(folder, ACCOUNTS, database=DATABASE) as it:
        await it.start()
        await it.until(lambda: all(it.told(name, HIGH) for name in ACCOUNTS))

        @contextmanager
        def deleted() -> Iterator[None]:
            for file in files(it.database):
                file.unlink()
            yield
            subprocess.run(remedy, shell=True, check=True)

        remedy = ""
        answers: list[tuple[int, str]] = []
        with deleted():
            it.show("main", "90")
            await it.until(lambda: it.receiver.heard)
            answers += [
                await it.command("status"),
                await it.command("ack", "ab3d"),
                await it.command("check"),
            ]
            remedy = answers[0][1].partition("bring it back with ")[2]
            assert not it.database.exists()
        (status, printed), (acked, refusal), (_, checked) = answers
        sentence = (
            f"there is no database at {it.database}; a daemon (pid {it.life.process.pid}) is"
            " running, but records"
        )
        assert (status, acked) == (2, 1)
        assert printed.startswith(sentence)
        assert refusal == printed
        assert sentence in checked
        await it.until(lambda: rows(it.database, NOTIFICATIONS) == [(FIRED, "delivered", 1)])
        assert await it.stop() == 0
        assert [seq for (seq,) in rows(it.database, COUNTERS)] == list(
            range(2, 2 + len(it.asked("main")))
        )


async def test_another_database_in_its_place_is_left_alone(folder: Path) -> None:
    """A2: an older copy in its place is never written; status says so; a restart uses it."""
    async with stage(folder, ACCOUNTS, database=DATABASE) as it:
        await it.start()
        await it.until(lambda: all(it.told(name, HIGH) for name in ACCOUNTS))
        await it.stop()
        backup = shutil.copy(it.database, folder / "backup.db")
        before = (folder / "backup.db").read_bytes()
        await it.start()
        told = it.told("main", HIGH)
        await it.until(lambda: it.told("main", HIGH) > told + 1)
        shutil.move(backup, it.database)
        discard(it.database, "-wal", "-shm")
        it.show("main", "90")
        await it.until(lambda: it.receiver.heard)
        assert it.receiver.heard[0].news[0].not_recorded
        status, printed = await it.command("status")
        assert (
            status,
            f"another file is at {it.database}, and its file was deleted" in printed,
        ) == (2, True)
        assert "what stands here is from before" in printed
        _, machine = await it.command("status", "--format", "json")
        assert json.loads(machine)["not_recording"].startswith("another file is at ")
        assert await it.stop() == 1
        assert "the rest is lost" in it.said()
        assert it.database.read_bytes() == before
        await it.start()
        await it.until(lambda: rows(it.database, NOTIFICATIONS) == [(FIRED, "delivered", 1)])


async def test_the_daemon_says_that_its_database_is_gone(folder: Path) -> None:
    """A2: also where nothing would be written for long: a system alert, told once, and its end."""
    rules = RULE + '[system]\ndatabase-failing = "1s"\n'  # it looks every ten seconds
    async with stage(folder, ACCOUNTS, database=DATABASE, rules=rules) as it:
        await it.start()
        await it.until(lambda: all(it.told(name, HIGH) for name in ACCOUNTS))
        away = it.database.with_name("away.db")
        it.database.rename(away)
        await it.until(lambda: it.receiver.heard)
        (alert,) = it.receiver.heard
        assert alert.news[0].not_recorded
        assert (
            f"its file is now {away}: move it back to {it.database}"
            in f"{alert.title}\n{alert.body}"
        )
        away.rename(it.database)
        await it.until(lambda: len(it.receiver.heard) == 2)
        kinds = (
            "SELECT rule, kind, notifications.state FROM notifications JOIN alerts ON alerts.id ="
            " alert_id"
        )
        whole = [("database-failing", kind, "delivered") for kind in ("firing", "resolved")]
        await it.until(lambda: rows(it.database, kinds) == whole)


@pytest.mark.parametrize("suffixes", [("-wal", "-shm"), (".lock",)], ids="".join)
async def test_what_lies_beside_the_database_is_made_anew(
    folder: Path, suffixes: tuple[str, ...]
) -> None:
    """A2: if another file of the database is deleted, nothing is lost, and the lock holds."""
    async with stage(folder, ("main",), database=DATABASE) as it:
        await it.start()
        await it.until(lambda: it.told("main", HIGH) > 2)
        discard(it.database, *suffixes)
        told = it.told("main", HIGH)
        await it.until(lambda: it.told("main", HIGH) > told + 2)
        status, printed = await it.command("status")
        assert (status, f"pid {it.life.process.pid}" in printed, "from before" in printed) == (
            0,
            True,
            False,
        )
        status, refusal = await it.command("run")
        assert (status, f"pid {it.life.process.pid}" in refusal) == (1, True)
        asked = len(it.asked("main"))
        await it.kill()
        counters = [seq for (seq,) in rows(it.remains(), COUNTERS)]
        assert counters == list(range(2, 2 + len(counters)))
        assert len(counters) >= asked - 1
        assert "refuses" not in it.said()


async def test_a_folder_that_may_not_be_written_any_more(folder: Path) -> None:
    """A2: the files are open already: the record goes on."""
    async with stage(folder, ("main",), database=DATABASE) as it:
        await it.start()
        await it.until(lambda: it.told("main", HIGH))
        with bound(it.database.parent, it.database.parent, "-o", "remount,bind,ro"):
            told = it.told("main", HIGH)
            await it.until(lambda: it.told("main", HIGH) > told + 2)
        assert await it.stop() == 0
        assert [seq for (seq,) in rows(it.database, COUNTERS)] == list(
            range(2, 2 + len(it.asked("main")))
        )
        assert "refuses" not in it.said()
