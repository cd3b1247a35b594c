"""Printing data: json and csv row by row as they come, tables for people.

Nothing is kept: memory stays flat however long the history is. A terminal gets a table with colour, everything else
plain text.
"""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

Row = Mapping[str, object]

_LEGIBLE = 8
"""Characters of a column that are enough to read it, folded."""
_BETWEEN = 2


def write_json(rows: Iterable[Row]) -> None:
    """One array, an object a line."""
    separator = "[\n"
    for row in rows:
        sys.stdout.write(separator + json.dumps(row, ensure_ascii=False))
        separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")


def write_csv(columns: Sequence[str], rows: Iterable[Row]) -> None:
    """With a header; None is an empty cell."""
    csv.writer(sys.stdout, lineterminator="\n").writerow(columns)
    write_rows(columns, rows)


def write_rows(columns: Sequence[str], rows: Iterable[Row]) -> None:
    """More rows of a csv whose header is written; what is no column is left out."""
    writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore", lineterminator="\n")
    for row in rows:
        writer.writerow(row)


@dataclass(frozen=True, slots=True)
class Table:
    """For people. The columns named in `numbers` are aligned to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[str] = frozenset()

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
            sys.stdout.write("  ".join(cells).rstrip() + "\n")

    def _rich(self) -> None:
        from rich import box, console, table, text  # noqa: PLC0415 -- on use: only terminals need it

        terminal = console.Console(file=sys.stdout, highlight=False)
        if terminal.width < self._narrowest():
            terminal.print(*(text.Text.assemble(*line) for line in self._stacked()), sep="\n", soft_wrap=True)
            return
        shown = table.Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in self.columns:
            shown.add_column(name, justify="right" if name in self.numbers else "left", overflow="fold")
        for row in self.rows:
            shown.add_row(*(text.Text(cell, style=STYLES.get(cell, "")) for cell in row))
        terminal.print(shown)

    def _narrowest(self) -> int:
        """With less room than this, columns would be too narrow to be read."""
        columns = zip(self.columns, *self.rows, strict=True)
        return sum(min(_LEGIBLE, max(map(len, cells))) + _BETWEEN for cells in columns)

    def _stacked(self) -> Iterator[tuple[str | tuple[str, str], ...]]:
        """For a phone: a line per cell, with the name of its column; an empty line between the rows."""
        width = max(map(len, self.columns))
        for row in self.rows:
            for name, cell in zip(self.columns, row, strict=True):
                if cell:
                    yield f"{name:<{width}}  ", (cell, STYLES.get(cell, ""))
            yield ("",)


STYLES = {
    "critical": "bold red",
    "firing": "bold red",
    "warning": "yellow",
    "pending": "yellow",
    "resolved": "green",
    "delivered": "green",
}
"""The colour of words that stand alone in a cell."""


def counted(number: int, what: str) -> str:
    """`1 input`, `2 inputs`, `1,000 inputs`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def exact(value: Decimal | None) -> str | None:
    """For programs: all digits, without an exponent or zeros that say nothing; infinities as `Infinity`."""
    if value is None or not value.is_finite():
        return None if value is None else str(value)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
