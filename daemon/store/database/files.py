"""The files of a SQLite database: whether one holds everything, and whether we may write.

Opening a database creates the WAL and its index where they are missing. If another user owns those,
the user who should write cannot.
"""

import fcntl
import logging
import os
import stat
import struct
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import URL

from daemon.errors import StoreConfigError, StoreError, owner_text

_log = logging.getLogger("marginwatch")

Version: TypeAlias = tuple[int, ...]
"""A value that changes with each write to the file."""

AT_MOST = 0o640
"""Rights of a new database: its owner writes, the group reads; the umask may take more away."""

OTHERS = 0o007
"""Rights of users who are neither the owner nor of the group."""

FLOCK = "hhqqi0q"
"""The struct flock of fcntl(2): type, whence, start, length, pid. Python's offsets are 64-bit."""

LOCKS = (120, 9)
"""Locks of a WAL's index: first byte and number. Every process that has it open holds the last."""


def version_at_rest(url: URL) -> Version | None:
    """The version of a file that holds everything; None when a WAL or journal may hold a part."""
    if url.get_backend_name() != "sqlite":
        return None
    if any(_size(beside(url, suffix)) for suffix in ("-wal", "-journal")):
        return None
    try:
        found = Path(str(url.database)).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def beside(url: URL, suffix: str) -> Path:
    """The path of SQLite's own file beside the database, links resolved."""
    return Path(f"{real_path(url)}{suffix}")


def real_path(url: URL) -> str:
    """The path of the database file, links resolved."""
    return os.path.realpath(str(url.database))


def refuse_unwritable(url: URL) -> None:
    """Raise StoreError when this user may not write the database. Leaves no file behind."""
    if url.get_backend_name() != "sqlite":
        return
    for file in (beside(url, ""), *foreign(url)):
        if not _writable(file):
            raise _denied(file)
    _refuse_folder(url)


def _refuse_folder(url: URL) -> None:
    """Raise StoreError when SQLite could not create its own files beside the database."""
    folder = beside(url, "").parent
    if not beside(url, "-shm").exists() and not _writable(folder):
        raise _denied(folder)


def must_be_files(url: URL) -> None:
    """Refuse a folder, a pipe or a device in place of the database or of SQLite's own files.

    Raises:
        StoreConfigError: when the database is named wrongly.
        StoreError: when something beside it is in the way.
    """
    database = beside(url, "")
    if database.is_dir():
        raise StoreConfigError(
            f"{database} is no file: name a file, such as {database / 'marginwatch.db'}"
        )
    if database.exists() and not database.is_file():
        raise StoreConfigError(f"{database} is a pipe or a device, not a file: name another file")
    for file in (beside(url, suffix) for suffix in ("-wal", "-shm", "-journal")):
        if file.exists() and not file.is_file():
            raise StoreError(
                f"{file} is no regular file, and SQLite needs that name for its own: move it away"
            )


def must_be_usable(url: URL) -> None:
    """Raise StoreError when a daemon of this user could not write the files. Changes nothing."""
    must_be_files(url)
    database = beside(url, "")
    if database.exists() and not _writable(database):
        raise _denied(database)
    _refuse_folder(url)
    for file in foreign(url):
        if _in_use(beside(url, "-shm")):
            raise StoreError(
                f"{file} is in use{owner_text(file)}: end the program of that user, then try again"
            )
        if version_at_rest(url) is None:
            raise StoreError(
                f"{file} holds a part of the record, and may not be"
                f" written{owner_text(file)}: chown it"
            )


def reclaim(url: URL) -> None:
    """Remove files that another user's reading left beside an idle database. Needs the lock.

    Raises:
        StoreError: when a file holds data, is in use, or may not be removed.
    """
    must_be_usable(url)
    for file in foreign(url):
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"{file} may not be written{owner_text(file)} ({error.strerror}): remove it"
            ) from None


def make_private(url: URL) -> None:
    """Create the database, if there is none, and take the rights of other users away.

    SQLite gives its files beside the database the rights of that. The group keeps its rights: its
    members may read, and write where the owner lets them.
    """
    database = beside(url, "")
    with suppress(OSError):  # whoever opens it says why it cannot be made
        os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, AT_MOST))
    for file in open_to_others(url):
        # It fails where the file belongs to another user, which `check` names.
        with suppress(OSError):
            file.chmod(stat.S_IMODE(file.stat().st_mode) & ~OTHERS)
            _log.warning("%s was open to every user of this machine, and is no more", file)


def open_to_others(url: URL) -> list[Path]:
    """The database's files to which every user of this machine has any right."""
    if url.get_backend_name() != "sqlite":
        return []
    files = (beside(url, suffix) for suffix in ("", "-wal", "-shm", "-journal"))
    return [file for file in files if _mode(file) & OTHERS]


def _mode(file: Path) -> int:
    try:
        found = file.lstat()
    except OSError:
        return 0
    return stat.S_IMODE(found.st_mode) if stat.S_ISREG(found.st_mode) else 0


def foreign(url: URL) -> list[Path]:
    """Files beside a database that this user may not write."""
    files = (beside(url, "-wal"), beside(url, "-shm"))
    return [file for file in files if file.exists() and not _writable(file)]


def _denied(file: Path) -> StoreError:
    if os.statvfs(file).f_flag & os.ST_RDONLY:
        return StoreError(
            f"{file} may not be written, for its disk is mounted for reading only: mount it for"
            " writing"
        )
    return StoreError(
        f"{file} may not be written{owner_text(file)}: let this user write it, or be its owner"
    )


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _writable(file: Path) -> bool:
    return os.access(file, os.W_OK, effective_ids=True)


def _in_use(index: Path) -> bool:
    """Whether a process has this index of a WAL open."""
    try:
        descriptor = os.open(index, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, *LOCKS, 0)
        found, *_ = struct.unpack(FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    finally:
        os.close(descriptor)
    return bool(found != fcntl.F_UNLCK)
