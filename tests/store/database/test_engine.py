"""Opening of databases, and the sentences of failures."""

import os
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from daemon.errors import StoreError
from daemon.store import History, Store, upgrade
from daemon.store.database.engine import bound, parse, reading, writing
from daemon.store.database.failures import store_errors
from daemon.store.database.migrate import HEAD
from tests.other_users import BECOME, program
from tests.store.records import ACCOUNT, epoch, read
from tests.values import T0

NOBODY = 65534
"""The number of the user without rights, and of its group."""

READ_AS_NOBODY = f"""
{BECOME}
from daemon.errors import StoreError
from daemon.store import History
[url] = json.loads(sys.argv[1])
become({NOBODY}, {NOBODY}, 0o022)
try:
    with History.open(url) as history:
        print([reading.seq for _, reading in history.readings(["main"], 0, 10**14)])
except StoreError as error:
    print(error)
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    """One below a directory that everybody may enter, unlike pytest's own."""
    made = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    made.chmod(0o755)
    yield made
    made.chmod(0o755)
    subprocess.run(["rm", "-r", made], check=True)


def as_nobody(url: str) -> str:
    """The output for a user without rights (C1: even where it may not enter the checkout)."""
    command = program(READ_AS_NOBODY, url)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def filled(path: Path) -> str:
    url = f"sqlite:///{path}"
    store = Store.open(url)
    store.submit(epoch())
    store.submit(read(2)).result(10)
    store.close()
    return url


def test_a_stopped_database_is_readable_to_its_group(directory: Path) -> None:
    """An idle WAL database is read in a directory that the reader may not write."""
    url = filled(directory / "watch.db")
    give_to_group_of_nobody(directory / "watch.db")
    directory.chmod(0o555)
    assert as_nobody(url) == "[2]"


def give_to_group_of_nobody(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, -1, NOBODY)


def test_a_running_database_is_readable_to_its_group(directory: Path) -> None:
    """While the daemon runs, readers share its WAL."""
    url = filled(directory / "watch.db")
    give_to_group_of_nobody(directory / "watch.db")
    store = Store.open(url)
    store.submit(read(3)).result(10)
    assert as_nobody(url) == "[2, 3]"
    store.close()


def test_an_unrecovered_database_is_not_read_halfway(directory: Path) -> None:
    """After a crash the WAL holds readings that the file lacks: better none than old ones."""
    url = filled(directory / "watch.db")
    path = directory / "watch.db"
    (directory / "watch.db-wal").write_bytes(b"not empty" * 100)
    path.chmod(0o644)
    directory.chmod(0o555)
    assert "cannot be opened" in as_nobody(url)


def test_a_directory_that_may_not_be_entered_is_named(directory: Path) -> None:
    """The sentence says what to do."""
    url = filled(directory / "watch.db")
    directory.chmod(0o700)
    if os.geteuid() == 0:
        assert as_nobody(url).endswith("give this user the right to enter its directory")


def test_a_missing_file_is_no_empty_history(tmp_path: Path) -> None:
    """Reading makes no file."""
    with pytest.raises(StoreError, match="there is no database at"):
        History.open(f"sqlite:///{tmp_path / 'watch.db'}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("use", [upgrade, Store.open, History.open])
@pytest.mark.parametrize(
    "content", [b"this is no database" * 100, b"SQLite format 3\0" + b"x" * 5_000]
)
def test_a_corrupt_file_is_named(
    tmp_path: Path, use: Callable[[str], object], content: bytes
) -> None:
    """One sentence with the remedy, and the file is left as it is."""
    path = tmp_path / "watch.db"
    path.write_bytes(content)
    with pytest.raises(
        StoreError,
        match=r"(is no SQLite database: name another file|is damaged: put a copy from before)",
    ):
        use(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_damaged_page_is_named(tmp_path: Path) -> None:
    """A database that breaks while it is read is a StoreError too, never a traceback."""
    url = filled(tmp_path / "watch.db")
    whole = (tmp_path / "watch.db").read_bytes()
    (tmp_path / "watch.db").write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with pytest.raises(StoreError, match="is damaged"), History.open(url) as history:
        list(history.readings([ACCOUNT], T0, T0 + 100_000))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "is not a URL"),
        ("sqlite://", "a database in memory forgets everything"),
        ("sqlite:///:memory:", "a database in memory forgets everything"),
        ("mysql://u:p@h/d", "the database mysql is not supported: write sqlite:///path"),
    ],
)
def test_urls_that_name_no_usable_database(url: str, sentence: str) -> None:
    """Each is told what to write instead."""
    with pytest.raises(StoreError, match=sentence):
        parse(url)


