"""A screen of lines that each begin with a word about what they tell: wrapped on a terminal, plain
to a pipe.

Nothing is cut: on a phone a line goes on below itself, to the right of its word.
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
"""Characters for the word."""

FAR = 70
"""Values stand below each other, but no further to the right than behind a text of so many
characters.
"""

NARROWEST = 30
"""Columns of a terminal below which nothing is gained any more."""

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:)")
_GLUE = "\N{NO-BREAK SPACE}"
"""Keeps together what is not to be wrapped apart."""


@dataclass(frozen=True, slots=True)
class LabelledLine:
    word: str
    text: str
    value: str = ""
    """What the text is worth; those of lines that follow each other are aligned."""
    depth: int = 0
    """Of a part of a part."""

    @property
    def indent(self) -> str:
        return "  " * self.depth

    @property
    def head(self) -> str:
        return f"{self.word:<{WORD}} {self.indent}"


def write(lines: Iterable[LabelledLine | str]) -> None:
    """Print them; a text alone has no word before it."""
    columns = max(NARROWEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None
    for line in laid_out(map(_printable, lines), columns):
        echo(line)


def _printable(line: LabelledLine | str) -> LabelledLine | str:
    """The line with its texts escaped, before widths are measured."""
    if isinstance(line, str):
        return printable(line)
    return replace(
        line, word=printable(line.word), text=printable(line.text), value=printable(line.value)
    )


def laid_out(lines: Iterable[LabelledLine | str], columns: int | None) -> Iterator[str]:
    """As they are printed on so many columns; None is no limit."""
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
    """In two columns, as far as there is room for them."""
    width = min(FAR, max(len(line.indent + line.text) for line in lines))
    if columns is not None:
        width = min(width, columns - WORD - 3 - max(len(line.value) for line in lines))
    for line in lines:
        text = f"{line.text:<{max(0, width - len(line.indent))}}  {line.value}"
        yield from _wrapped(line.head, text, columns, 4)


def _wrapped(head: str, text: str, columns: int | None, further: int) -> Iterator[str]:
    """What does not fit goes on behind the head, and so much further in; half of the columns are
    left for text.
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
