"""A store whose file is removed: it refuses to write, as on a full disk, until the file is back."""

import os
import queue
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from daemon.errors import StoreError
from daemon.store import FaultInjection, Store
from daemon.store.database.failures import Refused
from daemon.store.database.running_daemon import running_daemon
from daemon.store.operations import Unwritten, Written
from tests.other_users import mounted, needs_root
from tests.store.records import ACCOUNT, epoch, read
from tests.store.turnstile import Turnstile

SOON = 10
QUICK = FaultInjection(wait=lambda stop, _: stop.wait(0.01), look=0.01)


class Told(queue.Queue[str]):
    """Reports of the store: why it is down, or "" when it writes again."""

    def next(self) -> str:
        return self.get(timeout=SOON)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "watch.db"


@pytest.fixture
def store(path: Path, told: Told) -> Iterator[Store]:
    opened = Store.open(
        f"sqlite:///{path}",
        fault_injection=QUICK,
        on_down=told.put,
        on_recovered=lambda: told.put(""),
    )
    opened.submit(epoch()).result(SOON)
    opened.submit(read(2)).result(SOON)
    yield opened
    opened.close()


def taken(path: Path) -> Path:
    away = path.with_name("away.db")
    path.rename(away)
    return away


def test_it_is_noticed_without_anything_to_write(store: Store, path: Path, told: Told) -> None:
    """A2: the sentence names the file and the remedy; reading is refused too, until it is back."""
    away = taken(path)
    sentence = f"its file is now {away}: move it back to {path}"
    assert told.next() == sentence
    assert store.down == sentence
    with pytest.raises(StoreError, match="the record cannot be read: its file is now"):
        store.load(ACCOUNT)
    away.rename(path)
    assert told.next() == ""
    assert store.submit(read(3)).result(SOON) is Written.COMMITTED
    assert store.load(ACCOUNT).seq == 3


def test_what_waited_is_written_in_order(store: Store, path: Path, told: Told) -> None:
    """Promise 1, A2: readings and misses from the time without a file are recorded afterwards."""
    away = taken(path)
    told.next()
    assert [store.submit(read(seq)).result(SOON) for seq in (3, 4, 5)] == [Written.DEFERRED] * 3
    away.rename(path)
    assert told.next() == ""
    assert store.load(ACCOUNT).seq == 5


def test_nobody_else_collects_where_the_file_was(store: Store, path: Path, told: Told) -> None:
    """A2: also if the lock went with the file; the old one, put back with it, is used again."""
    away = path.with_name("away")
    away.mkdir()
    names = sorted(
        (each.name for each in path.parent.glob("watch.db*")), reverse=True
    )  # the database is the last
    for name in names:
        path.with_name(name).rename(away / name)
    told.next()
    url = f"sqlite:///{path}"
    found = running_daemon(url)
    assert found is not None
    assert found.pid == str(os.getpid())
    with pytest.raises(StoreError, match="another marginwatch"):
        Store.open(url)
    for name in names:
        (away / name).rename(path.with_name(name))
    assert told.next() == ""
    assert running_daemon(url) is not None
    assert store.submit(read(3)).result(SOON) is Written.COMMITTED


def same_bytes(path: Path, kept: Path) -> None:
    """The copy appears in one step: while a copy grows it is another file."""
    shutil.copyfile(kept, path.with_name("copy"))
    path.with_name("copy").rename(path)


def older(path: Path, kept: Path) -> None:
    shutil.copyfile(path.with_name("older.db"), path)


def empty(path: Path, kept: Path) -> None:
    path.touch()


def half(path: Path, kept: Path) -> None:
    path.write_bytes(kept.read_bytes()[:4096])


def beside_a_wal(path: Path, kept: Path) -> None:
    same_bytes(path, kept)
    path.with_name("watch.db-wal").write_bytes(b"frames")


@pytest.mark.parametrize(
    ("put", "goes_on"),
    [(same_bytes, True), (older, False), (empty, False), (half, False), (beside_a_wal, False)],
)
def test_only_what_goes_on_where_the_file_ended_takes_its_place(
    store: Store, path: Path, told: Told, put: Callable[[Path, Path], None], goes_on: bool
) -> None:
    """A2: a copy of a deleted file, taken from the daemon, may replace it; no other file may."""
    shutil.copyfile(path, path.with_name("older.db"))
    path.unlink()
    sentence = told.next()
    remedy = sentence.partition(f"cp -p /proc/{os.getpid()}/fd/")[2].split()
    assert remedy[1] == str(path)
    assert store.submit(read(3)).result(SOON) is Written.DEFERRED
    put(path, Path("/proc/self/fd", remedy[0]))
    before = path.read_bytes()
    if goes_on:
        assert told.next() == ""
        assert store.load(ACCOUNT).seq == 3
        return
    assert (
        told.next()
        == f"another file is at {path}, and {sentence}; or restart marginwatch to go on with the"
        " other file"
    )
    assert store.close() == Unwritten(lost=1)
    assert path.read_bytes() == before


