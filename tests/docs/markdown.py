"""Reading our own Markdown: blocks of code, tables, links, and the commands that stand in it."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)]+)\)")
_PICTURE = re.compile(r"!\[[^]]*\]\(([^)]+)\)")
_CALL = re.compile(r"(?:sudo (?:-u \w+ )?)?(?:\S*/)?marginwatch (.+)")
_CELL = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def blocks(self, language: str, heading: str = "") -> list[str]:
        """The blocks of code in a language, in their order; all, or those below a heading."""
        text = self.section(heading) if heading else self.text
        return [textwrap.dedent(body) for named, body in _BLOCK.findall(text) if named == language]

    def section(self, heading: str) -> str:
        """The text below a heading of the second rank, up to the next one."""
        return self.text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]

    def links(self) -> list[str]:
        return _LINK.findall(_BLOCK.sub("", self.text))

    @staticmethod
    def pictures(text: str) -> list[str]:
        """The files of the pictures that a part of a page shows, in their order."""
        return _PICTURE.findall(text)

    def commands(self) -> set[tuple[str, ...]]:
        """Every call of marginwatch that the page names, without the program's name."""
        prose = _SPAN.findall(_BLOCK.sub("", self.text))
        shown = (
            line[2:]
            for block in self.blocks("console")
            for line in block.splitlines()
            if line.startswith("$ ")
        )
        return {
            tuple(words) for text in (*prose, *shown) if (words := _arguments(text)) is not None
        }

    def tables(self) -> Iterator["MarkdownTable"]:
        """With the heading under which they stand."""
        heading, lines = "", [*_BLOCK.sub("", self.text).splitlines(), ""]
        rows: list[list[str]] = []
        for line in lines:
            if line.startswith("|"):
                rows.append([cell.strip() for cell in _CELL.split(line)[1:-1]])
            elif rows:
                yield MarkdownTable(heading, rows[0], rows[2:])
                rows = []
            if line.startswith("#"):
                heading = line.lstrip("# ")

    def table(self, heading: str, index: int = 0) -> "MarkdownTable":
        """That of a heading, or one of the further ones."""
        return [table for table in self.tables() if table.heading == heading][index]


@dataclass(frozen=True, slots=True)
class MarkdownTable:
    heading: str
    columns: list[str]
    rows: list[list[str]]

    def column(self, name: str) -> list[str]:
        at = self.columns.index(name)
        return [row[at] for row in self.rows]


def code(cell: str) -> str:
    """The code in a cell, or the whole cell where it has none."""
    return cell[1:-1] if len(cell) > 2 and cell[0] == cell[-1] == "`" else cell


def _arguments(text: str) -> list[str] | None:
    """The arguments of a call of the program, without comment and pipe; None for other lines."""
    called = _CALL.match(text)
    if called is None:
        return None
    words = shlex.split(called[1], comments=True)
    return words[
        : next((at for at, word in enumerate(words) if word in {"|", ">", "&&"}), len(words))
    ]


README = Page(ROOT / "README.md")
RULES = Page(ROOT / "docs/rules.md")
RECIPES = Page(ROOT / "docs/recipes.md")
TESTING = Page(ROOT / "docs/testing-rules.md")
BACKTESTING = Page(ROOT / "docs/backtesting.md")
DATABASE = Page(ROOT / "docs/database.md")
CONFIGURATION = Page(ROOT / "docs/configuration.md")
DELIVERY = Page(ROOT / "docs/delivery.md")
REPORTS = Page(ROOT / "docs/reports.md")
CHARTS = Page(ROOT / "docs/charts.md")
PUSH = Page(ROOT / "docs/push.md")
NEW_EXCHANGE = Page(ROOT / "docs/new-exchange.md")
COMMAND_LIST = Page(ROOT / "docs/commands.md")
EXPLAIN = Page(ROOT / "docs/explain.md")
OPERATIONS = Page(ROOT / "docs/operations.md")
GLOSSARY = Page(ROOT / "docs/glossary.md")
COMPARISON = Page(ROOT / "docs/comparison.md")
ARCHITECTURE = Page(ROOT / "docs/architecture.md")
CHANGELOG = Page(ROOT / "CHANGELOG.md")
PAGES = tuple(map(Page, sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])))
