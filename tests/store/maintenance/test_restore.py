"""Restoring: a whole database in place of the one that was there, or everything as it was."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from daemon.errors import StoreError, UsageError
from daemon.store import Store
from daemon.store.maintenance.backup import make_backup
from daemon.store.maintenance.restore import restore_backup
from tests.store.maintenance.test_backup import largest_file, names, seqs, silent
from tests.store.records import epoch, read
from tests.values import T0

Write = Callable[..., None]


@pytest.fixture
def url(sqlite: str) -> str:
    return sqlite


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "watch.db"


@pytest.fixture
def backup(store: Store, write: Write, url: str, tmp_path: Path) -> Path:
    """A backup of the readings 2 and 3; the daemon then recorded 4, and has stopped."""
    write(read(2), read(3))
    made = make_backup(url, tmp_path / "backup.db", T0, None, silent)
    write(read(4))
    store.close()
    return made.path


def test_a_backup_takes_the_place_of_a_lost_database(
    backup: Path, url: str, database: Path
) -> None:
    """The daemon goes on from it; only its owner may read it; the backup stays."""
    database.unlink()
    restored = restore_backup(url, backup, T0, silent, force=False)
    assert (restored.path, restored.is_older, restored.former) == (database, False, None)
    assert (seqs(database), database.stat().st_mode & 0o777) == ([2, 3], 0o600)
    store = Store.open(url)
    store.submit(epoch(seq=4)).result(10)
    store.submit(read(5)).result(10)
    store.close()
    assert (seqs(database), seqs(backup)) == ([2, 3, 5], [2, 3])


def test_a_database_is_never_replaced_without_force(backup: Path, url: str, database: Path) -> None:
    """It stays as it is, and the sentence names --force."""
    with pytest.raises(StoreError, match="with --force it is replaced, and kept"):
        restore_backup(url, backup, T0, silent, force=False)
    assert seqs(database) == [2, 3, 4]


def test_the_replaced_database_is_kept(backup: Path, url: str, database: Path) -> None:
    """With all that its WAL held, as after a kill of the daemon."""
    with closing(sqlite3.connect(database)) as writing:
        writing.execute("UPDATE accounts SET user_id = 'in the WAL'")
        writing.commit()
        copy = {
            name: (database.parent / name).read_bytes()
            for name in names(database.parent)
            if name.startswith("watch.db")
        }
    for name, content in copy.items():
        (database.parent / name).write_bytes(content)
    database.chmod(0o664)
    restored = restore_backup(url, backup, T0, silent, force=True)
    assert restored.former is not None
    assert (seqs(database), seqs(restored.former)) == ([2, 3], [2, 3, 4])
    with closing(sqlite3.connect(restored.former)) as kept:
        assert kept.execute("SELECT user_id FROM accounts").fetchone() == ("in the WAL",)
    assert [each.stat().st_mode & 0o777 for each in (database, restored.former)] == [0o660] * 2
    assert not Path(f"{database}-wal").exists()


def test_a_damaged_database_is_replaced_and_kept(backup: Path, url: str, database: Path) -> None:
    """Its WAL, which cannot be moved into it, is kept beside it and never reaches the new one."""
    database.write_bytes(b"no database any more" * 500)
    Path(f"{database}-wal").write_bytes(b"whatever this was")
    restored = restore_backup(url, backup, T0, silent, force=True)
    assert restored.former is not None
    assert Path(f"{restored.former}-wal").read_bytes() == b"whatever this was"
    assert restored.former.read_bytes().startswith(b"no database")
    assert seqs(database) == [2, 3]


def test_a_daemon_that_collects_is_not_disturbed(
    store: Store, write: Write, url: str, database: Path, tmp_path: Path
) -> None:
    """The sentence names it; --force changes nothing about that."""
    made = make_backup(url, tmp_path / "backup.db", T0, None, silent)
    with pytest.raises(StoreError, match=rf"pid {os.getpid()}.*is collecting into .*stop it first"):
        restore_backup(url, made.path, T0, silent, force=True)
    write(read(2))
    assert seqs(database) == [2]


def test_a_database_that_another_program_reads_stays(
    backup: Path, url: str, database: Path
) -> None:
    """Its WAL could not be moved into it."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM accounts").fetchall()
        with closing(sqlite3.connect(database)) as writing:
            writing.execute("UPDATE accounts SET user_id = '1'")
            writing.commit()
        with pytest.raises(StoreError, match="is in use by another program: end it"):
            restore_backup(url, backup, T0, silent, force=True)
    assert seqs(database) == [2, 3, 4]


def altered(backup: Path, sql: str) -> Path:
    with closing(sqlite3.connect(backup)) as connection:
        connection.executescript(sql)
    return backup


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "is of a newer marginwatch"),
        ("DROP TABLE snapshots", "is no backup of marginwatch"),
        ("CREATE TRIGGER t AFTER INSERT ON snapshots BEGIN SELECT 1; END", "holds the trigger 't'"),
    ],
)
def test_a_file_that_no_daemon_could_use_is_refused(
    backup: Path, url: str, database: Path, sql: str, sentence: str
) -> None:
    """Newer, another program's, or prepared: the database stays, with --force too."""
    with pytest.raises((StoreError, UsageError), match=sentence):
        restore_backup(url, altered(backup, sql), T0, silent, force=True)
    assert seqs(database) == [2, 3, 4]


def test_an_older_backup_is_restored_and_said_to_be_older(backup: Path, url: str) -> None:
    """A start, or `db upgrade`, brings it up to date."""
    older = altered(backup, "UPDATE alembic_version SET version_num = '0001'")
    assert restore_backup(url, older, T0, silent, force=True).is_older


def test_a_damaged_backup_changes_nothing(backup: Path, url: str, database: Path) -> None:
    """It is checked before the database is touched."""
    with backup.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xff" * 4096 * 8)
    with pytest.raises(StoreError):
        restore_backup(url, backup, T0, silent, force=True)
    assert seqs(database) == [2, 3, 4]
    assert [name for name in names(database.parent) if name.endswith(".partial")] == []


@pytest.mark.parametrize("name", ["absent.db", "rules.toml", ".", "watch.db"])
def test_what_is_no_backup_is_one_sentence(
    backup: Path, url: str, tmp_path: Path, name: str
) -> None:
    """Absent, another file, a directory, the database itself."""
    (tmp_path / "rules.toml").write_text("[daemon]")
    with pytest.raises(UsageError, match=r": name a (backup|file)"):
        restore_backup(url, tmp_path / name, T0, silent, force=True)


def test_a_full_disk_leaves_the_database(backup: Path, url: str, database: Path) -> None:
    """One sentence, and nothing half done beside it."""
    with largest_file(50_000), pytest.raises(StoreError, match="the database is as it was"):
        restore_backup(url, backup, T0, silent, force=True)
    assert seqs(database) == [2, 3, 4]
    assert [name for name in names(database.parent) if "partial" in name] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may act for another user")
def test_root_does_not_restore_for_another_user(backup: Path, url: str, database: Path) -> None:
    """The daemon's user could not open the file."""
    os.chown(database, 65534, -1)
    with pytest.raises(StoreError, match=r"with sudo -u \w+ marginwatch db restore"):
        restore_backup(url, backup, T0, silent, force=True)


def test_postgresql_names_its_own_tool(tmp_path: Path) -> None:
    """One sentence with the whole command."""
    with pytest.raises(UsageError, match=r"pg_restore --clean --if-exists .*one\.dump --dbname"):
        restore_backup(
            "postgresql://watch@db/margin", tmp_path / "one.dump", T0, silent, force=False
        )
