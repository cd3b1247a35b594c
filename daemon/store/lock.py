"""Only one daemon collects into a database; commands that write a row of their own need no lock.

SQLite: an advisory lock on `<database>.lock`, which the kernel releases with the process, however that ends; the
file stays and means nothing by itself. PostgreSQL: an advisory lock of the writer's session, taken anew whenever it
has to connect again, so that nothing is ever written without it.
"""

import fcntl
import os
import re
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import URL, Engine, event

from daemon.errors import StoreConfigError, StoreError
from daemon.store.failures import named

PROJECT = 0x6D61_7267
"""The first half of our advisory locks' key ("marg"); the second is the schema's: several may share a database."""

TAKE = f"SELECT pg_advisory_lock({PROJECT}, hashtext(current_schema()))"
"""Waits for as long as `lock_timeout` says: the server may need a moment to see that a killed holder is gone."""

HOLDER = f"""
SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND classid = {PROJECT}
AND objid = (hashtext(current_schema())::bigint & 4294967295)::oid
AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 -- a number of ours

GLANCE = 0.05
"""Seconds after which whoever only looked at the lock has let it go."""

NAME = re.compile(r"marginwatch (\d+) on (.+)")


class Lock:
    """Held until `release`, or until the process ends."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def collect(url: URL, engine: Engine) -> Lock:
    """Become the one daemon that writes through `engine`; raises StoreError, now or where it connects, if not alone."""
    if url.get_backend_name() == "sqlite":
        return _lock_file(url)
    _lock_sessions(url, engine)
    return Lock()


def must_be_takable(url: URL) -> None:
    """Raises StoreError where the lock of a file could not be had, whoever holds it; leaves nothing behind."""
    path = _path(url)
    try:
        if path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        else:
            tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise _untakable(path, error) from None


def _path(url: URL) -> Path:
    return Path(f"{Path(str(url.database)).resolve()}.lock")


def _untakable(path: Path, error: OSError) -> StoreError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return StoreConfigError(f"there is no directory {path.parent} for the database: make it, or name another one")
    return StoreError(f"{path} cannot be written ({error.strerror}): let this user write that directory")


def _lock_file(url: URL) -> Lock:
    path = _path(url)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _untakable(path, error) from None
    if not _locked(descriptor):
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise _taken(url, holder, "") from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return Lock(descriptor)


def _locked(descriptor: int) -> bool:
    """Tried again once: `status` holds the lock for a moment when it asks who has it."""
    for pause in (GLANCE, 0):
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        Event().wait(pause)
    return False


def _lock_sessions(url: URL, engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _take(connection: Any, _: object) -> None:
        if _granted(connection):
            return
        holder = connection.execute(HOLDER).fetchone()
        connection.close()
        name = NAME.fullmatch(holder[0] or "") if holder else None
        pid, host = name.groups() if name else ("", "")
        raise _taken(url, pid, "" if host == socket.gethostname() else f" on {host}")


def _granted(connection: Any) -> bool:
    try:
        connection.execute(TAKE)
    except Exception as error:
        if getattr(error, "sqlstate", None) != "55P03":
            connection.close()
            raise
        connection.rollback()
        return False
    connection.commit()  # a session's lock outlives the transaction
    return True


def _taken(url: URL, pid: str, host: str) -> StoreError:
    who = f" (pid {pid}{host})" if pid else ""
    kill = f", or kill {pid}" if pid and not host else ""
    return StoreError(
        f"another marginwatch{who} is collecting into {named(url)}: stop it first (systemctl stop marginwatch{kill})",
    )
