"""Only one daemon collects into a database."""

import fcntl
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from daemon.errors import StoreError
from daemon.store import History, Store, preflight, upgrade, write_once
from daemon.store.database.lock import Lock
from daemon.store.database.locking_process import (
    LockingProcess,
    is_marginwatch,
    locking_process,
    owner_among,
)
from daemon.store.database.running_daemon import running_daemon
from daemon.store.operations import RecordCall, Unwritten
from tests.other_users import needs_root, open_folder
from tests.values import T0

TRADER, NEIGHBOUR = 20_003, 20_005
"""They have no names on this machine."""

COLLECT = """
import sys
from daemon.store import Store
store = Store.open(sys.argv[1])
print("collecting", flush=True)
sys.stdin.read()
"""


@contextmanager
def another(url: str, around: Sequence[str] = ()) -> Iterator["subprocess.Popen[str]"]:
    """A process that collects into the database until it is killed."""
    command = [*around, sys.executable, "-c", COLLECT, url, "marginwatch"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "collecting\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_daemon_is_told_whom_to_stop(url: str) -> None:
    """The sentence names the process and the remedy."""
    with another(url) as process, pytest.raises(StoreError) as told:
        Store.open(url)
    expected = f"another marginwatch (pid {process.pid}) is collecting into "
    assert str(told.value).startswith(expected)
    assert str(told.value).endswith(
        f": stop it first (systemctl stop marginwatch, or kill {process.pid})"
    )


def test_a_killed_daemon_leaves_no_lock(url: str) -> None:
    """Kill -9 releases: the next start needs no help."""
    with another(url) as process:
        process.kill()
        process.wait()
    assert Store.open(url).close() == Unwritten()


def test_closing_releases(url: str) -> None:
    """After an orderly stop the database is free."""
    Store.open(url).close()
    assert Store.open(url).close() == Unwritten()


def test_one_process_cannot_collect_twice(url: str) -> None:
    """The lock also holds against ourselves."""
    first = Store.open(url)
    with pytest.raises(StoreError, match=f"pid {os.getpid()}"):
        Store.open(url)
    first.close()


def test_reading_and_single_rows_need_no_lock(url: str) -> None:
    """The lock is for collecting: commands read, and add rows, beside the daemon."""
    store = Store.open(url)
    write_once(url, RecordCall(T0, "assets"))
    with History.open(url) as history:
        assert history.accounts() == []
    assert store.external_calls(T0) == [RecordCall(T0, "assets")]
    store.close()


def test_upgrading_needs_the_lock(url: str) -> None:
    """The schema does not change under a running daemon."""
    store = Store.open(url)
    with pytest.raises(StoreError, match="another marginwatch"):
        upgrade(url)
    store.close()


@pytest.mark.parametrize("left", [b"", b"not a pid", b"1\n"])
def test_a_stale_lock_file_is_harmless(sqlite: str, left: bytes) -> None:
    """Only the kernel's lock counts, not what a file says."""
    path = Path(f"{make_url(sqlite).database}.lock")
    path.write_bytes(left)
    store = Store.open(sqlite)
    assert path.read_text().split() == [str(os.getpid())]
    store.close()


def test_a_link_to_the_database_is_the_same_database(sqlite: str, tmp_path: Path) -> None:
    """Two names of one file share the lock."""
    store = Store.open(sqlite)
    link = tmp_path / "link.db"
    link.symlink_to(str(make_url(sqlite).database))
    with pytest.raises(StoreError, match="another marginwatch"):
        Store.open(f"sqlite:///{link}")
    store.close()


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    """When the lock cannot be written, the sentence says why."""
    with pytest.raises(StoreError, match=r"there is no directory .* for the database: make it"):
        Store.open(f"sqlite:///{tmp_path / 'nowhere' / 'watch.db'}")


def linked(lock: Path) -> None:
    lock.symlink_to(lock.with_name("victim"))


def linked_to_nothing(lock: Path) -> None:
    lock.symlink_to(lock.with_name("nothing"))


def linked_hard(lock: Path) -> None:
    lock.hardlink_to(lock.with_name("victim"))


def larger(lock: Path) -> None:
    lock.write_text("of another program\n" * 100)


def piped(lock: Path) -> None:
    os.mkfifo(lock)


def listening(lock: Path) -> None:
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(lock))


