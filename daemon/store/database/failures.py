"""Interprets failures of a database: writes are refused for now, or a sentence tells what to mend.

Secrets are left out: a database is named without its user and password.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from daemon.errors import StoreConfigError, StoreError, owner_text

REFUSING_SQLITE = {
    sqlite3.SQLITE_PERM: "no permission",
    sqlite3.SQLITE_BUSY: "locked by another program",
    sqlite3.SQLITE_LOCKED: "locked by another program",
    sqlite3.SQLITE_NOMEM: "no memory",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_IOERR: "the disk fails",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_PROTOCOL: "locked by another program",
    sqlite3.SQLITE_NOTADB: "the file is not a database",
}
"""Reasons why nothing can be written at present, by SQLite's primary result code."""

REFUSING_POSTGRESQL = {
    "08": "the connection is lost",
    "25006": "read-only",
    "28": "the server refuses the login",
    "3D": "there is no such database",
    "40": "another program is in the way",
    "42501": "no permission",
    "53100": "the disk is full",
    "53": "the server has no room",
    "55P03": "locked by another program",
    "57": "the server is stopping",
    "58": "the disk fails",
    "XX": "the database is damaged",
}
"""The same by SQLSTATE, or its class (the first two characters); the longer one counts."""

UNDECIDED_POSTGRESQL = ("08", "40003", "57", "58", "XX")
"""Failures of a commit that the server may have made all the same, by SQLSTATE or class."""


class Refused(Exception):  # noqa: N818 -- it is an answer of the store, not a mistake
    """The store takes no writes at present, for this reason. Tests raise it at the commit."""

    def __init__(self, reason: str, *, undecided: bool = False) -> None:
        super().__init__(reason)
        self.undecided = undecided
        """The commit was sent, and may be on disk all the same."""


class Unfit(ValueError):  # noqa: N818 -- as above
    """An operation builds on a row that the database does not hold, or holds otherwise."""


def refusal(error: BaseException) -> str | None:
    """The reason why the store refuses all writes; None if only this operation failed."""
    if isinstance(error, Refused | StoreError):
        return str(error)
    if not isinstance(error, DBAPIError):
        return None
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        return None if code is None else REFUSING_SQLITE.get(code & 0xFF)
    return _refused_by_server(error, getattr(cause, "sqlstate", None))


def undecided(error: BaseException) -> bool:
    """Whether a failed commit may be on disk: no answer came, or the disk failed below it."""
    if isinstance(error, Refused):
        return error.undecided
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        return (
            getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_IOERR) & 0xFF == sqlite3.SQLITE_IOERR
        )
    sqlstate = getattr(cause, "sqlstate", None)
    return sqlstate is None or sqlstate.startswith(UNDECIDED_POSTGRESQL)


def _refused_by_server(error: DBAPIError, sqlstate: str | None) -> str | None:
    if sqlstate is not None:
        return REFUSING_POSTGRESQL.get(sqlstate) or REFUSING_POSTGRESQL.get(sqlstate[:2])
    lost = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return "the server cannot be reached" if lost else None


def database_name(url: URL) -> str:
    """The database's name for people."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    where = url.host or url.query.get("host") or "the local socket"
    return f"{url.database} on {where}" + (f":{url.port}" if url.port else "")


@contextmanager
def store_errors(url: URL) -> Iterator[None]:
    """Turn a database failure met meanwhile into a StoreError: one sentence with the remedy."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _sentence(url, error) from error


def _sentence(url: URL, error: SQLAlchemyError) -> StoreError:
    cause = error.orig if isinstance(error, DBAPIError) else None
    code = getattr(cause, "sqlite_errorcode", None)
    if isinstance(code, int) and code & 0xFF in _REMEDIES:
        trouble, _, what_to_do = _REMEDIES[code & 0xFF].partition(": ")
        owner = owner_text(Path(str(url.database))) if code & 0xFF in _OF_RIGHTS else ""
        return StoreError(f"the database {database_name(url)} {trouble}{owner}: {what_to_do}")
    if is_undecodable(cause):
        return StoreError(
            f"the database {database_name(url)} holds text that is not UTF-8, which marginwatch"
            " never wrote: put a copy from before in its place",
        )
    if _misses_table(cause):
        return StoreError(
            f"the database {database_name(url)} has other tables than expected: run"
            " marginwatch db upgrade"
        )
    return _unusable(url, cause or error)


def _unusable(url: URL, error: BaseException) -> StoreError:
    """The sentence about a failure that has no remedy of its own."""
    if url.get_backend_name() != "postgresql":
        return StoreError(f"the database {database_name(url)} cannot be used: {error}")
    said = _server_says(error)
    refused = getattr(error, "sqlstate", None) is None and _LOGIN.search(said)
    kind = StoreConfigError if refused else StoreError
    return kind(f"the database {database_name(url)} cannot be used: {said}")


_LOGIN = re.compile(
    r"authentication failed|no password supplied|(?:role|database) .* does not exist"
    r"|not permitted to log in|pg_hba\.conf"
)
"""A login refused for good. Before a session exists the driver gives a text and no SQLSTATE."""


_OF_RIGHTS = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN})
"""Failures that name the owner of the file."""

_REMEDIES = {
    sqlite3.SQLITE_BUSY: "is locked by another program: end it, or try again",
    sqlite3.SQLITE_LOCKED: "is locked by another program: end it, or try again",
    sqlite3.SQLITE_READONLY: (
        "may not be written: give this user the right to write the file and its directory"
    ),
    sqlite3.SQLITE_PERM: (
        "may not be opened: give this user the right to read the file and its directory"
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened: see that its directory exists and that this user may read and write it"
    ),
    sqlite3.SQLITE_FULL: "has no room: free space on its disk, and where temporary files are",
    sqlite3.SQLITE_IOERR: "cannot be read, or written: its disk fails, or is full",
    sqlite3.SQLITE_CORRUPT: (
        "is damaged: put a copy from before in its place, or move it away to begin anew"
    ),
    sqlite3.SQLITE_NOTADB: "is no SQLite database: name another file, or move this one away",
    sqlite3.SQLITE_INTERRUPT: (
        "takes far longer to read than any of marginwatch: put a copy from before in its place"
    ),
    sqlite3.SQLITE_TOOBIG: (
        "holds a value that is too large to be of marginwatch: put a copy from before in its place"
    ),
}


def is_undecodable(cause: BaseException | None) -> bool:
    """Whether SQLite holds text that is not UTF-8."""
    return isinstance(cause, sqlite3.OperationalError) and str(cause).startswith(
        "Could not decode to UTF-8"
    )


def _misses_table(cause: BaseException | None) -> bool:
    """Whether the database lacks a table or a column."""
    if isinstance(cause, sqlite3.OperationalError):
        return str(cause).startswith("no such ")
    return getattr(cause, "sqlstate", None) in {"42P01", "42703"}


def _server_says(error: BaseException) -> str:
    """The last line of the server's answer: earlier lines repeat the addresses tried."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = next(
        (line for line in reversed(lines) if "FATAL:" in line or "failed:" in line),
        lines[0] if lines else "",
    )
    return said.rpartition("FATAL:")[2].strip() or "no answer"
