"""A7: `check` refuses a database that `run` refuses, with the same sentence and exit status."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from daemon.errors import StoreConfigError, StoreError
from daemon.store import preflight
from daemon.store.database.failures import store_errors
from daemon.store.database.preflight import too_old
from tests.cli.calls import CHANNEL, RULE, SECRETS, account, call, collecting, record, url

pytestmark = pytest.mark.usefixtures("restored_logging")

Prepare = Callable[[Path], object]


def write(folder: Path, database: str) -> Path:
    path = folder / "rules.toml"
    path.write_text(
        f"[daemon]\ndatabase = '{database}'\n{account()}\n{RULE}\n{CHANNEL}", encoding="utf-8"
    )
    return path


def both(path: Path, **environ: str) -> tuple[int, str]:
    """The exit status and the sentence that `check` and `run` share."""
    before = tree(path.parent)
    checked, ran = (
        call(each, "--config", path, environ={**SECRETS, **environ}) for each in ("check", "run")
    )
    assert (checked.exit_code, checked.stderr) == (ran.exit_code, ran.stderr)
    assert tree(path.parent) == before
    return checked.exit_code, checked.stderr.strip()


def tree(folder: Path) -> list[Path]:
    """Without the files beside a database, which are the concern of whatever reads."""
    return sorted(each for each in folder.rglob("*") if not each.name.endswith(("-wal", "-shm")))


def a_folder(folder: Path) -> None:
    (folder / "there").mkdir()


def a_file(folder: Path) -> None:
    (folder / "there").write_text("a file")


def garbage(folder: Path) -> None:
    (folder / "there").write_bytes(b"this is no database at all" * 100)


def newer(folder: Path) -> None:
    record(folder)
    shutil.move(folder / "marginwatch.db", folder / "there")
    with closing(sqlite3.connect(folder / "there", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from the future'")


def of_others(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "there")) as connection:
        connection.execute("CREATE TABLE accounts (whatever)")


def a_lock_of_no_use(folder: Path) -> None:
    (folder / "there.lock").mkdir()


def a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "there")


def beside_it(suffix: str, make: Callable[[Path], object]) -> Prepare:
    """A sound database, or none, with something else in the place of a file of SQLite's own."""

    def prepare(folder: Path) -> None:
        record(folder)
        shutil.move(folder / "marginwatch.db", folder / "there")
        make(folder / f"there{suffix}")

    return prepare


IN_THE_WAY = "is no regular file, and SQLite needs that name for its own: move it away"


