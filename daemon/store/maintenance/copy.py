"""Exact copies of a SQLite database while others write it, and whether a copy is sound."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import Connection

from daemon.errors import StoreError
from daemon.store.database.failures import REFUSING_SQLITE

PAGES = 1_000
"""Pages copied in one step, 4 MB: between two steps, Ctrl-C is answered."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called after each step with the pages done and all pages."""


def copy_pages(connection: Connection, target: Path, on_progress: Progress) -> None:
    """Copy the database of an open reading transaction into an empty file, as it is in that.

    The transaction must have read something: its state stands still then, so that a copy never
    begins anew where a daemon writes meanwhile. The copy needs no WAL.

    Raises:
        sqlite3.Error: when either of them fails.
    """
    source = connection.connection.driver_connection
    assert isinstance(source, sqlite3.Connection)  # noqa: S101 -- callers have looked

    def step(_: int, remaining: int, pages: int) -> None:
        on_progress(pages - remaining, pages)

    with closing(_opened(target, "mode=rw")) as copy:
        # Nobody reads the file before it is complete and on disk, so it needs no journal.
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        source.backup(copy, pages=PAGES, progress=step)
    with closing(_opened(target, "mode=rw")) as copy:
        # A file that says WAL could not be read in a folder that may not be written.
        copy.execute("PRAGMA journal_mode = DELETE")


def must_be_sound(copy: Path, name: Path | str) -> None:
    """Read every page; raise StoreError, about `name`, when one is damaged."""
    try:
        with closing(_opened(copy, "mode=ro&immutable=1")) as connection:
            found = [str(text) for (text,) in connection.execute("PRAGMA integrity_check(1)")]
    except sqlite3.Error as error:
        found = [trouble(error)]
    if found != ["ok"]:
        said = " ".join(found[0].split())[:120]
        raise StoreError(
            f"{name} is damaged ({said}), so no copy of it was kept: go back to an earlier backup"
        )


def trouble(error: sqlite3.Error) -> str:
    """The reason of a failure, in words for people."""
    code = getattr(error, "sqlite_errorcode", None)
    return REFUSING_SQLITE.get(code & 0xFF, str(error)) if code is not None else str(error)


def _opened(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None)
