"""Makes sure that only one daemon collects into a database; commands that add a row need no lock.

SQLite: an advisory lock on `<database>.lock`, which the kernel releases with the process. The file
stays, and means nothing by itself. Only this user may open it, as anyone who can open it can lock
it. While locked, it says for `status` who holds it, and why nothing can be recorded. PostgreSQL: an
advisory lock of the writer's session, taken again at each new connection, so that nothing is
written without it.
"""

import fcntl
import os
import re
import shlex
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import URL, Engine, event

from daemon.errors import StoreConfigError, StoreError, owner_text, user_name
from daemon.store.database.failures import database_name
from daemon.store.database.files import make_private, reclaim
from daemon.store.database.lock_file import OWNER_ONLY, lock_path, open_lock, read_note, write_note
from daemon.store.database.locking_process import is_marginwatch, locking_process

PROJECT = 0x6D61_7267
"""First half of our advisory lock's key ("marg"); the second is the schema's."""

TAKE = f"SELECT pg_advisory_lock({PROJECT}, hashtext(current_schema()))"
"""Waits up to `lock_timeout`: the server may need a moment to notice a killed holder."""

HOLDER = f"""
SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND classid = {PROJECT}
AND objid = (hashtext(current_schema())::bigint & 4294967295)::oid
AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 -- a number of ours

GLANCE = 0.05
"""Seconds after which `status`, which only looks, has released the lock."""

NAME = re.compile(r"marginwatch (\d+) on (.+)")


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
        """Show others why nothing can be recorded; "" when all is well. Never fails."""
        self._trouble = trouble
        if self._descriptor is not None:
            write_note(self._descriptor, trouble)

    def renew(self) -> str | None:
        """Take the lock again if its file was removed; returns why that failed, or None.

        Otherwise another daemon could create the file and take the lock.
        """
        if (
            self._descriptor is None
            or self._url is None
            or _is_at(lock_path(self._url), self._descriptor)
        ):
            return None
        try:
            renewed = _lock_file(self._url)
        except StoreError as error:
            return str(error)
        os.close(self._descriptor)
        self._descriptor = renewed
        self.note(self._trouble)
        return None


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except OSError:
        return False


def collect(url: URL, engine: Engine) -> Lock:
    """Become the only daemon that writes through `engine`.

    Raises StoreError, now or at a later connection, when another daemon is there.
    """
    if url.get_backend_name() == "sqlite":
        lock = Lock(url)
        try:
            reclaim(url)
            make_private(url)
        except BaseException:
            lock.release()
            raise
        return lock
    _lock_sessions(url, engine)
    return Lock()


def must_be_takable(url: URL) -> None:
    """Raise StoreError when the lock file could not be used, locked or not. Leaves no file."""
    path = lock_path(url)
    try:
        if os.path.lexists(path):
            descriptor = open_lock(path, os.O_RDWR)
            try:
                _must_be_replaceable(path, descriptor)
            finally:
                os.close(descriptor)
        else:
            tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise _untakable(path, error) from None


def _untakable(path: Path, error: OSError) -> StoreError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return StoreConfigError(
            f"there is no directory {path.parent} for the database: make it, or name another one"
        )
    place = path if path.exists() else path.parent
    remedy = "let this user write it, or be its owner"
    return StoreError(f"{place} cannot be written ({error.strerror}){owner_text(place)}: {remedy}")


def _lock_file(url: URL) -> int:
    path = lock_path(url)
    try:
        descriptor = open_lock(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise _untakable(path, error) from None
    _keep_private(descriptor)
    if not _locked(descriptor):
        held = _held(url, descriptor)
        os.close(descriptor)
        raise held
    return _replaced(path, descriptor) if _is_foreign(descriptor) else descriptor


def _keep_private(descriptor: int) -> None:
    """Close a lock file to other users, who could lock it; older versions left it open."""
    if os.fstat(descriptor).st_mode & 0o077:
        # Fails on a file system that knows no modes, or where it belongs to another user.
        with suppress(OSError):
            os.fchmod(descriptor, OWNER_ONLY)


def _is_foreign(descriptor: int) -> bool:
    """Whether the lock file is another user's and open to others, who may lock it for ever."""
    found = os.fstat(descriptor)
    return found.st_uid != os.geteuid() and bool(found.st_mode & 0o077)