@pytest.mark.parametrize(
    "place", [linked, linked_to_nothing, linked_hard, larger, piped, listening, Path.mkdir]
)
def test_s8_something_else_in_the_place_of_the_lock_is_left_alone(
    tmp_path: Path, place: Callable[[Path], None]
) -> None:
    """S8: a daemon, `check` and `status` say so at once, without writing, waiting or reading on."""
    url, lock, victim = (
        f"sqlite:///{tmp_path / 'w.db'}",
        tmp_path / "w.db.lock",
        tmp_path / "victim",
    )
    victim.write_text("another's\n")
    place(lock)
    before = lock.lstat()
    sentence = f"{lock} is not a lock file: check what it is, and move it away"
    for use in (Store.open, preflight, running_daemon):
        with pytest.raises(StoreError) as told:
            use(url)
        assert str(told.value) == sentence
    now = lock.lstat()
    assert (now.st_mode, now.st_size, now.st_mtime_ns) == (
        before.st_mode,
        before.st_size,
        before.st_mtime_ns,
    )
    assert (victim.read_text(), (tmp_path / "nothing").exists()) == ("another's\n", False)


def test_s8_the_lock_is_its_owners_alone(tmp_path: Path) -> None:
    """S8: anyone who can open it can lock it; one left open by an older version is closed."""
    lock, before = tmp_path / "w.db.lock", os.umask(0)
    try:
        for _ in range(2):
            Store.open(f"sqlite:///{tmp_path / 'w.db'}").close()
            assert stat.S_IMODE(lock.stat().st_mode) == 0o600
            lock.chmod(0o644)
    finally:
        os.umask(before)


@contextmanager
def foreign_lock(bits: int) -> Iterator[Path]:
    """Another user's lock file, open to all, in a folder of this mode; seen as another user."""
    needs_root()
    with open_folder() as top:
        folder = top / "data"
        folder.mkdir()
        lock = folder / "w.db.lock"
        lock.touch()
        lock.chmod(0o666)
        os.chown(lock, NEIGHBOUR, NEIGHBOUR)
        if not bits & stat.S_ISVTX:
            os.chown(folder, TRADER, TRADER)
        folder.chmod(bits)
        os.seteuid(TRADER)
        try:
            yield lock
        finally:
            os.seteuid(0)


def test_s8_a_lock_that_a_neighbour_could_hold_for_ever_is_replaced() -> None:
    """S8: an unheld lock is created anew, for the daemon's user alone."""
    with foreign_lock(0o755) as lock:
        url = f"sqlite:///{lock.with_suffix('')}"
        preflight(url)
        Lock(make_url(url)).release()
        assert (lock.stat().st_uid, stat.S_IMODE(lock.stat().st_mode)) == (TRADER, 0o600)


def test_s8_a_neighbours_lock_that_is_held_is_named_with_its_owner() -> None:
    """S8: its owner, the process and the remedy are named; the file's text is not believed."""
    with foreign_lock(0o755) as lock, lock.open("r+") as holding:
        fcntl.flock(holding, fcntl.LOCK_EX)
        holding.write(f"{os.getpid()}\n")
        holding.flush()
        with pytest.raises(StoreError) as told:
            Lock(make_url(f"sqlite:///{lock.with_suffix('')}"))
        assert str(told.value).startswith(
            f"{lock} belongs to user {NEIGHBOUR}, and is locked by process {os.getpid()} ("
        )
        assert str(told.value).endswith(
            f"): if that is not marginwatch, remove the file (rm {lock}), then start again"
        )


def test_s8_a_neighbours_lock_that_cannot_be_removed_is_refused() -> None:
    """S8: in a folder such as /tmp only its owner can remove it; `check` and `run` say so."""
    with foreign_lock(0o1777) as lock:
        url = f"sqlite:///{lock.with_suffix('')}"
        # Linux may refuse the file by itself: fs.protected_regular.
        sentence = (
            rf"^{lock} (belongs to user {NEIGHBOUR}, and others could keep it locked|cannot be"
            r" written)"
        )
        with pytest.raises(StoreError, match=sentence):
            preflight(url)
        with pytest.raises(StoreError, match=sentence):
            Lock(make_url(url))


