"""Backups: whole, private, checked, or not there at all."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.errors import MarginwatchError, StoreError, UsageError
from daemon.store import History, Store
from daemon.store.maintenance.backup import dated_name, make_backup, surplus
from daemon.store.maintenance.partial import partial_file
from daemon.store.write.imports import ImportedReading, importing
from daemon.types import DAY, SECOND
from tests.store.records import ACCOUNT, read
from tests.values import T0, balances

Write = Callable[..., None]

SOME = [read(seq) for seq in range(2, 40)]


def silent(_done: int, _whole: int) -> None:
    pass


@pytest.fixture
def url(sqlite: str) -> str:
    return sqlite


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "backups"
    made.mkdir()
    return made


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some pages in each step, so that a small database has several."""
    monkeypatch.setattr(sys.modules["daemon.store.maintenance.copy"], "PAGES", 20)


def fill(url: str, count: int) -> None:
    """Many readings, of an instant each, as if they were imported."""
    with importing(url) as importer:
        importer.add(ACCOUNT, [ImportedReading(at, 0, balances()) for at in range(count)])


def seqs(database: Path) -> list[int]:
    with History.open(f"sqlite:///{database}") as history:
        return [reading.seq for _, reading in history.readings([ACCOUNT], 0, T0 + DAY)]


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_backup_holds_every_committed_reading(
    store: Store, write: Write, url: str, folder: Path
) -> None:
    """Beside a daemon whose readings are still in the WAL; only its owner may read it."""
    write(*SOME)
    made = make_backup(url, folder / "one.db", T0, None, silent)
    assert seqs(made.path) == list(range(2, 40))
    assert (made.last_reading, made.size) == (T0 + 39 * SECOND, made.path.stat().st_size)
    assert (names(folder), made.path.stat().st_mode & 0o777) == (["one.db"], 0o600)


@pytest.mark.usefixtures("small_steps")
def test_a_backup_is_of_one_instant_while_the_daemon_writes(
    store: Store, write: Write, url: str, folder: Path
) -> None:
    """What is committed between two steps is not in it, and the copy does not begin anew."""
    fill(url, 2_000)
    later = iter(range(2, 1_000))
    steps = []

    def step(done: int, whole: int) -> None:
        steps.append((done, whole))
        write(read(next(later)))

    make_backup(url, folder / "one.db", T0, None, step)
    assert max(seqs(folder / "one.db")) < 0
    assert len(steps) > 2
    assert steps == sorted(set(steps))
    assert steps[-1][0] == steps[-1][1]


def test_a_backup_of_a_stopped_daemon_leaves_nothing_beside_the_database(
    store: Store, write: Write, url: str, folder: Path, tmp_path: Path
) -> None:
    """And it needs no WAL: it is read in a folder that nobody may write."""
    write(*SOME)
    store.close()
    before = names(tmp_path)
    made = make_backup(url, folder / "one.db", T0, None, silent)
    assert names(tmp_path) == before
    with closing(sqlite3.connect(made.path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_in_a_directory_only_the_newest_stay(store: Store, url: str, folder: Path) -> None:
    """`--keep 2`: dated names; files of other names stay whatever they are."""
    (folder / "watch-notes.db").write_text("mine")
    made = [make_backup(url, folder, T0 + day * DAY, 2, silent) for day in range(4)]
    assert names(folder) == [
        *(dated_name(Path("watch.db"), T0 + day * DAY) for day in (2, 3)),
        "watch-notes.db",
    ]
    assert [len(each.removed) for each in made] == [0, 0, 1, 1]


@given(
    st.lists(st.integers(0, 9), unique=True).map(
        lambda days: [dated_name(Path("watch.db"), T0 + day * DAY) for day in days]
    ),
    st.integers(0, 9),
    st.integers(1, 5),
)
def test_the_backup_just_made_is_never_removed(before: list[str], day: int, keep: int) -> None:
    """Also where the clock was set back: it stays, with the newest others."""
    made = dated_name(Path("watch.db"), T0 + day * DAY)
    there = sorted({*before, made})
    left = set(there) - set(surplus(there, made, "watch", keep))
    assert made in left
    assert len(left) == min(keep, len(there))
    assert sorted(left - {made}) == sorted(set(there) - {made})[len(there) - len(left) :]


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", ".lock"])
def test_the_database_itself_is_never_the_target(
    store: Store, url: str, tmp_path: Path, suffix: str
) -> None:
    """Under whatever name, nor the files that belong to it."""
    database = tmp_path / f"watch.db{suffix}"
    link = tmp_path / "link.db"
    link.symlink_to(database)
    for target in (database, link, tmp_path / "." / f"watch.db{suffix}"):
        with pytest.raises(UsageError, match="is the database itself: name another file"):
            make_backup(url, target, T0, None, silent)


def test_a_hard_link_is_the_database_too(store: Store, url: str, tmp_path: Path) -> None:
    """It would be damaged under its other name."""
    os.link(tmp_path / "watch.db", tmp_path / "same.db")
    with pytest.raises(UsageError, match="is the database itself"):
        make_backup(url, tmp_path / "same.db", T0, None, silent)


@pytest.mark.parametrize("content", [b"[daemon]\n", b"SQLite format 3\0 but no more"])
def test_no_other_file_is_replaced(store: Store, url: str, tmp_path: Path, content: bytes) -> None:
    """A mistyped name costs nobody a file; an older backup and an empty file are replaced."""
    target = tmp_path / "rules.toml"
    target.write_bytes(content)
    with pytest.raises(UsageError, match=r"is there and is no backup of marginwatch"):
        make_backup(url, target, T0, None, silent)
    assert target.read_bytes() == content
    target.write_bytes(b"")
    for _ in range(2):
        make_backup(url, target, T0, None, silent)


def test_another_programs_database_is_not_replaced(store: Store, url: str, tmp_path: Path) -> None:
    """Also one that is managed by Alembic."""
    target = tmp_path / "other.db"
    with closing(sqlite3.connect(target)) as other:
        other.execute("CREATE TABLE alembic_version (version_num TEXT)")
        other.commit()
    with pytest.raises(UsageError, match="no backup of marginwatch"):
        make_backup(url, target, T0, None, silent)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """A disk on which a file of this process cannot grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 10_000, 100_000])
def test_a_full_disk_leaves_the_former_backup(
    store: Store, write: Write, url: str, folder: Path, size: int
) -> None:
    """One sentence, nothing half done under any name, and the backup before is whole."""
    make_backup(url, folder / "one.db", T0, None, silent)
    write(*SOME)
    store.close()
    with largest_file(size), pytest.raises(StoreError, match=r"has room|on a disk with room"):
        make_backup(url, folder / "one.db", T0, None, silent)
    assert (names(folder), seqs(folder / "one.db")) == (["one.db"], [])


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("step", range(3))
def test_an_interrupted_backup_leaves_nothing(
    store: Store, url: str, folder: Path, step: int
) -> None:
    """Ctrl-C at any step of the copy."""
    fill(url, 2_000)
    left = iter(range(step))

    def interrupt(_done: int, _whole: int) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_backup(url, folder / "one.db", T0, None, interrupt)
    assert names(folder) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from daemon.store.maintenance import backup
url, target, where = sys.argv[1:]
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if where == "copy":
    backup.make_backup(url, Path(target), 0, None, die)
backup.must_be_sound = die
backup.make_backup(url, Path(target), 0, None, lambda *_: None)
"""


@pytest.mark.parametrize("where", ["copy", "check"])
def test_a_killed_backup_leaves_no_backup(
    store: Store, write: Write, url: str, folder: Path, where: str
) -> None:
    """Nothing has the name of a backup; the next call removes what the killed one left."""
    write(*SOME)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, url, folder / "one.db", where], check=False
    )
    assert (killed.returncode, names(folder)[0]) == (-signal.SIGKILL, ".one.db.partial")
    assert "one.db" not in names(folder)
    make_backup(url, folder / "one.db", T0, None, silent)
    assert (names(folder), seqs(folder / "one.db")) == (["one.db"], list(range(2, 40)))


