"""The way back: a backup in place of the database, while no daemon collects.

    lock ──► copy the backup beside the database ──► check ──► keep the former file ──► rename

The database's name always has a whole database: the former one until the rename, then the other.
"""

import os
import sqlite3
import stat
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Connection

from daemon.errors import StoreError, UsageError, user_name
from daemon.store.database import engine as engines
from daemon.store.database.files import OTHERS, beside, make_private, must_be_files, real_path
from daemon.store.database.lock import Lock
from daemon.store.database.migrate import HEAD, must_fit
from daemon.store.database.reader import Reader
from daemon.store.maintenance.backup import is_backup, server_restore_sentence
from daemon.store.maintenance.copy import Progress, copy_pages, must_be_sound, trouble
from daemon.store.maintenance.partial import (
    OWNER_ONLY,
    SQLITE_SUFFIXES,
    partial_file,
    sync_folder,
    unwritable,
)
from daemon.types import Millis


@dataclass(frozen=True, slots=True)
class Restored:
    """A database that was put back."""

    path: Path
    is_older: bool
    """Whether its tables are of an older version."""
    former: Path | None
    """The database that was there before, under its new name."""


def restore_backup(
    url: str, backup: Path, now: Millis, on_progress: Progress, *, force: bool
) -> Restored:
    """Put a backup in place of the database; `force` allows that there is one already.

    Raises:
        UsageError: for PostgreSQL, whose own tool does it; for a file that is no backup.
        StoreError: while a daemon collects, or when it cannot be read or written.
    """
    parsed = engines.parse(url)
    if parsed.get_backend_name() == "postgresql":
        raise UsageError(server_restore_sentence(parsed, backup))
    _must_be_backup(backup, parsed)
    _must_be_its_owner(parsed)
    lock = Lock(parsed)
    try:
        return _replace(parsed, backup, now, on_progress, force=force)
    finally:
        lock.release()


def _replace(
    url: URL, backup: Path, now: Millis, on_progress: Progress, *, force: bool
) -> Restored:
    database = Path(real_path(url))
    must_be_files(url)
    if database.exists() and not force:
        raise StoreError(
            f"there is a database at {database}: with --force it is replaced, and kept beside under"
            " another name"
        )
    with partial_file(database.parent, database.name) as partial:

        def copy(connection: Connection) -> str | None:
            found = must_fit(connection, source)
            partial.clear()
            try:
                copy_pages(connection, partial.path, on_progress)
            except sqlite3.Error as error:
                raise StoreError(
                    f"{backup} was not restored ({trouble(error)}): see that it can be read, and"
                    f" that the disk of {database} has room; the database is as it was"
                ) from None
            return found

        source = URL.create("sqlite", database=str(backup))
        try:
            with closing(Reader(source)) as reader:
                found = reader.read(copy)
            must_be_sound(partial.path, backup)
            mode = stat.S_IMODE(database.stat().st_mode) if database.exists() else OWNER_ONLY
            former = _set_aside(database, now) if database.exists() else None
            partial.publish(database, mode & ~OTHERS)
        except OSError as error:
            raise unwritable(database, error) from None
    return Restored(database, found != HEAD, former)


def _set_aside(database: Path, now: Millis) -> Path:
    """Give the former database a second name, with all that its WAL holds."""
    stamp = f"{datetime.fromtimestamp(now // 1_000, UTC):%Y%m%dT%H%M%SZ}"
    kept = database.with_name(f"{database.name}.replaced-{stamp}")
    logs = [suffix for suffix in SQLITE_SUFFIXES if Path(f"{database}{suffix}").exists()]
    for suffix in logs:
        # SQLite removes a WAL that it cannot read, and it may be all that somebody has left.
        Path(f"{kept}{suffix}").unlink(missing_ok=True)
        os.link(f"{database}{suffix}", f"{kept}{suffix}")
    is_whole = _empty_log(database)
    for suffix in logs:
        # A WAL of the former database would be applied to the new one, and ruin it.
        Path(f"{database}{suffix}").unlink(missing_ok=True)
        if is_whole:
            Path(f"{kept}{suffix}").unlink()
    make_private(URL.create("sqlite", database=str(database)))
    kept.unlink(missing_ok=True)
    os.link(database, kept)
    sync_folder(database.parent)
    return kept


def _empty_log(database: Path) -> bool:
    """Move the WAL or journal into the file; False where it is too damaged for that.

    Raises StoreError when another program has it open.
    """
    try:
        with closing(sqlite3.connect(database, timeout=1, isolation_level=None)) as connection:
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        busy = code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
        if not busy:
            return False
    if busy:
        raise StoreError(f"{database} is in use by another program: end it, then try again")
    return True


def _must_be_backup(backup: Path, url: URL) -> None:
    if not backup.exists():
        raise UsageError(
            f"there is no file {backup}: name a backup that marginwatch db backup made"
        )
    database = beside(url, "")
    if database.exists() and backup.samefile(database):
        raise UsageError(f"{backup} is the database itself: name a backup of it")
    if not backup.is_file():
        raise UsageError(f"{backup} is not a file: name a backup that marginwatch db backup made")
    if not os.access(backup, os.R_OK):
        raise StoreError(f"{backup} may not be read: let this user read it")
    if not is_backup(backup):
        raise UsageError(
            f"{backup} is no backup of marginwatch: name a file that marginwatch db backup made"
        )


def _must_be_its_owner(url: URL) -> None:
    """Refuse root where the daemon is another user, who could not open what root has made."""
    database = Path(real_path(url))
    place = database if database.exists() else database.parent
    if os.geteuid() == 0 and place.exists() and (owner := place.stat().st_uid) != 0:
        name = user_name(owner)
        raise StoreError(
            f"{place} belongs to {name}, who could not open a file that root has made: call"
            f" this as that user, with sudo -u {name} marginwatch db restore"
        )
