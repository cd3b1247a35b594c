"""`db upgrade`: the tables of this version."""

import os
import sqlite3
from pathlib import Path

from tests.cli.calls import call, collecting, write


def test_a_database_is_made_and_made_again_without_harm(tmp_path: Path) -> None:
    """A current database stays as it is."""
    path = write(tmp_path)
    for _ in range(2):
        result = call("db", "upgrade", "--config", path, environ={})
        assert (result.exit_code, result.stdout) == (0, "the database is up to date\n")
    with sqlite3.connect(tmp_path / "marginwatch.db") as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    database.close()
    assert {"snapshots", "balances"} <= tables


def test_nothing_is_changed_under_a_daemon(tmp_path: Path) -> None:
    """One sentence that names the daemon, status 1."""
    with collecting(tmp_path):
        result = call("db", "upgrade", "--config", write(tmp_path))
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert f"pid {os.getpid()}" in result.stderr


def test_a_directory_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """Not there: bad configuration (A7); what it is and what to do."""
    path = write(tmp_path)
    path.write_text(
        path.read_text().replace("[daemon]", '[daemon]\ndatabase = "sqlite:////proc/none/a.db"')
    )
    result = call("db", "upgrade", "--config", path)
    assert (result.exit_code, result.stderr.count("\n")) == (78, 1)
    assert "/proc/none" in result.stderr