HOLD = """
import fcntl, sys
file = open(sys.argv[1], "r+")
fcntl.flock(file, int(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(lock: Path, kind: int) -> Iterator["subprocess.Popen[str]"]:
    """A program that holds the lock, and is no marginwatch."""
    command = [sys.executable, "-c", HOLD, str(lock), str(kind)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.parametrize("kind", [fcntl.LOCK_SH, fcntl.LOCK_EX])
def test_s8_a_lock_of_another_program_is_said_as_what_it_is(tmp_path: Path, kind: int) -> None:
    """S8: the holding process is named; ending the one written in the file is never suggested."""
    url, lock = f"sqlite:///{tmp_path / 'w.db'}", tmp_path / "w.db.lock"
    lock.write_text("1\n")
    with held(lock, kind) as process:
        with pytest.raises(StoreError) as told:
            Store.open(url)
        name = Path(f"/proc/{process.pid}/comm").read_text().strip()
        assert (
            str(told.value)
            == f"{lock} is locked by process {process.pid} ({name}), which does not say that it is"
            " a marginwatch: end it, then start again"
        )
        assert running_daemon(url) is None
    assert lock.read_text() == "1\n"


def test_s8_the_kernel_tells_who_holds_a_lock(tmp_path: Path) -> None:
    """S8: asked without opening the file, as another user has to."""
    with (tmp_path / "w.db.lock").open("w") as file:
        found = os.fstat(file.fileno())
        assert locking_process(found) is None
        for kind, is_exclusive in ((fcntl.LOCK_EX, True), (fcntl.LOCK_SH, False)):
            fcntl.flock(file, kind)
            assert locking_process(found) == LockingProcess(os.getpid(), is_exclusive=is_exclusive)


APART = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
"""A process that sees no others, as in a container."""


def test_s8_a_daemon_in_another_container_is_seen_or_believed(tmp_path: Path) -> None:
    """S8: outside it is seen by its number; from another container no end is suggested."""
    needs_root()
    if subprocess.run([*APART, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no namespaces can be made here")
    url = f"sqlite:///{tmp_path / 'w.db'}"
    with another(url, APART):
        beside = [*APART, sys.executable, "-c", COLLECT, url]
        refused = subprocess.run(
            beside, capture_output=True, text=True, check=False
        ).stderr.splitlines()[-1]
        found = running_daemon(url)
        assert refused.endswith(
            f"another marginwatch (pid 1) is collecting into {tmp_path / 'w.db'}: stop it first "
            "(systemctl stop marginwatch)"
        )
        assert found is not None
        assert int(found.pid) > 1
        assert LockingProcess(int(found.pid), is_exclusive=True).is_called("1")
        with pytest.raises(
            StoreError, match=rf"\(pid {found.pid}\) is collecting .* or kill {found.pid}\)"
        ):
            Store.open(url)


def test_s8_a_marginwatch_is_known_by_how_it_was_started() -> None:
    """S8: another program that got the number of one that ended is none."""
    for words, is_ours in (
        (["-m", "daemon"], True),
        (["/opt/bin/marginwatch", "run"], True),
        (["daemon"], False),
    ):
        command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", *words]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            # Before its first line, the system may not know how it was started.
            process.stdout.readline()
            assert is_marginwatch(str(process.pid)) == is_ours
            process.kill()
    assert [is_marginwatch(pid) for pid in ("0", "none", "")] == [False] * 3


def test_s8_a_file_of_that_number_on_another_file_system_is_another_file() -> None:
    """S8: btrfs shows other devices than /proc/locks; they count only without an exact match."""
    mine, other = (
        "1: FLOCK  ADVISORY  READ 12 00:1b:25 0 EOF",
        "2: FLOCK  ADVISORY  WRITE 11 00:1a:25 0 EOF",
    )
    disk = (
        "3: FLOCK  ADVISORY  WRITE 13 fe:00:25 0 EOF\n4: -> FLOCK  ADVISORY  WRITE 14 00:1b:25"
        " 0 EOF"
    )
    file = os.stat_result((0, 25, os.makedev(0, 0x1B), 1, 0, 0, 0, 0, 0, 0))
    locks = [f"{other}\n{mine}\n{disk}", f"{other}\n{disk}", disk]
    found = [owner_among(each, file) for each in locks]
    assert found == [
        LockingProcess(12, is_exclusive=False),
        LockingProcess(11, is_exclusive=True),
        None,
    ]
