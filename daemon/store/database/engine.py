"""Connections: opens a database for writing, or for reading beside the writer.

SQLAlchemy begins the transactions itself (`isolation_level = None` silences the driver). The writer
uses BEGIN IMMEDIATE, so that it never gets stuck halfway. Readers use a plain BEGIN, so that all
they read is of one state. Nothing here knows a table.
"""

import importlib.util
import os
import socket
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from daemon.errors import AbsentError, StoreConfigError, StoreError
from daemon.store.columns import dump
from daemon.store.database.corruption import decode_json
from daemon.types import Millis

PATIENCE: Millis = 2_000
"""Longest wait of a writer for another one; then the database counts as locked."""

MOST_STEPS = 2_000_000_000
"""Most steps of SQLite in one reading transaction: a minute of work, far above normal.

Steps are counted instead of time: a slow disk is no endless database.
"""

STRIDE = 1_000_000
"""Steps between two checks of their number."""

MOST_BYTES = 8 << 20
"""Largest value that is read, in bytes; marginwatch never wrote 4 MiB or more."""

READING_TIMEOUT: Millis = 60_000
"""Longest time for one reading statement of PostgreSQL."""

SERVER: dict[str, int] = {
    "connect_timeout": 5,
    # A network that swallows packets must not hold the writer for ever.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""Options by which a connection to PostgreSQL notices that the other side is gone."""

SUPPORTED = "write sqlite:///path/to/file.db or postgresql+psycopg://user@host/database"


def parse(url: str) -> URL:
    """The database that a configuration names; raises StoreConfigError when it is unusable."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreConfigError(f"the database is not a URL: {SUPPORTED}") from None
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "postgresql+psycopg":
        if importlib.util.find_spec("psycopg") is None:
            raise StoreConfigError('PostgreSQL needs a driver: install "marginwatch[postgresql]"')
        return parsed
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise StoreConfigError(f"the database {parsed.drivername} is not supported: {SUPPORTED}")
    if parsed.database in {None, "", ":memory:"}:
        raise StoreConfigError(f"a database in memory forgets everything: {SUPPORTED}")
    return parsed


def process_name() -> str:
    """The name by which a session shows its process; PostgreSQL cuts it at 63 characters."""
    return f"marginwatch {os.getpid()} on {socket.gethostname()}"[:63]


def writing(url: URL, patience: Millis = PATIENCE) -> Engine:
    """An engine of one connection, for one writer. A commit returns when it is on disk."""
    if url.get_backend_name() == "sqlite":
        engine = _sqlite(url, f"file:{_quoted(url)}?mode=rwc", "BEGIN IMMEDIATE")
        _at_connect(engine, f"PRAGMA busy_timeout = {patience}", "PRAGMA foreign_keys = ON")
        _at_connect(engine, "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL")
        return engine
    # One connection: a second session would not get the lock that the first one holds.
    engine = _server(url, max_overflow=0, name=process_name())
    _at_connect(engine, f"SET lock_timeout = {patience}", "SET statement_timeout = 30000")
    # The server must notice when this machine is gone, or it would keep the lock.
    _at_connect(engine, "SET tcp_keepalives_idle = 30", "SET tcp_keepalives_interval = 10")
    _at_connect(engine, "SET tcp_keepalives_count = 3")
    return engine


def reading(url: URL) -> Engine:
    """An engine that cannot write; raises StoreError when the database cannot be read."""
    if url.get_backend_name() != "sqlite":
        engine = _server(url, isolation_level="REPEATABLE READ").execution_options(
            postgresql_readonly=True
        )
        _at_connect(engine, f"SET statement_timeout = {READING_TIMEOUT}")
        return engine
    path = Path(str(url.database))
    try:
        exists, is_file, is_folder = path.exists(), path.is_file(), path.is_dir()
    except PermissionError:
        raise StoreError(
            f"the database {path} may not be read: give this user the right to enter its directory"
        ) from None
    if is_folder:
        raise StoreError(f"the database {path} is a directory: name a file in it")
    if not exists:
        raise AbsentError(f"there is no database at {path}")
    if not is_file:
        raise StoreError(
            f"the database {path} is a pipe or a device, not a file: name another file"
        )
    return _sqlite_reading(url, "mode=ro")


def reading_alone(url: URL) -> Engine:
    """An engine that reads the file without WAL and locks: correct only while nobody writes."""
    return _sqlite_reading(url, "mode=ro&immutable=1")


def _sqlite_reading(url: URL, how: str) -> Engine:
    engine = _sqlite(url, f"file:{_quoted(url)}?{how}", "BEGIN")
    _at_connect(engine, f"PRAGMA busy_timeout = {PATIENCE}")
    bound(engine, MOST_STEPS)
    return engine


def bound(engine: Engine, most_steps: int) -> None:
    """Limit the steps of each transaction and the size of values it reads.

    A file may be crafted so that reading it never ends.
    """

    @event.listens_for(engine, "connect")
    def _limit(connection: sqlite3.Connection, _: object) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)

    @event.listens_for(engine, "begin")
    def _count(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 -- it is an engine of SQLite
        looks = iter(range(most_steps // STRIDE))
        driver.set_progress_handler(lambda: next(looks, None) is None, STRIDE)


def _sqlite(url: URL, file: str, begin: str) -> Engine:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(file, uri=True, check_same_thread=False, timeout=PATIENCE / 1_000)

    # The path goes to the driver as a URI of our own, which SQLAlchemy would not take apart
    # rightly.
    engine = create_engine(
        url,
        creator=connect,
        poolclass=QueuePool,
        json_serializer=dump,
        json_deserializer=decode_json,
    )

    @event.listens_for(engine, "connect")
    def _manual(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        # Anybody may have written the schema: it gets no functions with side effects.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _quoted(url: URL) -> str:
    path = str(Path(str(url.database)).absolute())
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _server(url: URL, name: str = "marginwatch", **options: Any) -> Engine:
    return create_engine(
        url,
        pool_size=1,
        connect_args={**SERVER, "application_name": name},
        json_serializer=dump,
        json_deserializer=decode_json,
        **options,
    )


def _at_connect(engine: Engine, *statements: str) -> None:
    @event.listens_for(engine, "connect")
    def _run(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        if engine.dialect.name == "postgresql":
            connection.commit()  # SET is undone by a rollback
