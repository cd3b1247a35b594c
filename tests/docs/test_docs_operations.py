"""docs/operations.md: what you read is what the program says, and the backup is a good one."""

import ast
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from daemon.store import upgrade
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


def test_the_backup_has_what_was_committed_while_another_writes(tmp_path: Path) -> None:
    """Both commands, on a database in use: the copy is whole, and holds nothing half written."""
    if shutil.which("sqlite3") is None:
        pytest.skip("the program sqlite3 is missing")
    file = tmp_path / "marginwatch.db"
    upgrade(f"sqlite:///{file}")
    (block,) = (block for block in OPERATIONS.blocks("console") if ".backup" in block)
    commands = [
        line.removeprefix("$ sudo -u marginwatch ").replace("/var/lib/marginwatch", str(tmp_path))
        for line in block.splitlines()
    ]
    insert = "INSERT INTO accounts (name, exchange) VALUES (?, 'coinw')"
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute(insert, ["main"])
        writer.execute("BEGIN IMMEDIATE")
        writer.execute(insert, ["half written"])
        printed = [
            subprocess.run(
                ["bash", "-c", command], capture_output=True, text=True, check=True
            ).stdout
            for command in commands
        ]
    assert printed == ["", "ok\n"]
    with closing(sqlite3.connect(tmp_path / "backup.db")) as copy:
        assert copy.execute("SELECT name FROM accounts").fetchall() == [("main",)]


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
