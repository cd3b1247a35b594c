"""A CSV file of readings, line by line: its columns, its cells, and every mistake with its line. Pure.

    account,time,available_margin,al_freeze
    main,2026-01-01T03:12:00+01:00,996660.6064387699,12.5
    main,1767233525,996651.2,

An empty cell is a field that was not sent, never a zero. Nothing is guessed: semicolons and decimal commas are refused,
since `1,234` means two things.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal
from difflib import get_close_matches

from daemon.cli import times
from daemon.config.problems import MistakeError, shown
from daemon.config.values import name
from daemon.readings.fields import NAMES, SENT, SPELLINGS, named
from daemon.types import Balances, Millis

ACCOUNT, TIME = "account", "time"

SECONDS = range(10**9, 10**11)
"""A number that is a time in seconds: from 2001 on, with ten digits until 2286."""

MILLISECONDS = range(10**12, 10**14)
"""A number that is a time in milliseconds: from 2001 on, with thirteen digits until 2286."""

MOST = Decimal(10**15)
"""No balance in USDT is that large, so that what is has another meaning."""

DIGITS = 40

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_EPOCH = re.compile(r"[0-9]{1,16}(\.[0-9]{1,9})?")
_COMMA = re.compile(r"[+-]?[0-9.]*,[0-9]+")
_NO_TEXT = re.compile(r"[\0\ud800-\udfff]")
"""What stands for bytes that are no UTF-8, and what text in UTF-16 without a mark is full of."""


@dataclass(frozen=True, slots=True)
class Line:
    """A good one."""

    account: str
    at: Millis
    balances: Balances
    number: int = field(default=0, compare=False)
    """The first one is 1."""


@dataclass(frozen=True, slots=True)
class Mistake:
    line: int
    """The first one is 1."""
    text: str


def lines(text: Iterable[str], zone: tzinfo | None, now: Millis) -> Iterator[Line | Mistake]:
    """What the file says. Times without a zone are in `zone` (None is the system's) and none is later than `now`."""
    rows = csv.reader(_legible(text), skipinitialspace=True)
    columns: Sequence[str] = ()
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            try:
                if columns:
                    account, at, balances = _line([cell.strip() for cell in row], columns, zone, now)
                    yield Line(account, at, balances, rows.line_num)
                else:
                    columns = _columns([cell.strip() for cell in row])
            except MistakeError as mistake:
                yield Mistake(rows.line_num, str(mistake))
                if not columns:
                    return
    except _NoTextError:
        yield Mistake(rows.line_num + 1, "this is not UTF-8 text; save it as UTF-8 CSV")
        return
    except csv.Error as error:
        yield Mistake(rows.line_num, f"is no CSV ({error}): a quotation mark may be missing its partner")
        return
    if not columns:
        yield Mistake(1, f"is empty: the first line names the columns, such as {ACCOUNT},{TIME},available_margin")


class _NoTextError(ValueError):
    pass


def _legible(text: Iterable[str]) -> Iterator[str]:
    for line in text:
        if _NO_TEXT.search(line):
            raise _NoTextError
        yield line


def _columns(header: Sequence[str]) -> list[str]:
    """The fields by column, in our spelling."""
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        separator = "semicolons" if ";" in header[0] else "tabs"
        raise MistakeError(f"separates its columns by {separator}: save the file as CSV with commas and decimal points")
    columns = [_column(word) for word in header]
    for needed in (ACCOUNT, TIME):
        if needed not in columns:
            raise MistakeError(f'has no column "{needed}": the first line names the columns')
    if len(columns) == len((ACCOUNT, TIME)):
        raise MistakeError(f"has no column of a field: there are {', '.join(SENT)}")
    double = next((each for each in columns if columns.count(each) > 1), None)
    if double is not None:
        raise MistakeError(f'has two columns "{double}": leave one out')
    return columns


def _column(word: str) -> str:
    if word.lower() in {ACCOUNT, TIME}:
        return word.lower()
    field = named(word)
    if field in SENT:
        return field
    if field in NAMES:
        raise MistakeError(f"has the column {shown(word)}, which is derived from other fields: leave it out")
    known = [each for each in (ACCOUNT, TIME, *SPELLINGS) if named(each) in SENT or each in {ACCOUNT, TIME}]
    near = get_close_matches(word, known, 1)
    hint = f'did you mean "{near[0]}"?' if near else "leave it out"
    raise MistakeError(f"has the column {shown(word)}, which is none of account, time and the fields sent: {hint}")


def _line(
    cells: Sequence[str], columns: Sequence[str], zone: tzinfo | None, now: Millis
) -> tuple[str, Millis, Balances]:
    if len(cells) != len(columns):
        why = "are cells missing?" if len(cells) < len(columns) else "is there a decimal comma? Write a point"
        raise MistakeError(f"the first line has {len(columns)} columns, and this one {len(cells)}: {why}")
    by_column = dict(zip(columns, cells, strict=True))
    account, at = _account(by_column.pop(ACCOUNT)), _instant(by_column.pop(TIME), zone, now)
    amounts = {field: _amount(field, cell) for field, cell in by_column.items() if cell}
    if not amounts:
        raise MistakeError("has no value of any field: leave the line out")
    return account, at, Balances(**amounts)


def _account(cell: str) -> str:
    try:
        return name(cell)
    except MistakeError as mistake:
        raise MistakeError(f"{ACCOUNT}: {mistake}") from None


def _instant(cell: str, zone: tzinfo | None, now: Millis) -> Millis:
    at = _since_1970(cell) if _EPOCH.fullmatch(cell) else _written(cell, zone)
    if at < 0:
        raise MistakeError(f"{TIME}: {shown(cell)} lies before 1970")
    if at > now:
        raise MistakeError(f"{TIME}: {shown(cell)} lies in the future: only what has been can be imported")
    return at


def _since_1970(cell: str) -> Millis:
    number = Decimal(cell)
    if int(number) in SECONDS:
        return int(number * 1_000)
    if int(number) in MILLISECONDS:
        return int(number)
    raise MistakeError(
        f"{TIME}: {shown(cell)} is no plausible time: seconds since 1970 have 10 digits now, milliseconds 13"
    )


def _written(cell: str, zone: tzinfo | None) -> Millis:
    try:
        return times.written(cell, zone)
    except times.WallTimeError as error:
        raise MistakeError(f"{TIME}: {shown(cell)} {error}") from None
    except (ValueError, OverflowError, OSError):
        raise MistakeError(
            f"{TIME}: {shown(cell)} is no time: write ISO 8601 such as 2026-11-22T03:12:00, or seconds or milliseconds "
            "since 1970"
        ) from None


def _amount(field: str, cell: str) -> Decimal:
    if _COMMA.fullmatch(cell):
        raise MistakeError(f"{field}: {shown(cell)} has a decimal comma: write a point, and no separator of thousands")
    if not _NUMBER.fullmatch(cell):
        raise MistakeError(
            f"{field}: {shown(cell)} is no number: write digits with a decimal point, or leave the cell empty"
        )
    value = Decimal(cell)
    if abs(value) >= MOST or len(cell) > DIGITS:
        raise MistakeError(f"{field}: {shown(cell)} is no amount in USDT: it is too long or too large")
    return value
