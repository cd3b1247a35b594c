"""Rows that marginwatch never wrote: every command that meets them names their place."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from daemon.types import HOUR, MissReason, NoAnswer
from tests.cli.calls import call, write
from tests.cli.past import FINE, LOW, alone, lived
from tests.fakes import NOON, ManualClock
from tests.service.lives import Step
from tests.values import rule

pytestmark = pytest.mark.no_cover

LATER = ManualClock(NOON + 24 * HOUR)
MISS = NoAnswer(MissReason.TIMEOUT, "no answer within 10 s")

COMMANDS = (
    ("status",),
    ("gaps",),
    ("history", "--since", "25h"),
    ("history", "--format", "csv"),
    ("export", "readings", "-o", "a.csv", "--force"),
    ("export", "alerts", "-o", "a.csv", "--force"),
    ("export", "notifications", "-o", "a.csv", "--force"),
    ("export", "gaps", "-o", "a.csv", "--force"),
    ("alerts", "--since", "25h"),
    ("alerts", "--format", "json"),
    ("notifications", "--since", "25h"),
    ("notifications", "--format", "csv"),
    ("backtest",),
    ("backtest", "--format", "json", "--since", "2026-01-01T12:00:01"),
    ("backtest", "--rules", "rules.toml", "--diff"),
    ("backtest", "--verify"),
    ("explain", "low", "--account", "main", "--at", "2026-01-01T12:00:25"),
    ("explain", "low", "--account", "main", "--at", "2026-01-01T13:30"),
    ("check",),
    ("import", "old.csv"),
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two lives with everything in them, and imported readings."""
    made = tmp_path_factory.mktemp("sound")
    lived(made, [rule()], alone(FINE, LOW, MISS, FINE, Step(-1_000), LOW))
    lived(made, [rule()], alone(FINE, LOW, MISS), begin=NOON + HOUR)
    (made / "old.csv").write_text(
        "account,time,available_margin\nmain,1767200000,500\n", encoding="utf-8"
    )
    assert call("import", made / "old.csv", "--config", write(made), clock=LATER).exit_code == 0
    return made


@pytest.fixture
def folder(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them, to be damaged."""
    copy = tmp_path / "copy"
    shutil.copytree(sound, copy)
    monkeypatch.chdir(copy)
    return copy


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "marginwatch.db")) as connection, connection:
        assert connection.execute(statement).rowcount == 1


def asked() -> dict[str, Result]:
    return {
        " ".join(command): call(*command, "--config", "rules.toml", clock=LATER)
        for command in COMMANDS
    }


OF_MAIN = "of account main with account_id 1 and seq"


@pytest.mark.parametrize(
    ("statement", "table", "place", "fails"),
    [
        ("UPDATE epochs SET rules = '[{' WHERE id = 1", "epochs", "with id 1", "backtest --verify"),
        (
            "UPDATE epochs SET rules = 'none' WHERE id = 2",
            "epochs",
            "with id 2",
            "backtest --verify",
        ),
        ("UPDATE epochs SET state = '{' WHERE id = 1", "epochs", "with id 1", "backtest --verify"),
        (
            "UPDATE epochs SET state = '[1]' WHERE id = 2",
            "epochs",
            "with id 2",
            "backtest --verify",
        ),
        (
            "UPDATE snapshots SET available_margin = 'abc' WHERE seq = 3",
            "snapshots",
            f"{OF_MAIN} 3",
            "backtest",
        ),
        (
            "UPDATE snapshots SET available_margin = 'abc' WHERE seq = 10",
            "snapshots",
            f"{OF_MAIN} 10",
            "status",
        ),
        (
            "UPDATE snapshots SET quality = 'weird' WHERE seq = 5",
            "snapshots",
            f"{OF_MAIN} 5",
            "history --format csv",
        ),
        (
            "UPDATE snapshots SET source = 'weird' WHERE seq = 5",
            "snapshots",
            f"{OF_MAIN} 5",
            "backtest --verify",
        ),
        (
            "UPDATE snapshots SET extra = '{' WHERE seq = 5",
            "snapshots",
            f"{OF_MAIN} 5",
            "history --since 25h",
        ),
        (
            "UPDATE snapshots SET extra = '[1]' WHERE seq = 5",
            "snapshots",
            f"{OF_MAIN} 5",
            "backtest --verify",
        ),
        (
            "UPDATE snapshots SET at = 'noon' WHERE seq = 5",
            "snapshots",
            f"{OF_MAIN} 5",
            "backtest --verify",
        ),
        (
            "UPDATE snapshots SET available_margin = x'00' WHERE seq < 0",
            "snapshots",
            OF_MAIN,
            "import old.csv",
        ),
        ("UPDATE misses SET reason = 'weird' WHERE seq = 4", "misses", f"{OF_MAIN} 4", "backtest"),
        ("UPDATE misses SET reason = 'weird' WHERE seq = 11", "misses", f"{OF_MAIN} 11", "status"),
        ("UPDATE gaps SET step_ms = 'back'", "gaps", f"{OF_MAIN} 6", "backtest"),
        (
            "UPDATE alerts SET data = '{}' WHERE id = 2",
            "alerts",
            "with id 2",
            "alerts --format json",
        ),
        ("UPDATE alerts SET data = '{' WHERE id = 3", "alerts", "with id 3", "status"),
        (
            "UPDATE transitions SET value = 'abc' WHERE id = 1",
            "transitions",
            "with id 1",
            "backtest --verify",
        ),
        (
            "UPDATE transitions SET to_state = 'weird' WHERE id = 1",
            "transitions",
            "with id 1",
            "alerts --since 25h",
        ),
        (
            "UPDATE notifications SET facts = '{' WHERE id = 1",
            "notifications",
            "with id 1",
            "status",
        ),
        (
            "UPDATE notifications SET kind = 'weird' WHERE id = 1",
            "notifications",
            "with id 1",
            "explain low",
        ),
    ],
)
def test_a_row_that_nobody_can_read_is_one_sentence(
    folder: Path, statement: str, table: str, place: str, fails: str
) -> None:
    """The sentence names table and row, with status 1. Commands that do not meet it go on."""
    change(folder, statement)
    answers = asked()
    failed = {command: answer.stderr for command, answer in answers.items() if answer.stderr}
    said = (
        f"the table {table} of the database {folder}/marginwatch.db holds what marginwatch never"
        " wrote, in the row "
    )
    statuses = {
        command: answer.exit_code
        for command, answer in answers.items()
        if not command.startswith("status")
    }
    assert statuses == {
        command: int(command in failed) for command in statuses
    }  # `status` says too that none collects
    assert any(command.startswith(fails) for command in failed)
    for sentence in failed.values():
        assert sentence.startswith(f"{said}{place}")
        assert sentence.endswith(
            ": mend it, or put a copy of the database from before in its place\n"
        )
        assert sentence.count("\n") == 1


def test_a_sound_record_is_read_by_all_of_them(folder: Path) -> None:
    """Nothing else is the matter."""
    assert folder.exists()
    answers = asked()
    assert {command: answer.stderr for command, answer in answers.items() if answer.stderr} == {}
    assert {command for command, answer in answers.items() if answer.exit_code} == {
        "status"
    }  # none collects