def test_two_backups_at_once_do_not_mix(store: Store, url: str, folder: Path) -> None:
    """The second one says that the first is at work."""
    with partial_file(folder, "one.db"):
        with pytest.raises(StoreError, match="another marginwatch is writing"):
            make_backup(url, folder / "one.db", T0, None, silent)
        assert names(folder) == [".one.db.partial"]
    assert names(folder) == []


def test_a_damaged_database_gives_no_backup(
    store: Store, url: str, folder: Path, tmp_path: Path
) -> None:
    """The check of the copy finds it, on the night it happens; the backup before stays."""
    fill(url, 2_000)
    store.close()
    make_backup(url, folder / "one.db", T0, None, silent)
    with (tmp_path / "watch.db").open("r+b") as file:
        file.seek(60 * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(StoreError, match=r"watch\.db is damaged\b"):
        make_backup(url, folder / "one.db", T0, None, silent)
    assert len(seqs(folder / "one.db")) == 2_000
    assert names(folder) == ["one.db"]


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("absent/one.db", "there is no directory .*absent: make it"),
        ("file/one.db", "there is no directory .*file: make it"),
        ("pipe", "is a pipe or a device"),
    ],
)
def test_a_place_that_takes_no_file_is_one_sentence(
    store: Store, url: str, tmp_path: Path, place: str, sentence: str
) -> None:
    """It names the place, and what to do."""
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MarginwatchError, match=sentence):
        make_backup(url, tmp_path / place, T0, None, silent)


def test_keep_needs_a_directory(store: Store, url: str, tmp_path: Path) -> None:
    """A file has no older backups."""
    with pytest.raises(UsageError, match="--keep needs a directory"):
        make_backup(url, tmp_path / "one.db", T0, 7, silent)


def test_without_a_database_there_is_no_backup(url: str, folder: Path) -> None:
    """Absent, or without tables."""
    with pytest.raises(StoreError, match="there is no database at"):
        make_backup(url, folder / "one.db", T0, None, silent)
    Path(url.removeprefix("sqlite:///")).touch()
    with pytest.raises(StoreError, match="is empty"):
        make_backup(url, folder / "one.db", T0, None, silent)
    assert names(folder) == []


def test_postgresql_names_its_own_tool_without_the_password(folder: Path) -> None:
    """One sentence with the whole command; libpq asks for the password, or knows it."""
    with pytest.raises(UsageError) as caught:
        make_backup(
            "postgresql://watch:planted@db.example:5433/margin", folder / "a b", T0, None, silent
        )
    assert str(caught.value).endswith(
        f"pg_dump --format=custom --file='{folder}/a b' postgresql://watch@db.example:5433/margin"
    )


def test_the_file_that_another_call_publishes_is_not_emptied(folder: Path) -> None:
    """A call that opened it before it got its name takes a new one."""
    with partial_file(folder, "one.db") as first:
        first.path.write_bytes(b"whole")
        first.publish(folder / "one.db")
        with partial_file(folder, "one.db") as second:
            assert second.path.read_bytes() == b""
    assert (folder / "one.db").read_bytes() == b"whole"
