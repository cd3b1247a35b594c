"""The standard streams: the only module that writes text to them.

Everything passes `printable`, so that no command needs to know where its text came from, and has
signs of ours replaced where the stream's encoding lacks them.
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import click

from daemon.text.printable import printable

_PLAIN: Mapping[str, str] = {
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{MIDDLE DOT}": "/",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{INFINITY}": "infinite",
}
"""Our own signs, and what stands for them on a terminal without UTF-8."""


def encodable(text: str) -> str:
    """The text with those of our signs replaced that a terminal without UTF-8 lacks."""
    if is_encodable(text):
        return text
    return "".join(each if is_encodable(each) else _PLAIN.get(each, each) for each in text)


def is_encodable(text: str) -> bool:
    """Whether standard output can write the text as it is."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Styled:
    """A part of a line with a style that only a terminal shows."""

    text: str
    fg: str | None = None
    bold: bool = False
    dim: bool = False

    def __str__(self) -> str:
        fg = None if os.environ.get("NO_COLOR") else self.fg
        return click.style(
            printable(self.text), fg=fg, bold=self.bold or None, dim=self.dim or None
        )


class Writable(Protocol):
    """A stream of text."""

    def write(self, text: str, /) -> int: ...


class StandardOutput:
    """A stream that writes to the current `sys.stdout`, and keeps line breaks."""

    def write(self, text: str) -> int:
        return sys.stdout.write(encodable(printable(text, keep="\n")))

    def flush(self) -> None:
        sys.stdout.flush()


STDOUT = StandardOutput()


def echo(*parts: str | Styled, err: bool = False) -> None:
    """Print one line, joined from its parts."""
    line = "".join(str(part) if isinstance(part, Styled) else printable(part) for part in parts)
    click.echo(encodable(line), err=err)


def say(sentence: str, *, err: bool = False, fg: str | None = None) -> None:
    """Print a sentence, wrapped between words on a terminal, which may show it in a colour.

    A line that begins with a space belongs to a layout, and stays.
    """
    sentence = printable(sentence)
    is_layout = sentence.startswith(" ")
    for line in (
        wrapped(sentence, terminal_width())
        if is_terminal(err=err) and not is_layout
        else [sentence]
    ):
        echo(Styled(line, fg=fg) if fg and line else line, err=err)


def is_terminal(*, err: bool = False) -> bool:
    """Whether standard output, or standard error, is a terminal."""
    if err:
        return sys.stderr is not None and sys.stderr.isatty()
    return sys.stdout.isatty()


def wrapped(text: str, width: int, hanging: int = 0) -> list[str]:
    """The lines of a text; a word wider than that stays whole, as it may be a path or a command."""
    return textwrap.wrap(
        text,
        max(width, 1),
        subsequent_indent=" " * min(hanging, width // 2),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def terminal_width() -> int:
    """Columns of the terminal; 80 where it does not tell."""
    return shutil.get_terminal_size().columns


def echo_progress(text: str) -> None:
    """Show progress on the last line of stderr; the next output overwrites it."""
    click.echo(f"{printable(text)}\x1b[K\r", nl=False, err=True)