def _replaced(path: Path, descriptor: int) -> int:
    """A new lock file of our own, locked, in place of another user's file, which we hold too.

    So no other daemon can hold it. It is replaced rather than refused: some file systems know no
    owners and show every file as another user's.
    """
    try:
        _must_be_replaceable(path, descriptor)
        path.unlink()
        own = open_lock(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    except OSError as error:
        raise _untakable(path, error) from None
    finally:
        os.close(descriptor)
    if not _locked(own):
        os.close(own)
        raise StoreError(f"{path} was locked by another program just now: try again")
    return own


def _must_be_replaceable(path: Path, descriptor: int) -> None:
    """Raise StoreError for another user's lock file that only that user may remove."""
    folder = path.parent.stat()
    is_kept = folder.st_mode & stat.S_ISVTX and os.geteuid() not in {0, folder.st_uid}
    if is_kept and _is_foreign(descriptor):
        owner = user_name(os.fstat(descriptor).st_uid)
        raise StoreError(
            f"{path} belongs to {owner}, and others could keep it locked for ever: "
            f"let {owner} remove it, or name a database in a folder of your own",
        )


def _locked(descriptor: int) -> bool:
    """Lock it, with a second try: `status` holds the lock for a moment when it looks."""
    return _is_granted(descriptor, fcntl.LOCK_EX) or (
        not Event().wait(GLANCE) and _is_granted(descriptor, fcntl.LOCK_EX)
    )


def _is_granted(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _held(url: URL, descriptor: int) -> StoreError:
    """The error that names the holder. It suggests ending a process only if the kernel names it."""
    path, (pid, _) = lock_path(url), read_note(descriptor)
    owner = locking_process(os.fstat(descriptor))
    if _is_foreign(descriptor):  # its text may be false
        return StoreError(
            f"{path} belongs to {user_name(os.fstat(descriptor).st_uid)}, and is locked by"
            f" {owner.name if owner else 'a program that cannot be seen from here'}: if that is not"
            f" marginwatch, remove the file ({shlex.join(['rm', str(path)])}), then start again",
        )
    if owner is not None and owner.is_exclusive and owner.is_called(pid):
        return _taken(url, str(owner.pid), f", or kill {owner.pid}")
    if owner is not None:
        remedy = "end it, then start again"
        return StoreError(
            f"{path} is locked by {owner.name}, which does not say that it is a marginwatch:"
            f" {remedy}"
        )
    if _is_granted(descriptor, fcntl.LOCK_SH):  # a daemon shares it with nobody
        return StoreError(
            f"{path} is locked by a program that cannot be seen from here: end it, then start again"
        )
    return _taken(url, pid)


def _lock_sessions(url: URL, engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _take(connection: Any, _: object) -> None:
        if _granted(connection):
            return
        holder = connection.execute(HOLDER).fetchone()
        connection.close()
        name = NAME.fullmatch(holder[0] or "") if holder else None
        pid, host = name.groups() if name else ("", "")
        if host != socket.gethostname():
            raise _taken(url, f"{pid} on {host}" if host else "")
        raise _taken(url, pid, f", or kill {pid}" if is_marginwatch(pid) else "")


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


def _taken(url: URL, pid: str, kill: str = "") -> StoreError:
    who = f" (pid {pid})" if pid else ""
    return StoreError(
        f"another marginwatch{who} is collecting into {database_name(url)}: stop it first"
        f" (systemctl stop marginwatch{kill})",
    )
