"""Reasons why a daemon could not start collecting: for `check`, and for `run` before all else.

It leaves nothing behind: no file is created, no lock is taken, nothing is migrated.
"""

from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Connection, text

from daemon.errors import StoreConfigError, StoreError
from daemon.store.database import engine as engines
from daemon.store.database import lock, migrate
from daemon.store.database.failures import database_name
from daemon.store.database.files import beside, must_be_files, must_be_usable, open_to_others
from daemon.store.database.reader import Reader

OLDEST = 10
"""The oldest version of PostgreSQL that the driver supports."""

READ_ONLY = text(
    "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean"
)

RIGHTS = text(
    "SELECT current_schema(), current_user, has_schema_privilege(current_schema(), 'CREATE')"
)


def preflight(url: str) -> None:
    """Check that a daemon could start collecting into the database now.

    Raises:
        StoreConfigError: when it never could, as the database is named.
        StoreError: when it could not at present, or not as this user.
    """
    parsed = engines.parse(url)
    if parsed.get_backend_name() == "sqlite":
        _look_at_file(parsed)
    else:
        _look_inside(parsed)


def open_database_files(url: str) -> list[Path]:
    """The database's files that every user of this machine may read; a start makes them private."""
    return open_to_others(engines.parse(url))


def _look_at_file(url: URL) -> None:
    lock.must_be_takable(url)
    must_be_files(url)
    if beside(url, "").exists():
        must_be_usable(url)
        _look_inside(url)


def _look_inside(url: URL) -> None:
    def look(connection: Connection) -> None:
        if url.get_backend_name() == "postgresql":
            _must_take_writes(connection, url)
        current = migrate.must_fit(connection, url)
        if url.get_backend_name() == "postgresql" and current != migrate.HEAD:
            _must_take_tables(connection, url)

    with closing(Reader(url)) as reader:
        reader.read(look)


def _must_take_writes(connection: Connection, url: URL) -> None:
    old = too_old(connection.dialect.server_version_info or (0,))
    if old:
        raise StoreConfigError(f"the database {database_name(url)} {old}")
    if connection.scalar(READ_ONLY):
        remedy = "name the server that takes writes"
        raise StoreError(
            f"the database {database_name(url)} is read-only, or a copy of another server: {remedy}"
        )


def too_old(version: tuple[int | str, ...]) -> str:
    """The reason why a server of this version cannot be used; "" when it can."""
    if int(version[0]) >= OLDEST:
        return ""
    return (
        f"is PostgreSQL {'.'.join(map(str, version))}, which is too old: use version {OLDEST} or"
        " newer"
    )


def _must_take_tables(connection: Connection, url: URL) -> None:
    schema, user, may = connection.execute(RIGHTS).one()
    if not may:
        grant = f'GRANT CREATE ON SCHEMA {schema or "public"} TO "{user}"'
        raise StoreError(
            f"the database {database_name(url)} lets this user make no tables: let its owner"
            f" say {grant}"
        )
