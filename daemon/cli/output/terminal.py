"""Where text leaves a command: the only module that writes text to the standard streams.

Everything passes `printable`, so no command has to remember where its text came from.
"""

import sys
from dataclasses import dataclass

import click

from daemon.text.printable import printable


@dataclass(frozen=True, slots=True)
class Styled:
    """A part of a line with a style, which only a terminal shows."""

    text: str
    fg: str | None = None
    bold: bool = False
    dim: bool = False

    def __str__(self) -> str:
        return click.style(
            printable(self.text), fg=self.fg, bold=self.bold or None, dim=self.dim or None
        )


class StandardOutput:
    """A stream that writes to whatever standard output is at that moment; lines stay lines."""

    def write(self, text: str) -> int:
        return sys.stdout.write(printable(text, keep="\n"))

    def flush(self) -> None:
        sys.stdout.flush()


STDOUT = StandardOutput()


def echo(*parts: str | Styled, err: bool = False) -> None:
    """Print one line, made of its parts."""
    click.echo(
        "".join(str(part) if isinstance(part, Styled) else printable(part) for part in parts),
        err=err,
    )


def echo_progress(text: str) -> None:
    """Show progress on the last line of stderr, to be overwritten by what follows."""
    click.echo(f"{printable(text)}\x1b[K\r", nl=False, err=True)
