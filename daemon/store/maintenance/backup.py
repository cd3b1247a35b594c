"""Backups of a SQLite database: a copy that is checked, then named, and older ones that go.

database ──► .NAME.partial ──► integrity_check ──► NAME ──► the oldest beyond `keep` are removed
"""

import os
import re
import shlex
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Connection, func, inspect, select

from daemon.errors import AbsentError, StoreError, UsageError
from daemon.store.database import engine as engines
from daemon.store.database.failures import database_name
from daemon.store.database.files import beside, real_path
from daemon.store.database.migrate import VERSIONS, must_fit
from daemon.store.database.reader import Reader
from daemon.store.maintenance.copy import Progress, copy_pages, must_be_sound, trouble
from daemon.store.maintenance.partial import PartialFile, partial_file, unwritable
from daemon.store.schema import accounts, snapshots
from daemon.types import Millis

DATED = re.compile(r"-[0-9]{8}T[0-9]{6}Z\.db")
"""The end of the names that backups in a directory get."""

OURS = frozenset({VERSIONS, "accounts", "snapshots", "alerts", "epochs"})
"""Tables that every version of marginwatch has."""

_HEADER = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class BackupMade:
    """A backup that is complete."""

    path: Path
    size: int
    """Bytes."""
    last_reading: Millis | None
    """The instant of the last reading in it; None without any."""
    removed: tuple[Path, ...] = ()
    """Older backups that were removed."""


def make_backup(
    url: str, place: Path, now: Millis, keep: int | None, on_progress: Progress
) -> BackupMade:
    """Copy the database to a file, or into a directory under a name with the time.

    `keep` is how many backups stay in the directory; None is all.

    Raises:
        UsageError: for PostgreSQL, whose own tool does it; for `keep` without a directory.
        StoreError: when it cannot be read, copied or kept; then there is no new file.
    """
    parsed = engines.parse(url)
    if parsed.get_backend_name() == "postgresql":
        raise UsageError(_server_sentence(parsed, "pg_dump --format=custom --file={file}", place))
    if keep is not None and not place.is_dir():
        raise UsageError(
            f"--keep needs a directory for several backups, and {place} is none: make it, or leave"
            " --keep out"
        )
    database = Path(real_path(parsed))
    target = place / dated_name(database, now) if place.is_dir() else Path(os.path.realpath(place))
    _must_be_replaceable(target, parsed)
    _must_have_room(target.parent, parsed)
    name = database.name if place.is_dir() else target.name
    with partial_file(target.parent, name) as partial:
        last = _copy(parsed, partial, target, on_progress)
        must_be_sound(partial.path, database)
        size = partial.path.stat().st_size
        try:
            partial.publish(target)
        except OSError as error:
            raise unwritable(target, error) from None
    removed = _remove_oldest(target, database, keep) if keep is not None else ()
    return BackupMade(target, size, last, removed)


def dated_name(database: Path, now: Millis) -> str:
    """The name of a backup made at `now`: those of one database sort by time."""
    return f"{database.stem}-{datetime.fromtimestamp(now // 1_000, UTC):%Y%m%dT%H%M%SZ}.db"


def surplus(names: list[str], made: str, stem: str, keep: int) -> list[str]:
    """The names of backups to be removed, oldest first, so that `keep` stay.

    The one just made stays, also where the clock was set back. Names that are not of backups of
    this database stay.
    """
    others = [
        name
        for name in names
        if name != made and name.startswith(stem) and DATED.fullmatch(name.removeprefix(stem))
    ]
    return sorted(others)[: max(0, len(others) - (keep - 1))]


def server_restore_sentence(url: URL, file: Path) -> str:
    """The sentence about restoring a database of PostgreSQL."""
    return _server_sentence(url, "pg_restore --clean --if-exists {file} --dbname", file)


def _server_sentence(url: URL, command: str, file: Path) -> str:
    # Without the password: libpq takes it from PGPASSWORD or ~/.pgpass.
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    address = shlex.quote(plain.render_as_string(hide_password=False))
    named = command.format(file=shlex.quote(str(file)))
    return f"the database is one of PostgreSQL, whose own tool does this: {named} {address}"


def _copy(url: URL, partial: PartialFile, target: Path, on_progress: Progress) -> Millis | None:
    """Fill the partial file; the instant of the last reading in it."""

    def copy(connection: Connection) -> Millis | None:
        if must_fit(connection, url) is None:
            raise AbsentError(f"the database {database_name(url)} is empty")
        last: Millis | None = connection.scalar(_LAST)
        partial.clear()
        try:
            copy_pages(connection, partial.path, on_progress)
        except sqlite3.Error as error:
            raise StoreError(
                f"the backup {target} was not made ({trouble(error)}): see that its disk has room,"
                " then try again; nothing of it is left"
            ) from None
        return last

    try:
        with closing(Reader(url)) as reader:
            return reader.read(copy)
    except OSError as error:
        raise unwritable(target.parent, error) from None


_LAST = select(
    func.max(
        select(func.max(snapshots.c.at))
        .where(snapshots.c.account_id == accounts.c.id)
        .scalar_subquery()
    )
)


def _must_be_replaceable(target: Path, url: URL) -> None:
    """Refuse to write over the database itself, or over anything that is no backup."""
    own = [beside(url, suffix) for suffix in ("", "-wal", "-shm", "-journal", ".lock")]
    if any(target == each or _is_same(target, each) for each in own):
        raise UsageError(f"{target} is the database itself: name another file for its backup")
    if not os.path.lexists(target):
        return
    if not target.is_file():
        raise UsageError(f"{target} is a pipe or a device, not a file: name another file")
    if target.stat().st_size and not is_backup(target):
        raise UsageError(
            f"{target} is there and is no backup of marginwatch: name another file, or remove it"
        )


def is_backup(file: Path) -> bool:
    """Whether a file is a database of marginwatch, of any version."""
    try:
        with file.open("rb") as opened:
            if opened.read(len(_HEADER)) != _HEADER:
                return False
    except OSError:
        return False
    try:
        with closing(Reader(URL.create("sqlite", database=str(file)))) as reader:
            return reader.read(
                lambda connection: set(inspect(connection).get_table_names()) >= OURS
            )
    except StoreError:
        return False


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _must_have_room(folder: Path, url: URL) -> None:
    """Raise StoreError when the disk certainly has no room for a copy."""
    try:
        free, needed = shutil.disk_usage(folder).free, beside(url, "").stat().st_size
    except OSError:
        return  # whoever opens them next says why
    if free < needed:
        raise StoreError(
            f"the disk of {folder} has no room for a backup ({needed >> 20} MB needed,"
            f" {free >> 20} MB free): free space, or name another disk"
        )


def _remove_oldest(made: Path, database: Path, keep: int) -> tuple[Path, ...]:
    folder = made.parent
    removed = []
    for name in surplus([each.name for each in folder.iterdir()], made.name, database.stem, keep):
        try:
            (folder / name).unlink()
        except OSError as error:
            raise StoreError(
                f"the backup {made} is made, but {folder / name} cannot be removed"
                f" ({error.strerror}): remove it"
            ) from None
        removed.append(folder / name)
    return tuple(removed)