@pytest.mark.parametrize(
    "url", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg://u@h/d"]
)
def test_postgresql_by_any_name_uses_psycopg(url: str) -> None:
    """The driver that is installed is the one that is used."""
    assert parse(url).drivername == "postgresql+psycopg"


def test_an_unreachable_server_is_named_without_secrets() -> None:
    """Promise 9: the sentence names the place, never the password."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(StoreError) as told:
            History.open(f"postgresql+psycopg://me:s3cret@127.0.0.1:{port}/watch")
    assert str(told.value).startswith(f"the database watch on 127.0.0.1:{port} cannot be used: ")
    assert "s3cret" not in str(told.value)


def test_a_missing_database_of_a_server_is_named(postgresql_url: str) -> None:
    """The server's own words are kept."""
    url = make_url(postgresql_url).set(database="nowhere").render_as_string(hide_password=False)
    with pytest.raises(StoreError, match='cannot be used: database "nowhere" does not exist'):
        Store.open(url)


def test_readers_cannot_write(url: str) -> None:
    """A connection for reading refuses to write."""
    upgrade(url)
    engine = reading(parse(url))
    with engine.connect() as connection, pytest.raises(DBAPIError, match=r"readonly|read-only"):
        connection.execute(text("DELETE FROM accounts"))
    engine.dispose()


def test_the_writer_is_durable(sqlite: str) -> None:
    """A commit is on disk: WAL with `synchronous = FULL`; foreign keys are checked."""
    engine = writing(parse(sqlite))
    with engine.connect() as connection:
        asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
    engine.dispose()
    assert found == ["wal", 2, 1, 2_000]


def test_names_with_special_characters(tmp_path: Path) -> None:
    """A path is a path, whatever it looks like to a URL."""
    path = tmp_path / "50% ? #1.db"
    upgrade(make_url("sqlite://").set(database=str(path)).render_as_string())
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
    connection.close()


ENDLESS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
)
FINITE = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT count(*)"
    " FROM n"
)


def test_s12_what_takes_too_long_to_read_is_one_sentence(tmp_path: Path) -> None:
    """S12: an endless read is ended, in each transaction; a slow one is not."""
    url = parse(filled(tmp_path / "watch.db"))
    engine = reading(url)
    bound(engine, 3_000_000)
    for _ in range(2):
        with (
            pytest.raises(StoreError, match="takes far longer to read"),
            store_errors(url),
            engine.connect() as connection,
        ):
            connection.scalar(ENDLESS)
        with engine.connect() as connection:
            assert [connection.scalar(FINITE) for _ in range(3)] == [1_000] * 3
    engine.dispose()


def test_s12_a_schema_is_trusted_with_nothing(tmp_path: Path) -> None:
    """S12: neither by readers nor by writers; sizes are limited where others may have written."""
    url = parse(filled(tmp_path / "watch.db"))
    for engine in (reading(url), writing(url)):
        with engine.connect() as connection:
            found = [
                connection.scalar(text(f"PRAGMA {name}"))
                for name in ("trusted_schema", "cell_size_check")
            ]
            assert found == [0, 1]
        engine.dispose()
    engine = reading(url)
    with (
        pytest.raises(StoreError, match="too large to be of marginwatch"),
        store_errors(url),
        engine.connect() as connection,
    ):
        connection.scalar(text("SELECT zeroblob(9000000)"))
    engine.dispose()
