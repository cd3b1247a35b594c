"""Printing data: json and csv row by row, tables for people, and the texts of their cells.

Rows of json and csv are not kept, so memory does not grow with the history. A terminal gets a
table with colour, everything else plain text.
"""

import csv
import json
import shutil
import sys
import textwrap
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from daemon.cli.output.terminal import STDOUT
from daemon.text.printable import printable, printable_json
from daemon.types import Outcome

Row = Mapping[str, object]

T = TypeVar("T")

MOST = 100
"""The most entries of a listing's table."""

_BETWEEN = 2
"""Spaces between two columns."""


def to_json(value: object, indent: int | None = None) -> str:
    """JSON for terminals: letters of any script stay, hidden characters are escaped."""
    return printable_json(json.dumps(value, ensure_ascii=False, indent=indent))


def write_json(rows: Iterable[Row]) -> None:
    """Print one array, with an object per line."""
    separator = "[\n"
    for row in rows:
        STDOUT.write(separator + to_json(row))
        separator = ",\n"
    STDOUT.write("[]\n" if separator == "[\n" else "\n]\n")


def write_csv(columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Print a header and rows; None is an empty cell."""
    csv.writer(STDOUT, lineterminator="\n").writerow(columns)
    write_rows(columns, rows)


def write_rows(columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Print rows of a csv whose header is written; keys that are no column are left out."""
    writer = csv.DictWriter(STDOUT, columns, extrasaction="ignore", lineterminator="\n")
    for row in rows:
        writer.writerow(
            {name: printable(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
        )


def last_of(found: Iterable[T], what: str) -> tuple[Sequence[T], str]:
    """The last entries of a listing, and a sentence where there are more, or none; else ""."""
    last: deque[T] = deque(maxlen=MOST)
    count = 0
    for each in found:
        last.append(each)
        count += 1
    if not last:
        return last, f"no {what} in this span; an earlier --since looks further back"
    more = f"the last {MOST} of {count} {what}; --format csv and --format json have all"
    return last, more if count > MOST else ""


def room() -> int:
    """Columns of the terminal; without end where the output is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize


def say(sentence: str) -> None:
    """Print a sentence, wrapped between words on a narrow terminal."""
    sentence = printable(sentence)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else len(sentence)
    for line in _wrapped(sentence, width):
        STDOUT.write(f"{line}\n")


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people; the columns named in `numbers` are aligned to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Escape the cells first, so that widths are measured as printed."""
        object.__setattr__(self, "rows", [[printable(cell) for cell in row] for row in self.rows])

    @property
    def width(self) -> int:
        """Columns of a terminal that it needs so that no cell is wrapped."""
        cells = zip(self.columns, *self.rows, strict=True)
        return sum(max(map(len, column)) + _BETWEEN for column in cells) - _BETWEEN

    def write(self) -> None:
        if sys.stdout.isatty():
            self._rich()
        else:
            self._plain()

    def _plain(self) -> None:
        widths = [max(map(len, cells)) for cells in zip(self.columns, *self.rows, strict=True)]
        for row in (self.columns, *self.rows):
            cells = [
                cell.rjust(width) if name in self.numbers else cell.ljust(width)
                for name, cell, width in zip(self.columns, row, widths, strict=True)
            ]
            STDOUT.write("  ".join(cells).rstrip() + "\n")

    def _rich(self) -> None:
        from rich import box, console, table, text  # noqa: PLC0415 -- on use

        room = shutil.get_terminal_size().columns  # rich would take COLUMNS=0 literally
        terminal = console.Console(file=sys.stdout, highlight=False, width=room)
        widths = self._widths(terminal.width)
        if widths is None:
            lines = (text.Text.assemble(*line) for line in self._stacked(terminal.width))
            terminal.print(*lines, sep="\n", soft_wrap=True)
            return
        shown = table.Table(
            box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True
        )
        for name, width in zip(self.columns, widths, strict=True):
            shown.add_column(name, justify="right" if name in self.numbers else "left", width=width)
        for row in self.rows:
            shown.add_row(*(text.Text(cell, style=STYLES.get(cell, "")) for cell in row))
        terminal.print(shown)

    def _widths(self, room: int) -> list[int] | None:
        """The widths of the columns, such that no word is cut.

        None where stacked rows would be no longer than such a table.
        """
        columns = list(zip(self.columns, *self.rows, strict=True))
        whole = [max(map(len, cells)) for cells in columns]
        widths = [
            max(len(word) for cell in cells for word in (cell.split() or [""])) for cells in columns
        ]
        left = room - sum(widths) - _BETWEEN * (len(columns) - 1)
        for index in sorted(range(len(columns)), key=lambda index: whole[index] - widths[index]):
            more = max(0, min(left, whole[index] - widths[index]))
            widths[index] += more
            left -= more
        if left < 0 or self._lines(widths) >= sum(1 for _ in self._stacked(room)):
            return None
        return widths

    def _lines(self, widths: Sequence[int]) -> int:
        """The number of lines of the table with columns of these widths."""
        return sum(
            max(len(_wrapped(*each)) for each in zip(row, widths, strict=True)) for row in self.rows
        )

    def _stacked(self, room: int) -> Iterator[tuple[str | tuple[str, str], ...]]:
        """Lines with one cell each, behind its column's name, for a narrow terminal.

        An empty line ends each row.
        """
        width = max(map(len, self.columns)) + _BETWEEN
        for row in self.rows:
            for name, cell in zip(self.columns, row, strict=True):
                first, *more = _wrapped(cell, room - width)
                if cell:
                    yield f"{name:<{width}}", (first, STYLES.get(cell, ""))
                yield from ((" " * width, line) for line in more)
            yield ("",)


def _wrapped(cell: str, width: int) -> list[str]:
    """The lines of a cell; only a word wider than the cell is cut."""
    return textwrap.wrap(cell, max(width, 1), break_on_hyphens=False) or [""]


STYLES = {
    "critical": "bold red",
    "firing": "bold red",
    "warning": "yellow",
    "pending": "yellow",
    "resolved": "green",
    "delivered": "green",
}
"""The colours of words that stand alone in a cell."""


def counted(number: int, what: str) -> str:
    """`1 input`, `2 inputs`, `1,000 inputs`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def exact(value: Decimal | None) -> str | None:
    """The value for programs: all digits, no exponent, no trailing zeros; `Infinity` as such."""
    if value is None:
        return None
    if not value.is_finite():
        return str(value)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


_OUTCOMES = {
    Outcome.DELIVERED: "delivered",
    Outcome.REFUSED: "refused for good",
    Outcome.LATER: "not delivered",
    Outcome.UNKNOWN: "unknown",
    Outcome.NEVER_MADE: "never made",
}


def attempt_text(outcome: Outcome, detail: str) -> str:
    """The outcome of a delivery attempt, with the channel's answer."""
    word = _OUTCOMES[outcome]
    return f"{word}: {detail}" if detail else word
