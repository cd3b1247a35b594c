"""S9: text leaves the program in few places, so that nobody has to remember to clean it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "daemon"

WRITERS = {"echo", "secho", "echo_via_pager", "style", "progressbar"}
"""Functions of click that write or style; what `prompt` and `confirm` ask is our own."""

STREAMS = {"stdout", "stderr", "__stdout__", "__stderr__"}
HARMLESS = {"isatty", "flush", "fileno", "buffer"}
"""Attributes of a stream that write no text."""

ALLOWED = {
    ("cli/output/terminal.py", "click.echo"): "the wrapper itself",
    ("cli/output/terminal.py", "click.style"): "the wrapper itself",
    ("cli/output/terminal.py", "sys.stdout"): "the wrapper itself",
    ("cli/output/tables.py", "sys.stdout"): "a rich console, of cells that the table has escaped",
    ("cli/output/tables.py", "Console"): "the same",
    ("cli/output/progress.py", "Console"): "a bar; its description is our own",
    ("cli/run.py", "sys.stderr"): "given to the log, whose formatters escape",
    ("cli/demo/show.py", "sys.stderr"): "the same",
    ("cli/failures.py", "sys.stdout"): "redirected to nowhere, no text",
    ("cli/failures.py", "sys.stderr"): "the same",
    ("cli/__init__.py", "sys.stdout"): "opened and configured, no text",
    ("cli/__init__.py", "sys.stderr"): "the same",
}


def outputs(tree: ast.AST) -> Iterator[str]:
    """Every way to the standard streams that a module takes."""
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="print" | "Console" as name)):
                yield name
            case ast.Attribute(value=ast.Name(), attr="Console" as name):
                yield name
            case ast.Attribute(value=ast.Name(id="click"), attr=name) if name in WRITERS:
                yield f"click.{name}"
            case ast.Attribute(value=ast.Name(id="os"), attr="write" | "writev" as name):
                yield f"os.{name}"
            case ast.Attribute(value=ast.Name(id="sys"), attr=name) if name in STREAMS:
                parent = parents[node]
                if not (
                    isinstance(parent, ast.Attribute) and parent.attr in HARMLESS
                ) and not _is_none(parent):
                    yield f"sys.{name}"
            case ast.ImportFrom(module="sys" | "click" as module, names=names):
                yield from (
                    f"{module}.{each.name}" for each in names if each.name in STREAMS | WRITERS
                )


def _is_none(node: ast.AST) -> bool:
    """Whether this only asks whether there is a stream at all."""
    return isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Is | ast.IsNot)


def test_text_leaves_only_through_the_wrapper() -> None:
    """S9: every print, echo and write to a standard stream is in the wrapper or listed here."""
    found = {
        (path.relative_to(PACKAGE).as_posix(), way)
        for path in PACKAGE.rglob("*.py")
        for way in outputs(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set(ALLOWED)


@pytest.mark.parametrize(
    ("source", "ways"),
    [
        ("print('x')", ["print"]),
        ("import click\nclick.echo('x')\nclick.secho('y')", ["click.echo", "click.secho"]),
        ("from click import echo", ["click.echo"]),
        ("import sys\nsys.stdout.write('x')\nf(sys.stderr)", ["sys.stderr", "sys.stdout"]),
        ("import sys\nsys.stdout.isatty()\nsys.stdout.buffer.write(b'x')\nsys.stdout is None", []),
        ("import os\nos.write(1, b'x')", ["os.write"]),
        ("console.Console()", ["Console"]),
    ],
)
def test_each_way_out_is_seen(source: str, ways: list[str]) -> None:
    """S9: the test above overlooks none of the usual ways."""
    assert sorted(outputs(ast.parse(source))) == ways
