"""The lock file beside a SQLite database: its place, how it is opened, and what it says.

    <database>.lock: the pid of the daemon that collects, and why it can record nothing

It means nothing by itself: only the kernel's lock on it counts. Only this user may open it, as
anyone who can open it can lock it.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL

from daemon.errors import StoreError
from daemon.store.database.files import beside

SIZE = 1_024
"""Fixed size of the file in bytes, so that a full disk has room for any note."""

OWNER_ONLY = 0o600

_NO_FILE = frozenset({errno.ELOOP, errno.ENXIO, errno.EISDIR})
"""Errors when opening a link, a socket or a folder."""


def lock_path(url: URL) -> Path:
    return beside(url, ".lock")


def own_files(url: URL) -> list[Path]:
    """The database file and all that stands, or may stand, beside it; none of a server's."""
    if url.get_backend_name() != "sqlite":
        return []
    return [lock_path(url), *(beside(url, each) for each in ("", "-wal", "-shm", "-journal"))]


def open_lock(path: Path, flags: int) -> int:
    """Open the lock file for `flags`, without waiting or following a link; its descriptor.

    Raises:
        OSError: when it cannot be opened.
        StoreError: when its place holds something else, which must not be written.
    """
    try:
        descriptor = os.open(
            path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, OWNER_ONLY
        )
    except OSError as error:
        if error.errno in _NO_FILE:
            raise _not_a_lock(path) from None
        raise
    found = os.fstat(descriptor)
    # Others could have put a link here, so that we write into a file of ours that it names.
    if stat.S_ISREG(found.st_mode) and found.st_nlink <= 1 and found.st_size <= SIZE:
        return descriptor
    os.close(descriptor)
    raise _not_a_lock(path)


def _not_a_lock(path: Path) -> StoreError:
    return StoreError(f"{path} is not a lock file: check what it is, and move it away")


def read_note(descriptor: int) -> tuple[str, str]:
    """The holder's pid, and why it can record nothing; either may be empty."""
    pid, _, rest = os.pread(descriptor, SIZE, 0).decode("utf-8", "replace").partition("\n")
    return pid.strip(), rest.strip()


def write_note(descriptor: int, trouble: str) -> None:
    """Write this process's pid, and why it can record nothing. Never fails."""
    text = f"{os.getpid()}\n{trouble}\n".encode()[:SIZE]
    with suppress(OSError):
        os.pwrite(descriptor, text.ljust(SIZE, b"\n"), 0)
