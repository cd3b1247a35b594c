"""A file that gets its name only when it is complete, so that nothing half done has that name.

.NAME.partial, locked ──► written ──► on disk ──► NAME
         └── a failure, or the next call after a kill, removes it
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from daemon.errors import StoreError, owner_text

OWNER_ONLY = 0o600

SQLITE_SUFFIXES = ("-wal", "-shm", "-journal")
"""Endings of the files that SQLite makes beside a database."""

ATTEMPTS = 5
"""Tries to lock a file that another call may rename at the same time."""


class PartialFile:
    """An empty file of this call alone, readable by its owner only. Made by `partial_file`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def clear(self) -> None:
        """Make it empty, without what SQLite left beside it."""
        os.truncate(self._descriptor, 0)
        for suffix in SQLITE_SUFFIXES:
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    def publish(self, target: Path, mode: int = OWNER_ONLY) -> None:
        """Give it its name, in place of any file of that name; both are on disk then."""
        os.fchmod(self._descriptor, mode)
        os.fsync(self._descriptor)
        self.path.replace(target)
        sync_folder(target.parent)


@contextmanager
def partial_file(folder: Path, name: str) -> Iterator[PartialFile]:
    """A partial file in this folder; removed at the end unless it was published.

    Raises:
        StoreError: when the folder cannot be written, or another call is at work there.
    """
    path = folder / f".{name}.partial"
    try:
        descriptor = _locked(path)
    except OSError as error:
        raise unwritable(folder, error) from None
    partial = PartialFile(path, descriptor)
    try:
        partial.clear()
        yield partial
    finally:
        if _is_at(path, descriptor):
            with suppress(OSError):
                partial.clear()
                path.unlink()
        os.close(descriptor)


def unwritable(path: Path, error: OSError) -> StoreError:
    """The error of a file or folder that cannot be written."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return StoreError(f"there is no directory {path}: make it, or name another one")
    return StoreError(
        f"{path} cannot be written ({error.strerror}){owner_text(path)}: name a place that this"
        " user may write, on a disk with room"
    )


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked(path: Path) -> int:
    for _ in range(ATTEMPTS):
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, OWNER_ONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            break
        # Between opening and locking, another call may have published the very same file.
        if _is_at(path, descriptor):
            os.fchmod(descriptor, OWNER_ONLY)
            return descriptor
        os.close(descriptor)
    else:
        raise StoreError(f"{path} is renamed again and again by other programs: try again")
    os.close(descriptor)
    raise StoreError(f"another marginwatch is writing {path}: wait until it has ended")


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except OSError:
        return False