@pytest.mark.parametrize(
    ("database", "prepare", "status", "sentence"),
    [
        (
            "sqlite:///nowhere/mw.db",
            None,
            78,
            "there is no directory {}/nowhere for the database: make it, or name",
        ),
        (
            "sqlite:///~/watch/mw.db",
            None,
            78,
            "there is no directory {}/watch for the database: make it, or name",
        ),
        (
            "sqlite:///there/mw.db",
            a_file,
            78,
            "there is no directory {}/there for the database: make it, or name",
        ),
        (
            "sqlite:///there",
            a_folder,
            78,
            "{}/there is no file: name a file, such as {}/there/marginwatch.db",
        ),
        (
            "sqlite:///there",
            a_pipe,
            78,
            "{}/there is a pipe or a device, not a file: name another file",
        ),
        ("sqlite:///there", beside_it("-wal", Path.mkdir), 1, f"{{}}/there-wal {IN_THE_WAY}"),
        ("sqlite:///there", beside_it("-wal", os.mkfifo), 1, f"{{}}/there-wal {IN_THE_WAY}"),
        ("sqlite:///there", beside_it("-shm", Path.mkdir), 1, f"{{}}/there-shm {IN_THE_WAY}"),
        ("sqlite:///there", beside_it("-shm", os.mkfifo), 1, f"{{}}/there-shm {IN_THE_WAY}"),
        (
            "sqlite:///there",
            beside_it("-journal", Path.mkdir),
            1,
            f"{{}}/there-journal {IN_THE_WAY}",
        ),
        (
            "sqlite:///there",
            lambda folder: (folder / "there-wal").mkdir(),
            1,
            f"{{}}/there-wal {IN_THE_WAY}",
        ),
        ("sqlite:/mw.db", None, 78, 'daemon.database: must be "sqlite:///FILE" or'),
        (
            "sqlite:///there",
            garbage,
            1,
            "the database {}/there is no SQLite database: name another file",
        ),
        (
            "sqlite:///there",
            newer,
            1,
            "the database {}/there is of a newer marginwatch (revision from the future",
        ),
        (
            "sqlite:///there",
            of_others,
            1,
            "{}/there holds tables of another program (accounts): give marginwatch",
        ),
        (
            "sqlite:///there",
            a_lock_of_no_use,
            1,
            "{}/there.lock is not a lock file: check what it is, and move it away",
        ),
        (
            "postgresql+psycopg://u@nowhere.invalid/mw",
            None,
            1,
            "the database mw on nowhere.invalid cannot be used: ",
        ),
        (
            "postgresql+psycopg://u@127.0.0.1:1/mw",
            None,
            1,
            "the database mw on 127.0.0.1:1 cannot be used: ",
        ),
    ],
)
def test_check_refuses_what_run_refuses(
    database: str, prepare: Prepare | None, status: int, sentence: str, tmp_path: Path
) -> None:
    """A7: the same sentence and status, nothing left behind; 78 if the configuration is wrong."""
    if prepare is not None:
        prepare(tmp_path)
    found = both(write(tmp_path, database), HOME=str(tmp_path))
    assert found[0] == status
    assert sentence.replace("{}", str(tmp_path)) in found[1]
    assert found[1].count("\n") == 0


def test_no_command_waits_for_a_pipe(tmp_path: Path) -> None:
    """A7: in the place of the database it is named as what it is."""
    a_pipe(tmp_path)
    path = write(tmp_path, "sqlite:///there")
    for command in ("status", "history", "db upgrade", "silence list"):
        done = call(*command.split(), "--config", path)
        assert (done.exit_code in {1 + (command == "status"), 78}, done.stderr.count("\n")) == (
            True,
            1,
        ), command
        assert "there is a pipe or a device, not a file: name another file" in done.stderr


@pytest.mark.parametrize(
    "prepare", [None, record, a_folder, lambda folder: (folder / "marginwatch.db").touch()]
)
def test_a_database_that_can_be_used_or_made_is_good(
    prepare: Prepare | None, tmp_path: Path
) -> None:
    """A7: none yet, one of this version, an empty file; and nothing is made."""
    if prepare is not None:
        prepare(tmp_path)
    before = tree(tmp_path)
    preflight(url(tmp_path))
    assert tree(tmp_path) == before


def test_a_daemon_that_runs_is_no_trouble(tmp_path: Path) -> None:
    """A7: `check` is for before a reload, too; who holds the lock is `run`'s business."""
    with collecting(tmp_path):
        assert call("check", "--config", write(tmp_path, "sqlite:///marginwatch.db")).exit_code == 0


