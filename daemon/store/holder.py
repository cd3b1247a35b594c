"""Who collects into a database at present, for `status`: asked of the lock itself, never guessed from what is recorded.

It takes nothing away from the holder, and changes nothing.
"""

import fcntl
import os
import socket
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import URL

from daemon.errors import StoreError, owned
from daemon.store import engine as engines
from daemon.store.failures import told
from daemon.store.lock import HOLDER, NAME, lock_path, read_lock


@dataclass(frozen=True, slots=True)
class Holder:
    """The daemon that collects. `pid` is empty where the lock does not tell it, `host` where it is this machine."""

    pid: str = ""
    host: str = ""
    trouble: str = ""
    """Why it can record nothing at present, as far as it can tell others."""


def holder(url: str) -> Holder | None:
    """The daemon that collects into the database; None when there is none.

    Raises:
        StoreError: where nobody can tell.

    """
    parsed = engines.parse(url)
    return _of_file(parsed) if parsed.get_backend_name() == "sqlite" else _of_sessions(parsed)


def _of_file(url: URL) -> Holder | None:
    path = lock_path(url)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        remedy = "let this user read it"
        raise StoreError(f"{path} cannot be read ({error.strerror}){owned(path)}: {remedy}") from None
    try:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        pid, trouble = read_lock(descriptor)
        return Holder(pid, trouble=trouble)
    finally:
        os.close(descriptor)


def _of_sessions(url: URL) -> Holder | None:
    engine = engines.reading(url)
    try:
        with told(url), engine.connect() as connection:
            found = connection.exec_driver_sql(HOLDER).one_or_none()
    finally:
        engine.dispose()
    if found is None:
        return None
    name = NAME.fullmatch(found[0] or "")
    pid, host = name.groups() if name else ("", "")
    return Holder(pid, "" if host == socket.gethostname() else host)
