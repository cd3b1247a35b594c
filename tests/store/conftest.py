"""Databases for the tests of the store: SQLite and PostgreSQL, each new and empty, and a store."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from daemon.store import Store
from daemon.store.operations import Operation, Written
from tests.store.records import epoch
from tests.store.turnstile import Turnstile

_schemas = iter(range(1_000_000))


@pytest.fixture
def postgresql(postgresql_url: str) -> str:
    """The URL of a schema of its own on the shared cluster: making a database is much slower."""
    cluster = make_url(postgresql_url)
    name = f"store_{next(_schemas)}"
    address = cluster.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    own = cluster.update_query_dict({"options": f"-csearch_path={name}"})
    return own.render_as_string(hide_password=False)


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'watch.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The same test on both databases."""
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """One that knows the account `main`."""
    opened = Store.open(url)
    opened.submit(epoch()).result(10)
    yield opened
    opened.close()


@pytest.fixture
def write(store: Store) -> Callable[..., None]:
    """Commits operations one by one, as their order is."""

    def commit(*operations: Operation) -> None:
        for operation in operations:
            assert store.submit(operation).result(10) is Written.COMMITTED

    return commit


@pytest.fixture
def turnstile() -> Turnstile:
    return Turnstile()
