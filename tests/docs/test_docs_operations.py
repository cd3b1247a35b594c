"""docs/operations.md: what you read is what the program says, and the backup is a good one."""

import ast
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from daemon.store import upgrade
from tests.cli.calls import write
from tests.docs.markdown import COMPARISON, GLOSSARY, OPERATIONS, ROOT

TABLE = OPERATIONS.table("Troubleshooting")


@cache
def spoken() -> str:
    """All texts of the program, with a line for each, in which `…` stands for what is filled in."""
    texts: list[str] = []
    for path in (ROOT / "daemon").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                texts.append("".join(map(_part, node.values)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts)


def _part(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "…"


@pytest.mark.parametrize(
    "words",
    [words for cell in TABLE.column("you read") for words in re.findall("`([^`]+)`", cell)],
)
def test_every_sentence_is_one_of_the_program(words: str) -> None:
    """A symptom is written as it is read; each of its parts stands in the program's texts."""
    if words == "status":
        return
    for part in filter(None, re.split(r"[…:;(]\s*", words)):
        assert part.strip(" );,") in spoken(), part


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A database in which one account is recorded."""
    upgrade(f"sqlite:///{tmp_path}/marginwatch.db")
    with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as connection:
        connection.execute(INSERT, ["main"])
        connection.commit()
    write(tmp_path)
    (tmp_path / "backups").mkdir()
    return tmp_path


def test_the_backup_has_what_was_committed_while_another_writes(folder: Path) -> None:
    """The command by hand, on a database in use: the copy is whole, and nothing half written."""
    with closing(sqlite3.connect(folder / "marginwatch.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute(INSERT, ["half written"])
        typed(" db backup ", folder)
    [made] = (folder / "backups").iterdir()
    assert accounts(made) == ["main"]
    assert made.stat().st_mode & 0o777 == 0o600


def test_a_restored_backup_is_what_was_saved(folder: Path) -> None:
    """The former database is kept with all that was in it; systemd is left out here."""
    typed(" db backup ", folder)
    with closing(sqlite3.connect(folder / "marginwatch.db", isolation_level=None)) as writer:
        writer.execute(INSERT, ["later"])
    typed(" db restore ", folder)
    [former] = folder.glob("marginwatch.db.replaced-*")
    assert accounts(folder / "marginwatch.db") == ["main"]
    assert accounts(former) == ["main", "later"]


PROGRAM = Path(sys.executable).parent / "marginwatch"

INSERT = "INSERT INTO accounts (name, exchange) VALUES (?, 'coinw')"


def typed(word: str, folder: Path) -> list[str]:
    """Outputs of the commands of one block, as this user and in another folder than that shown."""
    (block,) = (block for block in OPERATIONS.blocks("console") if word in block)
    block = re.sub(r"sudo (-u marginwatch )?", "", block)
    block = block.replace("/opt/marginwatch/.venv/bin/marginwatch", str(PROGRAM))
    block = block.replace("/etc/marginwatch", str(folder))
    for backup in (folder / "backups").iterdir():
        block = re.sub(r"backups/\S+\.db", f"backups/{backup.name}", block)
    commands = [
        line.removeprefix("$ ").replace("/var/lib/marginwatch", str(folder))
        for line in block.splitlines()
        if "systemctl" not in line
    ]
    return [
        subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout
        for command in commands
    ]


def accounts(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM accounts ORDER BY id")]


def test_the_glossary_is_in_the_order_of_the_alphabet() -> None:
    """A reader finds a word, and each stands there once."""
    words = GLOSSARY.table("Glossary").column("word")
    assert words == sorted(set(words))
    assert {"miss", "gap", "retired", "judged", "parked", "epoch"} <= set(words)


def test_seven_programs_are_compared() -> None:
    """Each of them does something better, and each fact about what is missing is there."""
    (table,) = COMPARISON.tables()
    assert len(table.rows) == 7
    assert all(all(row) for row in table.rows)
