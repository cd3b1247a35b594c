"""Reading beside whoever writes: never old, never torn, and without a trace."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from daemon.errors import StoreError
from daemon.store.database.engine import parse
from daemon.store.database.reader import ATTEMPTS, Reader


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "watch.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE numbers (n)")
        connection.execute("INSERT INTO numbers VALUES (0)")
        connection.commit()
    return path


@pytest.fixture
def reader(database: Path) -> Iterator[Reader]:
    with closing(Reader(parse(f"sqlite:///{database}"))) as found:
        yield found


def add(database: Path) -> None:
    """Add a number and close: the file holds it, and there is no WAL."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO numbers SELECT max(n) + 1 FROM numbers")
        connection.commit()


def highest(connection: Connection) -> int:
    return int(connection.execute(text("SELECT max(n) FROM numbers")).scalar_one())


def test_what_is_at_rest_is_read_without_a_trace(reader: Reader, database: Path) -> None:
    """A1: reading makes no file, again and again, and sees what was written in between."""
    for n in range(3):
        assert reader.read(highest) == n
        assert [file.name for file in database.parent.iterdir()] == ["watch.db"]
        add(database)


def test_what_changes_while_it_is_read_is_read_again(reader: Reader, database: Path) -> None:
    """A1: an answer from a file that changed meanwhile is dropped, however often that happens."""
    calls = 0

    def disturbed(connection: Connection) -> int:
        nonlocal calls
        calls += 1
        found = highest(connection)
        if calls <= ATTEMPTS:
            add(database)
        return found

    assert reader.read(disturbed) == ATTEMPTS
    assert calls == ATTEMPTS + 1


def test_what_breaks_because_it_changes_is_read_again(reader: Reader, database: Path) -> None:
    """A1: a torn page is no damage where somebody writes; at rest it is."""
    calls = 0

    def torn(connection: Connection) -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            add(database)
            raise StoreError("is damaged")
        return highest(connection)

    assert reader.read(torn) == 1

    def damaged(_: Connection) -> int:
        raise StoreError("is damaged")

    with pytest.raises(StoreError, match="is damaged"):
        reader.read(damaged)


def test_what_is_in_the_wal_is_read(reader: Reader, database: Path) -> None:
    """A1: a WAL with data is never skipped, also while it is being written."""
    with closing(sqlite3.connect(database)) as writer:
        for n in range(1, 4):
            writer.execute("INSERT INTO numbers VALUES (?)", (n,))
            writer.commit()
            assert Path(f"{database}-wal").stat().st_size > 0
            assert reader.read(highest) == n
    assert reader.read(highest) == 3
