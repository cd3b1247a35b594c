"""`db backup` and `db restore`: what they print, and how they end."""

from pathlib import Path

from tests.cli.calls import call, collecting, record, write
from tests.store.records import read


def test_a_backup_says_what_is_in_it(tmp_path: Path) -> None:
    """Its name, size and last reading, in the configured time zone; older ones that went."""
    path, folder = write(tmp_path), tmp_path / "backups"
    folder.mkdir()
    (folder / "marginwatch-20200101T000000Z.db").touch()
    with collecting(tmp_path, read(2)):
        done = call("db", "backup", folder, "--keep", "1", "--config", path)
    [made] = folder.iterdir()
    first, second = done.stdout.splitlines()
    assert (done.exit_code, second) == (0, "removed 1 older backup")
    assert first.startswith(f"{made}: ")
    assert first.endswith("kB, readings up to 12:00:02, every page checked")


def test_a_restored_database_is_named_with_the_one_before(tmp_path: Path) -> None:
    """First it is refused, as there is one; --force keeps that beside it."""
    path, backup = write(tmp_path), tmp_path / "one.db"
    record(tmp_path, read(2))
    assert "kB, readings up to" in call("db", "backup", backup, "--config", path).stdout
    refused = call("db", "restore", backup, "--config", path)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    done = call("db", "restore", backup, "--force", "--config", path)
    former = f"{tmp_path}/marginwatch.db.replaced-20260101T110000Z"
    assert done.stdout.splitlines() == [
        f"{tmp_path}/marginwatch.db is restored from {backup}, every page checked",
        f"the database that was there is now {former}; remove it if you are sure",
    ]


def test_keep_is_at_least_one(tmp_path: Path) -> None:
    """Zero backups would remove the one just made: bad usage."""
    done = call("db", "backup", tmp_path, "--keep", "0", "--config", write(tmp_path))
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