def test_without_a_driver_postgresql_is_bad_configuration(tmp_path: Path) -> None:
    """A7: `check` says what to install, status 78, as `run` does."""
    path = write(tmp_path, "postgresql+psycopg://u@127.0.0.1:1/mw")
    for command in ("check", "run"):
        program = (
            "import sys, importlib.util as u; find = u.find_spec\n"
            "u.find_spec = lambda name, *rest: None if name == 'psycopg' else find(name, *rest)\n"
            f"sys.argv = ['marginwatch', '{command}', '--config', '{path}']\n"
            "from daemon.cli import main; main()"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=SECRETS,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (
            78,
            'PostgreSQL needs a driver: install "marginwatch[postgresql]"\n',
        )


# A real server.


def server(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for each in statements:
            connection.execute(text(each))
    engine.dispose()


@pytest.mark.parametrize(
    ("changed", "status", "sentence"),
    [
        (("/postgres", "/nothing"), 78, 'database "nothing" does not exist'),
        (("owner@", "nobody-there@"), 78, 'role "nobody-there" does not exist'),
        (
            ("/postgres", "/mw_frozen"),
            1,
            "is read-only, or a copy of another server: name the server that takes",
        ),
        (
            ("owner@127.0.0.1", "guest@127.0.0.1"),
            1,
            "lets this user make no tables: let its owner say GRANT CREATE ON",
        ),
    ],
)
def test_a_server_that_takes_nothing_is_told(
    changed: tuple[str, str], status: int, sentence: str, postgresql_url: str, tmp_path: Path
) -> None:
    """A7: no such database or user is configuration; what an administrator must change is not."""
    server(
        postgresql_url,
        "DROP DATABASE IF EXISTS mw_frozen",
        "CREATE DATABASE mw_frozen",
        "ALTER DATABASE mw_frozen SET default_transaction_read_only = on",
        "DO $$ BEGIN CREATE ROLE guest LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    )
    found = both(write(tmp_path, postgresql_url.replace(*changed)))
    assert found[0] == status
    assert sentence in found[1]


def test_b7_an_empty_server_is_good_and_will_be_set_up(postgresql_url: str, tmp_path: Path) -> None:
    """B7: `check` says so before the first start, and makes no table."""
    server(postgresql_url, "DROP DATABASE IF EXISTS mw_fresh", "CREATE DATABASE mw_fresh")
    config = write(tmp_path, postgresql_url.replace("/postgres", "/mw_fresh"))
    for _ in range(2):
        done = call("check", "--config", config)
        assert done.exit_code == 0, done.output
        assert "the database is not there yet, or empty: it will be set up at" in done.stdout


@pytest.mark.parametrize(
    "said",
    [
        'connection failed: FATAL:  password authentication failed for user "watch"',
        "connection failed: fe_sendauth: no password supplied",
        'connection failed: FATAL:  role "watch" is not permitted to log in',
        (
            'connection failed: FATAL:  no pg_hba.conf entry for host "127.0.0.1", user "watch",'
            ' database "mw"'
        ),
        'connection failed: FATAL:  Peer authentication failed for user "watch"',
    ],
)
def test_a_refused_login_is_bad_configuration(said: str) -> None:
    """A7: a wrong password does not become right by trying twenty times."""
    with (
        pytest.raises(StoreConfigError),
        store_errors(make_url("postgresql+psycopg://watch@127.0.0.1/mw")),
    ):
        raise OperationalError("", {}, Exception(said))


@pytest.mark.parametrize(
    "said",
    ["FATAL:  the database system is starting up", "FATAL:  sorry, too many clients already"],
)
def test_a_busy_server_is_none(said: str) -> None:
    """A7: what passes by itself ends with 1, so that systemd tries again."""
    with (
        pytest.raises(StoreError) as caught,
        store_errors(make_url("postgresql+psycopg://watch@127.0.0.1/mw")),
    ):
        raise OperationalError("", {}, Exception(said))
    assert caught.value.exit_status == 1


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ((9, 6, 24), "is PostgreSQL 9.6.24, which is too old: use version 10 or newer"),
        ((10, 0), ""),
        ((17, 2), ""),
    ],
)
def test_an_old_server_is_told(version: tuple[int, ...], sentence: str) -> None:
    """A7: the driver asks for version 10 at least."""
    assert too_old(version) == sentence


def test_a_database_that_others_may_read_is_a_warning(tmp_path: Path) -> None:
    """It names the file and the command; a start does it too."""
    path = write(tmp_path, url(tmp_path))
    record(tmp_path)
    assert "every user" not in call("check", "--config", path).stdout
    database = tmp_path / "marginwatch.db"
    database.chmod(0o644)
    assert (
        f"warning: {database} can be read by every user of this machine; chmod o= {database}\n"
        in call("check", "--config", path).stdout
    )
