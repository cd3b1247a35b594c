"""A store whose file is taken away: it refuses to write, as on a full disk, until the file is back."""

import os
import queue
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon.errors import StoreError
from daemon.store import Seams, Store
from daemon.store.operations import Unwritten, Written
from tests.store.records import ACCOUNT, epoch, read

SOON = 10
QUICK = Seams(wait=lambda stop, _: stop.wait(0.01), look=0.01)


class Told(queue.Queue[str]):
    """What the store said: why it is down, or "" when it writes again."""

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
    opened = Store.open(f"sqlite:///{path}", seams=QUICK, on_down=told.put, on_recovered=lambda: told.put(""))
    opened.submit(epoch()).result(SOON)
    opened.submit(read(2)).result(SOON)
    yield opened
    opened.close()


def taken(path: Path) -> Path:
    away = path.with_name("away.db")
    path.rename(away)
    return away


def test_it_is_noticed_without_anything_to_write(store: Store, path: Path, told: Told) -> None:
    """A2: the sentence says where the file is and what to do; nothing may be read either; then all is as before."""
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
    """Promise 1, A2: readings and misses of the time without a file are recorded when it is back."""
    away = taken(path)
    told.next()
    assert [store.submit(read(seq)).result(SOON) for seq in (3, 4, 5)] == [Written.DEFERRED] * 3
    away.rename(path)
    assert told.next() == ""
    assert store.load(ACCOUNT).seq == 5


def same_bytes(path: Path, kept: Path) -> None:
    shutil.copyfile(kept, path)


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
    ("put", "goes_on"), [(same_bytes, True), (older, False), (empty, False), (half, False), (beside_a_wal, False)]
)
def test_only_what_goes_on_where_the_file_ended_takes_its_place(
    store: Store, path: Path, told: Told, put: Callable[[Path, Path], None], goes_on: bool
) -> None:
    """A2: a deleted file can be had from the daemon, and its copy takes its place; any other file is left as it is."""
    shutil.copyfile(path, path.with_name("older.db"))
    path.unlink()
    sentence = told.next()
    remedy = sentence.partition(f"cp /proc/{os.getpid()}/fd/")[2].split()
    assert remedy[1] == str(path)
    assert store.submit(read(3)).result(SOON) is Written.DEFERRED
    put(path, Path("/proc/self/fd", remedy[0]))
    before = path.read_bytes()
    if goes_on:
        assert told.next() == ""
        assert store.load(ACCOUNT).seq == 3
        return
    assert (
        told.next() == f"another file is at {path}, and {sentence}; or restart marginwatch to go on with the other file"
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
