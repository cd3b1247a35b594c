"""The schema is made, checked, or refused."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from daemon import bundled
from daemon.errors import AbsentError, StoreError
from daemon.store import History, Store, upgrade
from daemon.store.database.engine import parse, writing
from daemon.store.database.migrate import HEAD, known, revision
from tests import databases


@pytest.fixture(autouse=True)
def _by_alembic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alembic makes each database here, as in production."""
    monkeypatch.setattr(sys.modules["daemon.store.database.migrate"], "_run", databases.run_alembic)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine: Engine = writing(parse(url))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def make_revision_0003(connection: Connection) -> None:
    """The newest revision that was released, by its own migrations."""
    config = Config()
    config.set_main_option("script_location", str(bundled.path("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "0003")


def test_a_new_database_is_made(url: str) -> None:
    """An empty database becomes one of this version, and a second time changes nothing."""
    upgrade(url)
    upgrade(url)
    with connected(url) as connection:
        assert revision(connection) == HEAD


def test_an_older_database_keeps_its_readings_and_gets_their_rollups(url: str) -> None:
    """One of revision 0003, made by its own migrations: everything of it is rolled up."""
    with connected(url) as connection:
        make_revision_0003(connection)
        connection.execute(
            text("INSERT INTO accounts (id, name, exchange) VALUES (1, 'main', 'coinw')")
        )
        connection.execute(
            text(
                "INSERT INTO snapshots (account_id, seq, at, source, quality, available_margin)"
                " VALUES (1, 1, 7200000, 'rest', 'ok', 5), (1, 2, 7205000, 'rest', 'ok', 7)"
            )
        )
    store = Store.open(url)
    found = store.unseen_inputs("main")
    assert found is not None
    assert found.hours == {7_200_000}
    [hour] = store.roll_hours("main", found.hours)
    store.close()
    assert int(hour.fields["available_margin"].sum) == 12


@pytest.mark.parametrize(
    ("name", "column"), [("balances", "available_margin"), ("rollups", "mean")]
)
def test_an_upgrade_leaves_views_that_use_ours(url: str, name: str, column: str) -> None:
    """A view of the user reads the same after the upgrade, and ours have all columns."""
    with connected(url) as connection:
        make_revision_0003(connection)
        before = list(inspect(connection).get_columns(name))
        connection.execute(text(f"CREATE VIEW mine AS SELECT {column} FROM {name}"))
    upgrade(url)
    with connected(url) as connection:
        assert connection.execute(text("SELECT * FROM mine")).all() == []
        after = [each["name"] for each in inspect(connection).get_columns(name)]
    assert after[: len(before)] == [each["name"] for each in before]
    assert len(after) > len(before)


@pytest.mark.parametrize("name", ["balances", "rollups"])
def test_an_upgrade_keeps_grants(postgresql: str, name: str) -> None:
    """A user who may read the view or the table may read it after the upgrade."""
    granted = text("SELECT relacl::text FROM pg_class WHERE oid = to_regclass(:name)")
    with connected(postgresql) as connection:
        make_revision_0003(connection)
        connection.execute(text(f"GRANT SELECT ON {name} TO PUBLIC"))
        before = connection.scalar(granted, {"name": name})
    upgrade(postgresql)
    with connected(postgresql) as connection:
        assert "=r/" in before
        assert connection.scalar(granted, {"name": name}) == before


def test_a_current_database_needs_no_alembic(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alembic is imported only where there is something to do."""
    upgrade(sqlite)
    for name in [name for name in sys.modules if name.partition(".")[0] == "alembic"]:
        monkeypatch.delitem(sys.modules, name)
    upgrade(sqlite)
    assert "alembic" not in sys.modules


@pytest.mark.parametrize("use", [upgrade, Store.open, History.open])
def test_a_newer_database_is_refused(url: str, use: Callable[[str], object]) -> None:
    """A database of a newer version is left alone, and the sentence says what to do."""
    upgrade(url)
    with connected(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(
        StoreError,
        match=rf"newer marginwatch \(revision 9999, known up to {HEAD}\): install that version",
    ):
        use(url)


def test_an_older_database_is_not_read(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers do not migrate: they name the command that does."""
    upgrade(url)
    monkeypatch.setattr(sys.modules["daemon.store.database.migrate"], "HEAD", "9999")
    with pytest.raises(StoreError, match="older marginwatch: run marginwatch db upgrade"):
        History.open(url)


def test_a_database_of_another_program_is_refused(url: str) -> None:
    """Tables of somebody else are never mixed with ours."""
    with connected(url) as connection:
        connection.execute(text("CREATE TABLE accounts (id INTEGER)"))
    with pytest.raises(
        StoreError, match=r"tables of another program \(accounts\): give marginwatch a database"
    ):
        upgrade(url)


def test_a_database_without_marginwatch_is_no_history(url: str) -> None:
    """B7: an empty database is not created yet; another program's is refused."""
    with connected(url):
        pass
    with pytest.raises(AbsentError, match=r"^the database .* is empty: start marginwatch run"):
        History.open(url)
    with connected(url) as connection:
        connection.execute(text("CREATE TABLE other (id INTEGER)"))
    with pytest.raises(
        StoreError, match=r"tables of another program \(other\): give marginwatch a database"
    ):
        History.open(url)


def test_strict_9_the_head_is_alembics() -> None:
    """Strict 9: alembic upgrades to the newest file by name; names give the order of revisions."""
    migrations = ScriptDirectory(str(bundled.path("migrations")))
    revisions = [each.revision for each in migrations.walk_revisions()]
    assert migrations.get_heads() == [HEAD]
    assert revisions == sorted(known(), reverse=True)
