"""Finds the daemon that collects into a database now, for `status`, from the lock itself.

It takes nothing away from the holder, and changes nothing.
"""

import fcntl
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from daemon.errors import StoreError, owner_text
from daemon.store.database import engine as engines
from daemon.store.database.failures import store_errors
from daemon.store.database.lock import HOLDER, NAME
from daemon.store.database.lock_file import lock_path, open_lock, read_note
from daemon.store.database.locking_process import LOCKS, locking_process


@dataclass(frozen=True, slots=True)
class RunningDaemon:
    """The daemon that collects. `pid` is "" when unknown, `host` is "" on this machine."""

    pid: str = ""
    host: str = ""
    trouble: str = ""
    """The reason why it can record nothing at present, if it could tell."""


def running_daemon(url: str) -> RunningDaemon | None:
    """The daemon that collects into the database; None when there is none.

    Raises:
        StoreError: when that cannot be found out.
    """
    parsed = engines.parse(url)
    return _of_file(parsed) if parsed.get_backend_name() == "sqlite" else _of_sessions(parsed)


def _of_file(url: URL) -> RunningDaemon | None:
    path = lock_path(url)
    try:
        descriptor = open_lock(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        return _of_another_user(path, error)
    try:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        pid, trouble = read_note(descriptor)
        owner = locking_process(os.fstat(descriptor))
        if owner is None:  # in another container
            return RunningDaemon(pid, trouble=trouble)
        return RunningDaemon(str(owner.pid), trouble=trouble) if owner.is_called(pid) else None
    finally:
        os.close(descriptor)


def _of_another_user(path: Path, error: OSError) -> RunningDaemon | None:
    """The daemon whose lock this user may not read: the kernel shows it, but not its trouble."""
    if isinstance(error, PermissionError) and os.access(LOCKS, os.R_OK):
        with suppress(PermissionError):
            owner = locking_process(path.lstat())
            return (
                RunningDaemon(str(owner.pid)) if owner is not None and owner.is_exclusive else None
            )
    raise StoreError(
        f"{path} cannot be read ({error.strerror}){owner_text(path)}: let this user read it"
    ) from None


def _of_sessions(url: URL) -> RunningDaemon | None:
    engine = engines.reading(url)
    try:
        with store_errors(url), engine.connect() as connection:
            found = connection.exec_driver_sql(HOLDER).one_or_none()
    finally:
        engine.dispose()
    if found is None:
        return None
    name = NAME.fullmatch(found[0] or "")
    pid, host = name.groups() if name else ("", "")
    return RunningDaemon(pid, "" if host == socket.gethostname() else host)
