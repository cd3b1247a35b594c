"""Only one daemon collects into a database; commands that write a row of their own need no lock.

SQLite: an advisory lock on `<database>.lock`, which the kernel releases with the process, however that ends; the
file stays and means nothing by itself. While it is held, it says who holds it, and why nothing can be recorded, for
`status`. PostgreSQL: an advisory lock of the writer's session, taken anew whenever it
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

from daemon.errors import StoreConfigError, StoreError, owned
from daemon.store.failures import named
from daemon.store.files import beside, reclaim

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

SIZE = 1_024
"""Bytes of the file: always as many, so that a full disk has room for whatever is to be said."""


class Lock:
    """Held until `release`, or until the process ends. `url` is that of a file."""

    def __init__(self, url: URL | None = None) -> None:
        self._url = url
        self._trouble = ""
        self._descriptor = None if url is None else _lock_file(url)
        self.note("")

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def note(self, trouble: str) -> None:
        """Let others know why nothing can be recorded; empty where all is well. Never fails: there may be no room."""
        self._trouble = trouble
        if self._descriptor is not None:
            text = f"{os.getpid()}\n{trouble}\n".encode()[:SIZE]
            with suppress(OSError):
                os.pwrite(self._descriptor, text.ljust(SIZE, b"\n"), 0)

    def renew(self) -> str | None:
        """Take the lock anew where its file was removed: another daemon could take a new one. Why that cannot be."""
        if self._descriptor is None or self._url is None or _is_at(lock_path(self._url), self._descriptor):
            return None
        try:
            renewed = _lock_file(self._url)
        except StoreError as error:
            return str(error)
        os.close(self._descriptor)
        self._descriptor = renewed
        self.note(self._trouble)
        return None


def lock_path(url: URL) -> Path:
    return beside(url, ".lock")


def read_lock(descriptor: int) -> tuple[str, str]:
    """The pid of who holds it, and why that one can record nothing; either may be empty."""
    pid, _, rest = os.pread(descriptor, SIZE, 0).decode("utf-8", "replace").partition("\n")
    return pid.strip(), rest.strip()


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False


def collect(url: URL, engine: Engine) -> Lock:
    """Become the one daemon that writes through `engine`; raises StoreError, now or where it connects, if not alone."""
    if url.get_backend_name() == "sqlite":
        lock = Lock(url)
        try:
            reclaim(url)
        except BaseException:
            lock.release()
            raise
        return lock
    _lock_sessions(url, engine)
    return Lock()


def must_be_takable(url: URL) -> None:
    """Raises StoreError where the lock of a file could not be had, whoever holds it; leaves nothing behind."""
    path = lock_path(url)
    try:
        if path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        else:
            tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise _untakable(path, error) from None


def _untakable(path: Path, error: OSError) -> StoreError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return StoreConfigError(f"there is no directory {path.parent} for the database: make it, or name another one")
    place = path if path.exists() else path.parent
    remedy = "let this user write it, or be its owner"
    return StoreError(f"{place} cannot be written ({error.strerror}){owned(place)}: {remedy}")


def _lock_file(url: URL) -> int:
    path = lock_path(url)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _untakable(path, error) from None
    if not _locked(descriptor):
        holder, _ = read_lock(descriptor)
        os.close(descriptor)
        raise _taken(url, holder, "") from None
    return descriptor


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
