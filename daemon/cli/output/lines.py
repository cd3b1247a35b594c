"""Lines that begin with a label: wrapped on a terminal, plain in a pipe.

Nothing is cut: on a narrow terminal a line continues below itself, to the right of its label.
"""

import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from textwrap import wrap

from daemon.cli.output.terminal import echo
from daemon.text.printable import printable

WORD = 11
"""The width of the label, in characters."""

FAR = 70
"""The most characters of a text that move the aligned values to the right."""

NARROWEST = 30
"""The fewest columns that are assumed of a terminal."""

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:)")
_GLUE = "\N{NO-BREAK SPACE}"
"""Keeps date and time of an instant on one line."""


@dataclass(frozen=True, slots=True)
class LabelledLine:
    word: str
    text: str
    value: str = ""
    """The value of the text; values of consecutive lines are aligned."""
    depth: int = 0
    """The number of indents."""

    @property
    def indent(self) -> str:
        return "  " * self.depth

    @property
    def head(self) -> str:
        return f"{self.word:<{WORD}} {self.indent}"


def write(lines: Iterable[LabelledLine | str]) -> None:
    """Print the lines; a plain string has no label."""
    columns = max(NARROWEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None
    for line in lay_out(map(_printable, lines), columns):
        echo(line)


def _printable(line: LabelledLine | str) -> LabelledLine | str:
    """The line with its texts escaped, before widths are measured."""
    if isinstance(line, str):
        return printable(line)
    return replace(
        line, word=printable(line.word), text=printable(line.text), value=printable(line.value)
    )


def lay_out(lines: Iterable[LabelledLine | str], columns: int | None) -> Iterator[str]:
    """The printed form of the lines on so many columns; None is no limit."""
    for valued, block in groupby(
        lines, lambda line: isinstance(line, LabelledLine) and bool(line.value)
    ):
        if valued:
            yield from _valued([line for line in block if isinstance(line, LabelledLine)], columns)
        else:
            for line in block:
                yield from _plain(line, columns)


def _plain(line: LabelledLine | str, columns: int | None) -> Iterator[str]:
    if isinstance(line, str):
        return _wrapped("", line, columns, 2)
    return _wrapped(line.head, line.text, columns, 0)


def _valued(lines: Sequence[LabelledLine], columns: int | None) -> Iterator[str]:
    """Lay out lines with values in two columns, as far as there is room."""
    width = min(FAR, max(len(line.indent + line.text) for line in lines))
    if columns is not None:
        width = min(width, columns - WORD - 3 - max(len(line.value) for line in lines))
    for line in lines:
        text = f"{line.text:<{max(0, width - len(line.indent))}}  {line.value}"
        yield from _wrapped(line.head, text, columns, 4)


def _wrapped(head: str, text: str, columns: int | None, further: int) -> Iterator[str]:
    """Wrap a text behind its head; later lines are indented by `further` more.

    At least half of the columns are left for the text.
    """
    if columns is None or len(head + text) <= columns:
        yield head + text
        return
    head = head[: max(WORD + 1, columns // 2)]
    hanging = " " * min(len(head) + further, columns // 2)
    glued = _INSTANT.sub(rf"\1{_GLUE}\2", text)
    for line in wrap(
        glued, columns, initial_indent=head, subsequent_indent=hanging, break_on_hyphens=False
    ):
        yield line.replace(_GLUE, " ")
