"""The file that a daemon writes, and whether its path still names it. SQLite would never notice.

    verify ──► the path names our file, and our WAL ──► write
                 ├─ another WAL or none ──► move its contents into the file, open a new WAL
                 └─ another file or none ──► Refused, until ours is back,
                                             or a copy that holds the same bytes

A lost file is kept open: it can be put back, even after its deletion. No other file is ever
written: the state in memory belongs to ours. Called by the writer's thread, except for `trouble`.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import URL, Engine, QueuePool

from daemon.store.database.failures import Refused
from daemon.store.database.files import real_path, version_at_rest
from daemon.store.database.lock import Lock

Identity: TypeAlias = tuple[int, int]
"""Device and inode, which stay the same when a file is moved."""

CHUNK = 1 << 20
"""Bytes compared at a time."""


class DatabaseFile:
    """Created when the database is open; call `close` after all connections."""

    def __init__(self, url: URL, lock: Lock, writing: Engine, reading: Engine) -> None:
        self._url = url
        self._path = path = Path(str(url.database))
        self._lock = lock
        self._engines = (writing, reading)
        self._writing = writing
        # O_PATH: closing any other descriptor of a database would drop the locks that SQLite holds
        # on it.
        self._kept = os.open(path, os.O_PATH | os.O_CLOEXEC)
        self._folder = _identity(Path(real_path(url)).parent)
        self._log: tuple[Identity | None, ...] | None = None
        """Identity of the WAL and its index as our connection opened them; None if unknown."""
        self._lost = False
        """The lost file, or its WAL."""
        self._closed = False
        self._whole = False
        """While disconnected: whether our file holds every commit, without its WAL."""

    def verify(self) -> None:
        """Raise Refused when a write would go into a file that cannot be found any more."""
        database = real_path(self._url)
        folder = _identity(os.path.dirname(database))  # noqa: PTH120 -- done twice a commit
        try:
            trouble = self._settle(database)
        except OSError as error:
            trouble = f"{self._path} cannot be looked at ({error.strerror})"
        if trouble is None:
            self._folder = folder
        # The lock at the path keeps others out, and tells `status` of this daemon, also while the
        # file is lost. Only in the folder that held it: nothing may keep that from being put back,
        # or a disk from being unmounted.
        unlocked = self._lock.renew() if folder == self._folder else None
        if reason := trouble or unlocked:
            raise Refused(reason)

    def trouble(self) -> str | None:
        """The reason why the path does not name our file, else None. For any thread."""
        return None if self._closed or self._is_ours() else self._sentence()

    def renew(self) -> None:
        """Connect again after a failure. A lost file is kept open until it is whole."""
        if not self._lost:
            self._disconnect()
            self._whole = self._is_ours() and version_at_rest(self._url) is not None

    def close(self) -> None:
        """Release the file; calling again does nothing."""
        if not self._closed:
            self._closed = True
            os.close(self._kept)

    def _settle(self, database: str) -> str | None:
        if not self._is_ours():
            self._lose()
            if not self._is_copy():
                return self._sentence()
            self._adopt()
        self._lost = self._whole = False
        return self._settle_log(database)

    def _is_ours(self) -> bool:
        return _identity(self._path) == _identity(self._kept)

    def _lose(self) -> None:
        self._lost = True
        if not self._whole and self._move_wal_into_file():
            self._whole = True
            self._disconnect()

    def _settle_log(self, database: str) -> str | None:
        """Handle a deleted WAL: it still takes commits, but they would be lost after a kill."""
        if not self._connected():
            self._log = None
            return None
        log = tuple(_identity(f"{database}{suffix}") for suffix in ("-wal", "-shm"))
        self._log = self._log or log
        if self._log == log:
            return None
        if not self._move_wal_into_file():
            self._lost = (
                True  # a connection anew would begin a WAL without what the deleted one holds
            )
            return f"{database}-wal was moved or deleted: end other programs that use the database"
        self._disconnect()
        return None

    def _connected(self) -> bool:
        """Whether the writer's connection is open and idle in its pool."""
        pool = self._writing.pool
        return isinstance(pool, QueuePool) and pool.checkedin() > 0

    def _move_wal_into_file(self) -> bool:
        """Move the WAL into the file, through the connection that has both; True if complete."""
        if not self._connected():
            return False
        connection = self._writing.raw_connection()
        try:
            busy, *_ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error:
            return False
        finally:
            connection.close()
        return not busy

    def _disconnect(self) -> None:
        for engine in self._engines:
            engine.dispose()
        self._log = None

    def _is_copy(self) -> bool:
        """Whether the file at the path is a copy of ours: the same bytes, and no WAL beside it."""
        if not self._whole:
            return False
        with suppress(OSError):
            return version_at_rest(self._url) is not None and _same(
                Path(f"/proc/self/fd/{self._kept}"), self._path
            )
        return False

    def _adopt(self) -> None:
        copy = os.open(self._path, os.O_PATH | os.O_CLOEXEC)
        os.dup2(copy, self._kept, inheritable=False)  # in one step: other threads look at it
        os.close(copy)

    def _sentence(self) -> str:
        """A sentence: the fate of our file, and the remedy."""
        place = self._place()
        if place == os.path.realpath(self._path):
            remedy = (
                "its file cannot be reached: let this user enter its directory, or unmount what"
                " covers it"
            )
        elif not place.endswith(" (deleted)"):
            remedy = f"its file is now {place}: move it back to {self._path}"
        elif self._whole:
            copy = f"cp -p /proc/{os.getpid()}/fd/{self._kept} {self._path}"
            remedy = f"its file was deleted: as root, bring it back with {copy}"
        else:
            remedy = "its file was deleted"
        if _identity(self._path) is None:
            return remedy
        return (
            f"another file is at {self._path}, and {remedy}; or restart marginwatch to go on with"
            " the other file"
        )

    def _place(self) -> str:
        """The present path of our file."""
        try:
            return str(Path(f"/proc/self/fd/{self._kept}").readlink())
        except OSError:  # in a container without /proc
            return "elsewhere"


def _identity(file: Path | str | int) -> Identity | None:
    try:
        found = os.stat(file)  # noqa: PTH116 -- of a descriptor too
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _same(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while chunk := first.read(CHUNK):
            if chunk != second.read(CHUNK):
                return False
    return True
