"""docs/architecture.md names files and functions that exist, and its walks stay short."""

import ast
import re

from tests.docs.markdown import ARCHITECTURE, ROOT, code

PAGE = ARCHITECTURE.text
STEP = re.compile(r"^\d+\. `([\w/.]+)` `(\w+)`", re.MULTILINE)
PATH = re.compile(r"`([\w/]+\.(?:py|lark))`")


def names(file: str) -> set[str]:
    """All functions and classes that a file defines, methods included."""
    tree = ast.parse((ROOT / "daemon" / file).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_step_names_what_its_file_defines() -> None:
    """A walk leads through functions that are there."""
    steps = STEP.findall(PAGE)
    assert len(steps) > 40
    assert [(file, name) for file, name in steps if name not in names(file)] == []


def test_every_file_of_the_page_exists() -> None:
    """Files in tables and sentences, too; the map counts from the top, all else from `daemon`."""
    roots = (ROOT, ROOT / "daemon")
    named = PATH.findall(PAGE)
    assert [file for file in named if not any((root / file).exists() for root in roots)] == []


def test_the_map_shows_what_is_there() -> None:
    """Every path of the map exists, and every package of the daemon is on it."""
    shown = {code(cell) for cell in ARCHITECTURE.table("Where things are").column("path")}
    assert [path for path in shown if not (ROOT / path).exists()] == []
    packages = {f"daemon/{path.parent.name}" for path in (ROOT / "daemon").glob("*/__init__.py")}
    assert packages <= shown


def test_walks_have_at_most_fifteen_stops() -> None:
    """Nobody keeps more of them in mind."""
    assert max(int(number) for number in re.findall(r"^(\d+)\. ", PAGE, re.MULTILINE)) <= 15
