"""docs/architecture.md names files and functions that exist, and its walks stay short."""

import ast
import re

from tests.docs.markdown import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
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
    """Files in tables and sentences, too."""
    assert [file for file in PATH.findall(PAGE) if not (ROOT / "daemon" / file).exists()] == []


def test_walks_have_at_most_fifteen_stops() -> None:
    """Nobody keeps more of them in mind."""
    assert max(int(number) for number in re.findall(r"^(\d+)\. ", PAGE, re.MULTILINE)) <= 15
