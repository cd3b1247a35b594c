"""The file that a daemon writes into, and whether its path still names it. SQLite alone would never
notice.

    verify ──► the path names our file, and our WAL ──► write
                 ├─ another WAL or none ──► fold what it held into the file, and open a new one
                 └─ another file or none ──► Refused, until ours is back, or a copy that holds the same bytes

While the file is lost it is kept alive: it can be put back, even after its deletion. No other file
is ever written into: the record in memory belongs to ours. Called by the writer's thread, except
for `trouble`.
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
"""Device and inode: what stays the same wherever a file is moved to."""

CHUNK = 1 << 20
"""Bytes compared at a time."""


class DatabaseFile:
    """Made when the database is open, ended by `close`, after all connections."""

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
        """The WAL and its index as our connection has them open; None while it is not known to be
        open.
        """
        self._lost = False
        """The file, or its WAL."""
        self._closed = False
        self._whole = False
        """While disconnected: whether our file holds all that was committed, without its WAL."""

    def verify(self) -> None:
        """Raises Refused where what is written now would be written into a file that nobody
        finds.
        """
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
        """Why the path may not be read from at present: it does not name our file. For any
        thread.
        """
        return None if self._closed or self._is_ours() else self._sentence()

    def renew(self) -> None:
        """Connect anew, after a failure. What is lost is kept open until the file is whole."""
        if not self._lost:
            self._disconnect()
            self._whole = self._is_ours() and version_at_rest(self._url) is not None

    def close(self) -> None:
        """Let the file go; called again, it does nothing."""
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
        if not self._whole and self._folded():
            self._whole = True
            self._disconnect()

    def _settle_log(self, database: str) -> str | None:
        """A WAL that was deleted alone still takes commits, of which nothing would be left after a
        kill.
        """
        if not self._connected():
            self._log = None
            return None
        log = tuple(_identity(f"{database}{suffix}") for suffix in ("-wal", "-shm"))
        self._log = self._log or log
        if self._log == log:
            return None
        if not self._folded():
            self._lost = (
                True  # a connection anew would begin a WAL without what the deleted one holds
            )
            return f"{database}-wal was moved or deleted: end other programs that use the database"
        self._disconnect()
        return None

    def _connected(self) -> bool:
        """Whether the writer's connection is open, and waits in its pool."""
        pool = self._writing.pool
        return isinstance(pool, QueuePool) and pool.checkedin() > 0

    def _folded(self) -> bool:
        """Bring what the WAL holds into the file, through the connection that has both open;
        whether all of it is.
        """
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
        """Whether the file at the path goes on where ours ended: it holds the same bytes, and no
        WAL beside it.
        """
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
        """What became of our file, and what to do."""
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
        """Where our file is now."""
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
