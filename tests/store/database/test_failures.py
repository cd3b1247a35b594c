"""The meaning of database failures."""

import sqlite3

import psycopg
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from daemon.errors import StoreError
from daemon.store.database.failures import (
    Refused,
    Unfit,
    database_name,
    refusal,
    store_errors,
    undecided,
)


def of_sqlite(code: int) -> DBAPIError:
    cause = sqlite3.OperationalError("it fails")
    cause.sqlite_errorcode = code
    return OperationalError("SELECT 1", {}, cause)


def of_server(sqlstate: str | None) -> DBAPIError:
    cause = psycopg.OperationalError("it fails")
    cause.sqlstate = sqlstate
    return OperationalError("SELECT 1", {}, cause)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (of_sqlite(sqlite3.SQLITE_BUSY), "locked by another program"),
        (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), "locked by another program"),
        (of_sqlite(sqlite3.SQLITE_FULL), "the disk is full"),
        (of_sqlite(sqlite3.SQLITE_IOERR_WRITE), "the disk fails"),
        (of_sqlite(sqlite3.SQLITE_READONLY_DBMOVED), "read-only"),
        (of_sqlite(sqlite3.SQLITE_CANTOPEN), "the file cannot be opened"),
        (of_sqlite(sqlite3.SQLITE_ERROR), None),
        (of_sqlite(sqlite3.SQLITE_CONSTRAINT), None),
        (of_server("53100"), "the disk is full"),
        (of_server("53300"), "the server has no room"),
        (of_server("25006"), "read-only"),
        (of_server("57P01"), "the server is stopping"),
        (of_server("08006"), "the connection is lost"),
        (of_server(None), "the server cannot be reached"),
        (of_server("23505"), None),
        (IntegrityError("INSERT", {}, sqlite3.IntegrityError("taken")), None),
        (Refused("no room"), "no room"),
        (StoreError("another marginwatch is collecting"), "another marginwatch is collecting"),
        (Unfit("other"), None),
        (OSError("other"), None),
    ],
)
def test_refusals(error: BaseException, reason: str | None) -> None:
    """A store that refuses all writes is told from an operation that fails by itself."""
    assert refusal(error) == reason


@pytest.mark.parametrize(
    ("error", "may_be_on_disk"),
    [
        (of_sqlite(sqlite3.SQLITE_FULL), False),
        (of_sqlite(sqlite3.SQLITE_BUSY), False),
        (of_sqlite(sqlite3.SQLITE_IOERR_FSYNC), True),
        (of_server("53100"), False),
        (of_server("40001"), False),
        (of_server("40003"), True),
        (of_server("08006"), True),
        (of_server("57P01"), True),
        (of_server(None), True),
        (Refused("no room"), False),
        (Refused("the connection is lost", undecided=True), True),
        (OSError("other"), True),
    ],
)
def test_strict_2_commits_that_fail_and_may_be_on_disk(
    error: BaseException, may_be_on_disk: bool
) -> None:
    """Strict 2: a commit undone by the database is lost; after a failed disk or line, unknown."""
    assert undecided(error) is may_be_on_disk


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////var/lib/watch.db", "/var/lib/watch.db"),
        ("postgresql+psycopg://me:secret@db:5433/watch", "watch on db:5433"),
        ("postgresql+psycopg:///watch?host=/run/postgresql", "watch on /run/postgresql"),
    ],
)
def test_names_have_no_secrets(url: str, expected: str) -> None:
    """Promise 9: user and password stay out of every sentence."""
    assert database_name(make_url(url)) == expected


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (of_sqlite(sqlite3.SQLITE_FULL), "has no room: free space on its disk"),
        (of_sqlite(sqlite3.SQLITE_BUSY), "is locked by another program: end it, or try again"),
        (
            OperationalError("", {}, sqlite3.OperationalError("no such table: gaps")),
            "run marginwatch db upgrade",
        ),
        (OperationalError("", {}, sqlite3.OperationalError("strange")), "cannot be used: strange"),
    ],
)
def test_sentences(error: DBAPIError, sentence: str) -> None:
    """Each sentence says what happened and what to do."""
    with (
        pytest.raises(StoreError, match=sentence),
        store_errors(make_url("sqlite:////var/lib/watch.db")),
    ):
        raise error
