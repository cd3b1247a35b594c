"""The standard streams: the only module that writes text to them.

Everything passes `printable`, so that no command needs to know where its text came from.
"""

import sys
from dataclasses import dataclass

import click

from daemon.text.printable import printable


@dataclass(frozen=True, slots=True)
class Styled:
    """A part of a line with a style that only a terminal shows."""

    text: str
    fg: str | None = None
    bold: bool = False
    dim: bool = False

    def __str__(self) -> str:
        return click.style(
            printable(self.text), fg=self.fg, bold=self.bold or None, dim=self.dim or None
        )


class StandardOutput:
    """A stream that writes to the current `sys.stdout`, and keeps line breaks."""

    def write(self, text: str) -> int:
        return sys.stdout.write(printable(text, keep="\n"))

    def flush(self) -> None:
        sys.stdout.flush()


STDOUT = StandardOutput()


def echo(*parts: str | Styled, err: bool = False) -> None:
    """Print one line, joined from its parts."""
    click.echo(
        "".join(str(part) if isinstance(part, Styled) else printable(part) for part in parts),
        err=err,
    )


def echo_progress(text: str) -> None:
    """Show progress on the last line of stderr; the next output overwrites it."""
    click.echo(f"{printable(text)}\x1b[K\r", nl=False, err=True)
