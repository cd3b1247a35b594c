"""Several users of one machine: looking at the record never keeps the daemon from writing it (A1,
B9).
"""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon.store import Store, upgrade
from tests.cli.calls import RULE, account, write
from tests.other_users import User, needs_root, open_folder
from tests.store.records import epoch, read

WATCHER = User(20_001, 20_001)
LOOKER = User(20_002, 20_001)
"""Of the same group."""

HOOK = '[[channels]]\nname = "hook"\nurl = "json://127.0.0.1:9/hook"\n'
LINES = "account,time,available_margin\nmain,2020-01-01T00:00:00Z,200\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """That of a daemon which was stopped, shared with its group: rules.toml and a database."""
    needs_root()
    with open_folder() as parent:
        made = parent / "watch"
        made.mkdir()
        write(made, account(api_key="key-4711", secret_key="secret-4711"), RULE, HOOK)
        (made / "lines.csv").write_text(LINES)
        url = f"sqlite:///{made / 'marginwatch.db'}"
        upgrade(url)
        store = Store.open(url)
        store.submit(epoch()).result(10)
        store.submit(read(2)).result(10)
        store.close()
        give(made, WATCHER)
        yield made


def give(folder: Path, user: User, mode: int = 0o644) -> None:
    for file in (folder, *folder.iterdir()):
        os.chown(file, user.uid, user.gid)
        file.chmod(0o2770 if file.is_dir() else mode)


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def lines(folder: Path, *commands: list[str]) -> list[list[str]]:
    return [[*command, "--config", str(folder / "rules.toml")] for command in commands]


EXPLAIN = ["explain", "low", "--at", "now"]

READING = (
    ["status"],
    ["history"],
    ["alerts"],
    ["gaps"],
    ["notifications"],
    ["check"],
    ["backtest"],
    EXPLAIN,
    ["silence", "list"],
)


def test_looking_at_a_stopped_daemons_record_leaves_nothing_behind(folder: Path) -> None:
    """A1: another user of the group may read; the daemon starts as before."""
    before = files(folder)
    writing = (
        ["ack", "ab3d"],
        ["silence", "add", "--rule", "low", "--for", "1h"],
        ["import", str(folder / "lines.csv")],
        ["check", "--notify"],
    )
    for line, (status, printed) in zip(
        (*READING, *writing), LOOKER.commands(*lines(folder, *READING, *writing)), strict=True
    ):
        assert "marginwatch broke" not in printed, line
        assert status == 0 or line in (["status"], ["check"], EXPLAIN, *writing), (line, printed)
    assert files(folder) == before
    status, log = WATCHER.runs(folder / "rules.toml")
    assert (status, "stopped" in log) == (0, True), log
    assert files(folder) == before


def test_a_command_that_may_not_write_names_the_owner(folder: Path) -> None:
    """A1, B9: the sentence says whose the database is, and nothing is left beside it."""
    before = files(folder)
    command = lines(folder, ["silence", "add", "--rule", "low", "--for", "1h"])
    [(status, printed)] = LOOKER.commands(*command)
    expected = (
        f"{folder / 'marginwatch.db'} may not be written, for it belongs to user 20001 and not to"
        " user 20002: "
    )
    assert (status, printed[: len(expected)]) == (1, expected)
    assert files(folder) == before


def test_writing_rows_leaves_files_that_the_daemon_can_use(folder: Path) -> None:
    """A1: after the group wrote to the database, and while it reads, the daemon can write."""
    give(folder, WATCHER, 0o664)
    before = files(folder)
    looker = User(LOOKER.uid, LOOKER.gid, umask=0o077)
    silence = ["silence", "add", "--rule", "low", "--for", "1h"]
    done = looker.commands(*lines(folder, silence, ["import", str(folder / "lines.csv")]))
    assert [status for status, _ in done] == [0, 0], done
    assert files(folder) == before
    with WATCHER.daemon(folder / "rules.toml") as daemon:
        assert any(" started " in line for line in daemon.log)
        statuses = [
            status
            for status, _ in looker.commands(*lines(folder, ["status"], ["history"], silence))
        ]
        assert statuses == [2, 0, 0]  # no exchange answers, which `status` says
        daemon.send(signal.SIGTERM)
        assert daemon.wait() == 0
    assert files(folder) == before


def left(folder: Path, user: User, wal: bytes = b"") -> None:
    """Files that an older marginwatch, or sqlite3, left after reading."""
    for suffix, content in (("-wal", wal), ("-shm", bytes(32_768))):
        file = folder / f"marginwatch.db{suffix}"
        file.write_bytes(content)
        os.chown(file, user.uid, user.gid)
        file.chmod(0o644)


def test_the_daemon_meets_what_others_left(folder: Path) -> None:
    """A1: an empty WAL of another user, in the daemon's own folder, is put out of the way."""
    left(folder, LOOKER)
    status, log = WATCHER.runs(folder / "rules.toml")
    assert (status, "stopped" in log) == (0, True), log
    assert not {"marginwatch.db-wal", "marginwatch.db-shm"} & set(files(folder))


def test_a_wal_of_another_user_that_holds_something_is_named(folder: Path) -> None:
    """A1, B9: it may be a part of the record: it stays, and the error names its owner."""
    left(folder, LOOKER, b"not empty" * 100)
    status, log = WATCHER.runs(folder / "rules.toml")
    file = folder / "marginwatch.db-wal"
    expected = (
        f"{file} holds a part of the record, and may not be written, for it belongs to user 20002"
        " and not to user"
    )
    assert (status, expected in log) == (1, True), log
    assert file.stat().st_size == 900


def owned_by_root(name: str) -> Callable[[Path], None]:
    def give_to_root(folder: Path) -> None:
        os.chown(folder / name, 0, 0)
        (folder / name).chmod(0o644 if "db" in name else 0o600)

    return give_to_root


def folder_of_root(folder: Path) -> None:
    os.chown(folder, 0, 0)
    folder.chmod(0o755)


def folder_of_root_without_a_lock(folder: Path) -> None:
    (folder / "marginwatch.db.lock").unlink()
    folder_of_root(folder)


@pytest.mark.parametrize(
    ("spoil", "name", "status"),
    [
        (owned_by_root("marginwatch.db.lock"), "marginwatch.db.lock", 1),
        (owned_by_root("marginwatch.db"), "marginwatch.db", 1),
        (owned_by_root("rules.toml"), "rules.toml", 78),
        (owned_by_root("secret"), "secret", 78),
        (folder_of_root, "", 1),
        (folder_of_root_without_a_lock, "", 1),
    ],
    ids=["lock", "database", "rules", "secret", "folder", "folder-and-no-lock"],
)
def test_a_file_of_another_owner_is_named_with_its_owner(
    folder: Path, spoil: Callable[[Path], None], name: str, status: int
) -> None:
    """B9: root was here first: the sentence says which file, and that it is root's."""
    (folder / "secret").write_text("secret-4711")
    os.chown(folder / "secret", WATCHER.uid, WATCHER.gid)
    config = folder / "rules.toml"
    config.write_text(config.read_text().replace('"secret-4711"', '"file:secret"'))
    spoil(folder)
    ended, log = WATCHER.runs(config)
    assert ended == status, log
    assert "belongs to root and not to user 20001" in log
    assert (folder / name).name in log
