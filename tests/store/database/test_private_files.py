"""The database is never open to other users of the machine, whatever the umask."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon.store import Store, open_database_files, upgrade
from daemon.store.write.imports import importing
from tests.store.records import epoch, read


@contextmanager
def umask(bits: int) -> Iterator[None]:
    before = os.umask(bits)
    try:
        yield
    finally:
        os.umask(before)


def bring_in(url: str) -> None:
    with importing(url):
        pass


def collect(url: str) -> None:
    Store.open(url).close()


def modes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


@pytest.mark.parametrize(("bits", "expected"), [(0, 0o640), (0o022, 0o640), (0o077, 0o600)])
@pytest.mark.parametrize("make", [collect, upgrade, bring_in])
def test_a_new_database_is_private(
    sqlite: str, tmp_path: Path, make: Callable[[str], None], bits: int, expected: int
) -> None:
    """Whoever makes it: the group may read at most."""
    with umask(bits):
        make(sqlite)
    assert modes(tmp_path)["watch.db"] == expected


def test_the_wal_is_as_private_as_the_database(sqlite: str, tmp_path: Path) -> None:
    """While the daemon writes, with the loosest umask."""
    with umask(0):
        store = Store.open(sqlite)
        store.submit(epoch()).result(10)
        store.submit(read(2)).result(10)
        found = modes(tmp_path)
        store.close()
    assert found == {
        "watch.db": 0o640,
        "watch.db-wal": 0o640,
        "watch.db-shm": 0o640,
        "watch.db.lock": 0o600,
    }


@pytest.mark.parametrize(("before", "after"), [(0o644, 0o640), (0o666, 0o660), (0o604, 0o600)])
def test_a_start_takes_the_rights_of_others_away(
    sqlite: str, tmp_path: Path, before: int, after: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The group keeps what it has; the log says it once."""
    caplog.set_level(logging.WARNING, "marginwatch")
    collect(sqlite)
    database = tmp_path / "watch.db"
    database.chmod(before)
    assert open_database_files(sqlite) == [database]
    for _ in range(2):
        collect(sqlite)
    assert (modes(tmp_path)["watch.db"], open_database_files(sqlite)) == (after, [])
    assert caplog.messages == [f"{database} was open to every user of this machine, and is no more"]


def test_a_link_to_the_database_is_followed(sqlite: str, tmp_path: Path) -> None:
    """The file that it names is made private."""
    collect(sqlite)
    (tmp_path / "watch.db").chmod(0o644)
    (tmp_path / "link.db").symlink_to("watch.db")
    collect(f"sqlite:///{tmp_path / 'link.db'}")
    assert modes(tmp_path)["watch.db"] == 0o640


def test_a_server_has_no_files_here(postgresql: str) -> None:
    """Nothing is named."""
    assert open_database_files(postgresql) == []
