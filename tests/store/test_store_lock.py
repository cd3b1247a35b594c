"""Only one daemon collects into a database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from daemon.errors import StoreError
from daemon.store import History, Store, upgrade, write_once
from daemon.store.operations import Book, Unwritten
from tests.values import T0

COLLECT = """
import sys
from daemon.store import Store
store = Store.open(sys.argv[1])
print("collecting", flush=True)
sys.stdin.read()
"""


@contextmanager
def another(url: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that collects into the database until it is killed."""
    command = [sys.executable, "-c", COLLECT, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
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
    assert str(told.value).endswith(f": stop it first (systemctl stop marginwatch, or kill {process.pid})")


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
    """The lock is about collecting: commands read, and write rows of their own, beside the daemon."""
    store = Store.open(url)
    write_once(url, Book(T0, "assets"))
    with History.open(url) as history:
        assert history.accounts() == []
    assert store.bookings(T0) == [Book(T0, "assets")]
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
    """Where the lock cannot be written, the sentence says why."""
    with pytest.raises(StoreError, match=r"there is no directory .* for the database: make it"):
        Store.open(f"sqlite:///{tmp_path / 'nowhere' / 'watch.db'}")
