"""The schema of a database: created, brought up to date, or refused.

Importing Alembic costs 95 ms, so it is imported only for real work. Migrations run forward on real
data, in one transaction. A database of a newer version is left alone.
"""

from collections.abc import Sequence

from sqlalchemy import URL, Connection, Row, inspect, text

from daemon import bundled
from daemon.errors import AbsentError, StoreError
from daemon.store.database.engine import parse, writing
from daemon.store.database.failures import database_name, store_errors
from daemon.store.database.lock import collect
from daemon.store.schema import metadata

VERSIONS = "alembic_version"

OURS = frozenset({VERSIONS, *metadata.tables})
"""Tables and views that are read and written by name."""


def known() -> frozenset[str]:
    """Revisions that this version can start from: the leading numbers of the migration files."""
    files = bundled.path("migrations").glob("versions/[0-9]*_*.py")
    return frozenset(file.stem.partition("_")[0] for file in files)


HEAD = max(known(), default="")
"""The revision that this version reads and writes: that of the newest file."""


def upgrade(url: str) -> None:
    """Bring a database up to date, or create it.

    Raises StoreError when that is impossible, or while a daemon collects.
    """
    parsed = parse(url)
    engine = writing(parsed)
    lock = collect(parsed, engine)
    try:
        with store_errors(parsed), engine.begin() as connection:
            bring_up(connection, parsed)
    finally:
        engine.dispose()
        lock.release()


def bring_up(connection: Connection, url: URL) -> bool:
    """Migrate within the caller's transaction, under the lock; True if the database was empty."""
    current = must_fit(connection, url)
    if current != HEAD:
        _run(connection)
    return current is None


def must_fit(connection: Connection, url: URL) -> str | None:
    """The revision of a database that a daemon can use or upgrade; None when it is empty.

    Raises:
        StoreError: when it is another program's, or of a newer version.
    """
    must_hold_no_triggers(connection, url)
    current = revision(connection)
    if current is None:
        _must_be_empty(connection, url)
    elif current not in known():
        raise _newer(url, current)
    return current


def check(connection: Connection, url: URL) -> None:
    """Raise StoreError unless this version reads the schema, AbsentError for an empty database."""
    current = revision(connection)
    if current is None:
        _must_be_empty(connection, url)
        raise AbsentError(f"the database {database_name(url)} is empty")
    if current not in known():
        raise _newer(url, current)
    if current != HEAD:
        raise StoreError(
            f"the database {database_name(url)} is of an older marginwatch: run marginwatch"
            " db upgrade"
        )


def _must_hold_tables(connection: Connection) -> None:
    """Raise StoreError when a view or virtual table of SQLite stands in place of our table.

    Reading one runs any code its author wrote, and may never end.
    """
    for kind, name, root in _objects(connection):
        if name.lower() in OURS and kind in {"table", "view"} and (kind == "view" or not root):
            raise StoreError(
                f"in the database {database_name(connection.engine.url)} {name} is not a table of"
                " marginwatch: put a copy of the database from before in its place",
            )


def must_hold_no_triggers(connection: Connection, url: URL) -> None:
    """Raise StoreError for a trigger: it would run with each write."""
    for kind, name, _ in _objects(connection):
        if kind == "trigger":
            raise StoreError(
                f"the database {database_name(url)} holds the trigger {name!r}, which would run at"
                " each write: marginwatch makes none; look at it, and remove it with DROP TRIGGER",
            )


def _objects(connection: Connection) -> Sequence[Row[str, str, int]]:
    """Objects of an SQLite file: kind, name, and root page, which only real tables have."""
    if connection.dialect.name != "sqlite":
        return ()
    return connection.execute(
        text("SELECT type, substr(name, 1, 80), rootpage FROM sqlite_master")
    ).all()


def revision(connection: Connection) -> str | None:
    """The revision of the schema; None before the first migration."""
    _must_hold_tables(connection)
    if not inspect(connection).has_table(VERSIONS):
        return None
    query = text(f"SELECT version_num FROM {VERSIONS}")  # noqa: S608 -- a name of ours
    found: str | None = connection.scalar(query)
    return found


def _must_be_empty(connection: Connection, url: URL) -> None:
    others = inspect(connection).get_table_names()
    if others:
        raise StoreError(
            f"{database_name(url)} holds tables of another program"
            f" ({', '.join(sorted(others)[:3])}): "
            "give marginwatch a database of its own",
        )


def _newer(url: URL, current: str) -> StoreError:
    return StoreError(
        f"the database {database_name(url)} is of a newer marginwatch (revision"
        f" {str(current)[:40]}, known"
        f" up to {HEAD}): install that version, or name another database",
    )


def _run(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 -- see above
    from alembic.config import Config  # noqa: PLC0415

    if connection.dialect.name == "postgresql":
        # Years of readings may take a while.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    config = Config()
    # The option goes through a parser to which "%" means something.
    config.set_main_option("script_location", str(bundled.path("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