@pytest.mark.parametrize("suffix", ["-wal", "-shm", ".lock"])
def test_what_lies_beside_it_is_made_anew(store: Store, path: Path, suffix: str) -> None:
    """A2: without a word, and at the next look."""
    beside = Path(f"{path}{suffix}")
    beside.unlink()
    assert store.submit(read(3)).result(SOON) is Written.COMMITTED
    assert store.submit(read(4)).result(SOON) is Written.COMMITTED
    assert beside.exists()
    with pytest.raises(StoreError, match="another marginwatch"):
        Store.open(f"sqlite:///{path}")


def test_a_wal_that_was_deleted_under_a_reader_is_kept_until_all_of_it_is_in_the_file(
    store: Store, path: Path, told: Told
) -> None:
    """A2: a new WAL beside the old index would damage the database and lose the old WAL."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM snapshots").fetchone() == (1,)
        assert store.submit(read(3)).result(SOON) is Written.COMMITTED
        Path(f"{path}-wal").unlink()
        assert store.submit(read(4)).result(SOON) is Written.DEFERRED
        sentence = f"{path}-wal was moved or deleted: end other programs that use the database"
        assert told.next() == sentence
    assert told.next() == ""
    assert store.load(ACCOUNT).seq == 4
    store.close()
    with closing(sqlite3.connect(path)) as found:
        assert found.execute("SELECT seq FROM snapshots").fetchall() == [(2,), (3,), (4,)]
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_that_is_deleted_while_writing_fails_can_be_brought_back(
    path: Path, turnstile: Turnstile
) -> None:
    """A2: then no process has its WAL open, and all of it is in the file."""
    store = Store.open(
        f"sqlite:///{path}", fault_injection=turnstile.fault_injection, hooks=turnstile.hooks
    )
    store.submit(epoch()).result(SOON)
    turnstile.fail = refuse
    assert store.submit(read(2)).result(SOON) is Written.DEFERRED
    assert turnstile.hear() == "no room"
    turnstile.fail = None
    path.unlink()
    turnstile.retry()
    remedy = turnstile.hear().partition("bring it back with cp -p ")[2].split()
    shutil.copy2(remedy[0], remedy[1])
    turnstile.retry()
    assert turnstile.hear() == "recovered"
    assert store.load(ACCOUNT).seq == 2
    store.close()


def refuse(_: Connection) -> None:
    raise Refused("no room")


def test_a_file_that_is_lost_within_a_commit_holds_it(path: Path, turnstile: Turnstile) -> None:
    """Strict 2, A2: the moved file holds the commit, so it must not count as lost."""
    store = Store.open(
        f"sqlite:///{path}", fault_injection=turnstile.fault_injection, hooks=turnstile.hooks
    )
    store.submit(epoch()).result(SOON)

    def lose(connection: Connection) -> None:
        connection.commit()
        path.rename(path.with_name("away.db"))

    turnstile.fail = lose
    assert store.submit(read(2)).result(SOON) is Written.DEFERRED
    assert store.close() == Unwritten(unknown=1)
    with closing(sqlite3.connect(path.with_name("away.db"))) as found:
        assert found.execute("SELECT seq FROM snapshots").fetchall() == [(2,)]


def test_a_link_that_leads_nowhere_does_not_end_the_writer(
    store: Store, path: Path, told: Told
) -> None:
    """A2: the writer waits for its own file, whatever is at the path."""
    away, link = path.with_name("away.db"), path.with_name("link.db")
    away.hardlink_to(path)
    link.symlink_to(path)
    link.rename(path)  # at once: the first look finds a link that leads to itself
    assert "its file was deleted" in told.next()
    assert store.submit(read(3)).result(SOON) is Written.DEFERRED
    away.rename(path)
    assert told.next() == ""
    assert store.load(ACCOUNT).seq == 3


def test_a_disk_that_covers_the_file_is_named(store: Store, path: Path, told: Told) -> None:
    """A2: the file is where it was, and cannot be reached: nobody can move it back."""
    needs_root()
    with mounted(path.parent, "size=1m"):
        assert (
            told.next()
            == "its file cannot be reached: let this user enter its directory, or unmount what"
            " covers it"
        )
    assert told.next() == ""
    assert store.submit(read(3)).result(SOON) is Written.COMMITTED
