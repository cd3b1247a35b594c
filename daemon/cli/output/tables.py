"""Printing data: json and csv row by row, tables for people, and the texts of their cells.

Rows of json and csv are not kept, so memory does not grow with the history. A terminal gets a
table with colour, everything else plain text.
"""

import csv
import json
import re
import sys
import textwrap
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from daemon.cli.output.terminal import STDOUT, Writable, encodable, say, terminal_width
from daemon.cli.output.times import DisplayClock
from daemon.text.names import rule_label
from daemon.text.numbers import is_duration
from daemon.text.printable import printable, printable_json
from daemon.types import DecidingComparison, Millis, Outcome, State

Row = Mapping[str, object]

T = TypeVar("T")

MOST = 100
"""The most entries of a listing's table."""

_BETWEEN = 2
"""Spaces between two columns; where columns are optional, one if that helps."""

_LONG = 26
"""Characters of a cell above which it rather goes on below than that another column is left out."""


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


def write_csv(columns: Sequence[str], rows: Iterable[Row], file: Writable = STDOUT) -> None:
    """Print a header and rows, or write them to a file; None is an empty cell."""
    csv.writer(file, lineterminator="\n").writerow(columns)
    write_rows(columns, rows, file)


def write_rows(columns: Sequence[str], rows: Iterable[Row], file: Writable = STDOUT) -> None:
    """Print rows of a csv whose header is written; keys that are no column are left out."""
    writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
    for row in rows:
        writer.writerow(
            {name: printable(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
        )


def flat_row(row: Row) -> Row:
    """The row with its tuples joined, for csv."""
    return {
        name: ", ".join(value) if isinstance(value, tuple) else value for name, value in row.items()
    }


def cell_time(clock: DisplayClock, at: Millis) -> str:
    """An instant in a cell: short on a terminal, with its date in a pipe, as that may be kept."""
    return clock.short_time(at) if sys.stdout.isatty() else clock.clock_time(at)


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
    return terminal_width() if sys.stdout.isatty() else sys.maxsize


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people; the columns named in `numbers` are aligned to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[str] = frozenset()
    optional: Sequence[str] = ()
    """Columns that a narrow terminal may lack, the first one first; a line above says so."""
    severities: Sequence[str] = ()
    """The severity of each row, which gives `firing` its colour; none if empty."""

    def __post_init__(self) -> None:
        """Escape the cells first, so that widths are measured as printed."""
        rows = [[encodable(printable(cell)) for cell in row] for row in self.rows]
        object.__setattr__(self, "rows", rows)

    @property
    def width(self) -> int:
        """Columns of a terminal that it needs so that no cell is wrapped."""
        return sum(each + _BETWEEN for each in self._whole()) - _BETWEEN

    def write(self) -> None:
        if not sys.stdout.isatty():
            self._plain()
            return
        width = terminal_width()
        shown, gap = self._fitting(width)
        left_out = [name for name in self.columns if name not in shown.columns]
        if left_out:
            say(f"no room for {', '.join(map(self._left_out, left_out))}")
        shown.write_columns(width, gap)

    def _left_out(self, name: str) -> str:
        """The column's name; with its value, where that is the same in all rows."""
        index = list(self.columns).index(name)
        values = {row[index] for row in self.rows} - {""}
        return f"{name} ({values.pop()} in all)" if len(values) == 1 else name

    def _fitting(self, room: int) -> tuple["Table", int]:
        """The table without as many columns as it takes, and the spaces between two of them.

        It is the whole table where that cannot help: then its rows are stacked.
        """
        gaps = (_BETWEEN, 1) if self.optional else (_BETWEEN,)
        table = self
        for dropped in range(len(self.optional) + 1):
            table = self._without(self.optional[:dropped])
            needed = sum(map(_comfortable, table.cells()))
            for gap in gaps:
                if needed + gap * (len(table.columns) - 1) <= room:
                    return table, gap
        has_room = table.widths(room, gaps[-1]) is not None
        return (table, gaps[-1]) if has_room else (self, _BETWEEN)

    def _without(self, dropped: Sequence[str]) -> "Table":
        kept = [index for index, name in enumerate(self.columns) if name not in dropped]
        columns = [self.columns[index] for index in kept]
        rows = [[row[index] for index in kept] for row in self.rows]
        return Table(columns, rows, self.numbers, severities=self.severities)

    def _whole(self) -> list[int]:
        """The widths of the columns in which no cell is wrapped."""
        return [max(map(len, cells)) for cells in self.cells()]

    def cells(self) -> list[tuple[str, ...]]:
        """The cells of each column, below its name."""
        return list(zip(self.columns, *self.rows, strict=True))

    def _plain(self) -> None:
        widths = self._whole()
        for row in (self.columns, *self.rows):
            cells = [
                cell.rjust(width) if name in self.numbers else cell.ljust(width)
                for name, cell, width in zip(self.columns, row, widths, strict=True)
            ]
            STDOUT.write("  ".join(cells).rstrip() + "\n")

    def write_columns(self, room: int, gap: int = _BETWEEN) -> None:
        """Print it on a terminal that wide, or stacked where it has no room for the columns."""
        from rich import box, console, table, text  # noqa: PLC0415 -- on use

        # rich would take COLUMNS=0 literally
        terminal = console.Console(file=sys.stdout, highlight=False, width=room)
        widths = self.widths(terminal.width, gap)
        if widths is None:
            lines = (text.Text.assemble(*line) for line in self._stacked(terminal.width))
            terminal.print(*lines, sep="\n", soft_wrap=True)
            return
        shown = table.Table(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            show_edge=False,
            collapse_padding=True,
            padding=(0, gap - 1),
        )
        for name, width in zip(self.columns, widths, strict=True):
            shown.add_column(name, justify="right" if name in self.numbers else "left", width=width)
        for index, row in enumerate(self.rows):
            cells = zip(row, widths, strict=True)
            shown.add_row(
                *(
                    text.Text("\n".join(_wrapped(cell, width)), style=self._style(cell, index))
                    for cell, width in cells
                )
            )
        terminal.print(shown)

    def _style(self, cell: str, index: int) -> str:
        """The colour of a cell; what fires has that of its severity."""
        if cell == State.FIRING and self.severities:
            cell = self.severities[index]
        return STYLES.get(cell, "")

    def widths(self, room: int, gap: int) -> list[int] | None:
        """The widths of the columns, such that no word, number or time is cut.

        None where stacked rows would be no longer than such a table.
        """
        whole = self._whole()
        widths = [_least(cells) for cells in self.cells()]
        left = room - sum(widths) - gap * (len(widths) - 1)
        for wished in (list(map(_comfortable, self.cells())), whole):
            missing = [wish - width for wish, width in zip(wished, widths, strict=True)]
            for index in sorted(range(len(widths)), key=missing.__getitem__):
                more = max(0, min(left, missing[index]))
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

        An empty line ends each row. On the narrowest ones a cell stands below its column's name.
        """
        width = max(map(len, self.columns)) + _BETWEEN
        below = any(width + _least(cells[1:]) > room for cells in self.cells() if cells[1:])
        for index, row in enumerate(self.rows):
            for name, cell in zip(self.columns, row, strict=True):
                first, *more = _wrapped(cell, room - (_BETWEEN if below else width))
                if below and cell:
                    yield (name,)
                head = " " * (_BETWEEN if below else width)
                if cell:
                    yield (head if below else f"{name:<{width}}"), (first, self._style(cell, index))
                yield from ((head, line) for line in more)
            yield ("",)


_UNBROKEN = re.compile(
    r"(?<=\d) (?=(?:ms|s|min|h|d)\b)"  # a number and its unit
    r"|(?<=\d (?:h|d)) (?=\d)|(?<=\d min) (?=\d)"  # a duration of two units
    r"|(?<=\d\d|[a-z]{2}) (?=\d\d:\d\d:)|(?<=\d\d) (?=[A-Z][a-z]{2} \d\d:)"  # a day and time
)
"""Matches the spaces at which no line of a cell ends."""

_GLUE = "\N{NO-BREAK SPACE}"


def _least(cells: Sequence[str]) -> int:
    """The width in which all words, numbers and times of a column are whole."""
    return max(len(word) for cell in cells for word in _words(cell))


def _comfortable(cells: Sequence[str]) -> int:
    """The width in which most cells of a column have one line."""
    lengths = sorted(len(cell) for cell in cells if cell)
    most = lengths[len(lengths) * 3 // 4]
    return max(_least(cells), min(most, _LONG))


def _words(cell: str) -> list[str]:
    """The parts of a cell that stay whole."""
    return re.split(r"[ \t\n]+", _UNBROKEN.sub(_GLUE, cell.strip()))


def _wrapped(cell: str, width: int) -> list[str]:
    """The lines of a cell; only a word wider than the cell is cut."""
    glued = _UNBROKEN.sub(_GLUE, cell)
    if max(map(len, _words(cell))) > width:  # a number may stand above its unit, if need be
        glued = cell
    lines = textwrap.wrap(glued, max(width, 1), break_on_hyphens=False) or [""]
    return [line.replace(_GLUE, " ") for line in lines]


STYLES = {
    "critical": "bold red",
    "firing": "bold red",
    "warning": "yellow",
    "info": "cyan",
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


def rule_row(rule: str) -> Row:
    """For programs, the recorded name of a rule; where tables spell it otherwise, that as well."""
    label = rule_label(rule)
    return {"rule": rule} if label == rule else {"rule": rule, "label": label}


def value_unit(value: Decimal | None, judged: DecidingComparison | None) -> Row:
    """For programs, the unit of a value that is a duration; nothing for an amount or a ratio."""
    return {"unit": "ms"} if value is not None and is_duration(judged) else {}


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
