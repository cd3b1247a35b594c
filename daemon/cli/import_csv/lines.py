"""Parsing a CSV file of readings: columns, cells, and every mistake with its line. Pure.

    account,time,available_margin,al_freeze
    main,2026-01-01T03:12:00+01:00,996660.6064387699,12.5
    main,1767233525,996651.2,

An empty cell is a field that was not sent, never a zero. Nothing is guessed: semicolons and decimal
commas are refused, since `1,234` has two meanings. Output of `marginwatch history --format csv` and
of the view `balances` is accepted unchanged.
"""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal
from difflib import get_close_matches
from itertools import chain

from daemon.cli.output import times
from daemon.config.parse.values import name
from daemon.config.problems import MistakeError, format_value
from daemon.exchanges.common.responses import MAX_AMOUNT, MAX_DECIMALS
from daemon.readings.fields import NAMES, SENT, SPELLINGS, find_field
from daemon.types import Balances, Millis, Quality

MAX_ROW = 10_000
"""The most characters of a row; a row of all columns has about 300."""

ACCOUNT, TIME, QUALITY = "account", "time", "quality"

IGNORED = ""
"""The meaning of a column that is not stored: import computes it."""

DERIVED = tuple(each for each in NAMES if each not in SENT)

SECONDS = range(10**9, 10**11)
"""Numbers that are times in seconds: from 2001 on, with ten digits until 2286."""

MILLISECONDS = range(10**12, 10**14)
"""Numbers that are times in milliseconds: from 2001 on, with thirteen digits until 2286."""

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_EPOCH = re.compile(r"[0-9]{1,16}(\.[0-9]{1,9})?")
_COMMA = re.compile(r"[+-]?[0-9.]*,[0-9]+")
_NO_TEXT = re.compile(r"[\0\ud800-\udfff]")
"""Matches surrogates, which stand for bytes that are not UTF-8, and the NULs of UTF-16."""
_BETWEEN_WORDS = re.compile(r"[\s_-]+")

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}

_OTHER_FORMATS = {
    "\x1f\udc8b": "is compressed by gzip: unpack it first, with gunzip",
    "PK\x03\x04": "is a spreadsheet or an archive: save the readings as CSV",
    "SQLite format 3\0": (
        "is a database: write CSV with marginwatch history --format csv, and import that"
    ),
    "\udcff\udcfe": "is text in UTF-16: save it as UTF-8 CSV",
    "\udcfe\udcff": "is text in UTF-16: save it as UTF-8 CSV",  # noqa: F601 -- other surrogates
    "{": "is JSON: import reads CSV, such as marginwatch history --format csv writes",
    "[": "is JSON: import reads CSV, such as marginwatch history --format csv writes",
}
"""The first characters of common files that are not CSV, and what to do about each."""


@dataclass(frozen=True, slots=True)
class CsvLine:
    """A line without mistakes."""

    account: str
    at: Millis
    balances: Balances
    quality: Quality = Quality.OK
    number: int = field(default=0, compare=False)
    """The line's number, from 1."""


@dataclass(frozen=True, slots=True)
class Mistake:
    line: int
    """The line's number, from 1."""
    text: str


class _ColumnsError(ValueError):
    """The first line cannot be used; `args` are all its mistakes."""


class _NoTextError(ValueError):
    """The file is not UTF-8 text; the sentence says what it is instead."""


def lines(text: Iterable[str], zone: tzinfo | None, now: Millis) -> Iterator[CsvLine | Mistake]:
    """Parse the text into lines and mistakes.

    Times without a zone are in `zone` (None is the system's); a time after `now` is a mistake.
    """
    legible = _Legible(text)
    rows = csv.reader(legible, skipinitialspace=True)
    filled = (
        [cell.strip() for cell in row]
        for row in legible.each(rows)
        if any(cell.strip() for cell in row)
    )
    try:
        columns = _columns(next(filled, []))
        for cells in filled:
            try:
                yield _line(cells, columns, zone, now, rows.line_num)
            except MistakeError as mistake:
                yield Mistake(rows.line_num, str(mistake))
    except _ColumnsError as wrong:
        yield from (Mistake(max(rows.line_num, 1), sentence) for sentence in wrong.args)
    except _NoTextError as wrong:
        yield Mistake(rows.line_num + 1, str(wrong))
    except csv.Error as error:
        yield Mistake(
            rows.line_num, f"is no CSV ({error}): a quotation mark may be missing its partner"
        )


class _Legible:
    """Feeds lines to the CSV reader; refuses what is not text, and rows longer than MAX_ROW."""

    def __init__(self, text: Iterable[str]) -> None:
        self._lines = _text(text)
        self._row = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._row += len(line)
        if self._row > MAX_ROW:
            raise _NoTextError(
                f"has more than {MAX_ROW:,} characters: a quotation mark may be missing its"
                " partner, or this is no CSV of readings"
            )
        return line

    def each(self, rows: Iterable[list[str]]) -> Iterator[list[str]]:
        """Pass the rows through, and count the length of each one anew."""
        for row in rows:
            self._row = 0
            yield row


def _text(text: Iterable[str]) -> Iterator[str]:
    remaining = iter(text)
    first = next(remaining, "")
    for signature, remedy in _OTHER_FORMATS.items():
        if first.startswith(signature):
            raise _NoTextError(remedy)
    for line in chain([first], remaining):
        if _NO_TEXT.search(line):
            raise _NoTextError("this is not UTF-8 text; save it as UTF-8 CSV")
        yield line


def _columns(header: Sequence[str]) -> list[str]:
    """The meaning of each column: account, time, quality, a field in our spelling, or `IGNORED`.

    Raises _ColumnsError with every mistake of the first line.
    """
    if not header:
        raise _ColumnsError(
            f"is empty: the first line names the columns, such as {ACCOUNT},{TIME},available_margin"
        )
    separator = next((each for each in _SEPARATORS if len(header) == 1 and each in header[0]), None)
    if separator is not None:
        raise _ColumnsError(
            f"separates its columns by {_SEPARATORS[separator]}: save the file as CSV with commas"
            " and decimal points"
        )
    named_columns = _without_empty_end(header, 0)
    columns = [_meaning(word) for word in named_columns]
    unknown = [
        word for word, meaning in zip(named_columns, columns, strict=True) if meaning is None
    ]
    known = [meaning for meaning in columns if meaning is not None]
    mistakes = [
        *map(_unknown_column, unknown),
        *_contradictions(known, set(map(_nearest, unknown))),
    ]
    if mistakes:
        raise _ColumnsError(*mistakes)
    return known


def _without_empty_end(cells: Sequence[str], least: int) -> list[str]:
    """The cells without empty ones at the end, but at least `least` of them.

    Spreadsheets write commas up to their widest line.
    """
    end = len(cells)
    while end > least and not cells[end - 1]:
        end -= 1
    return list(cells[:end])


def _meaning(word: str) -> str | None:
    """The meaning of a column's name, in any case and spelling; None where it is unknown."""
    return _MEANINGS.get(_folded(word))


def _folded(word: str) -> str:
    return _BETWEEN_WORDS.sub("", word).lower()


_MEANINGS = {
    **{_folded(each): each for each in (ACCOUNT, TIME, QUALITY, *SENT)},
    "at": TIME,  # as history calls it
    **{_folded(each): IGNORED for each in ("seq", "source", *DERIVED)},
}

_SUGGESTED = {
    each.lower(): each for each in (ACCOUNT, TIME, *SPELLINGS) if find_field(each) not in DERIVED
}


def _nearest(word: str) -> str | None:
    near = get_close_matches(word.lower(), _SUGGESTED, 1)
    return _SUGGESTED[near[0]] if near else None


def _unknown_column(word: str) -> str:
    near = _nearest(word)
    remedy = f'did you mean "{near}"?' if near else "leave it out"
    return (
        f"has the column {format_value(word)}, which is none of account, time and the fields sent:"
        f" {remedy}"
    )


def _contradictions(columns: Sequence[str], suggested: Collection[str | None]) -> Iterator[str]:
    """Mistakes for missing and duplicate columns; a suggested column does not count as missing."""
    for needed in (ACCOUNT, TIME):
        if needed not in columns and needed not in suggested:
            yield f'has no column "{needed}": the first line names the columns'
    fields = {_meaning(each) for each in suggested if each} | set(columns)
    if fields.isdisjoint(SENT):
        yield f"has no column of a field: there are {', '.join(SENT)}"
    for double in dict.fromkeys(
        each for each in columns if each != IGNORED and columns.count(each) > 1
    ):
        spelled = "time or at" if double == TIME else double
        yield f'has two columns "{spelled}": leave one out'


def _line(
    cells: Sequence[str], columns: Sequence[str], zone: tzinfo | None, now: Millis, number: int
) -> CsvLine:
    cells = _without_empty_end(cells, len(columns))
    if len(cells) != len(columns):
        why = (
            "are cells missing?"
            if len(cells) < len(columns)
            else "is there a decimal comma? Write a point"
        )
        raise MistakeError(
            f"the first line has {len(columns)} columns, and this one {len(cells)}: {why}"
        )
    by_column = dict(zip(columns, cells, strict=True))
    account, at = _account(by_column[ACCOUNT]), _instant(by_column[TIME], zone, now)
    quality = _quality(by_column.get(QUALITY, ""))
    amounts = {each: _amount(each, by_column[each]) for each in SENT if by_column.get(each)}
    if not amounts:
        raise MistakeError("has no value of any field: leave the line out")
    return CsvLine(account, at, Balances(**amounts), quality, number)


def _account(cell: str) -> str:
    try:
        return name(cell)
    except MistakeError as mistake:
        raise MistakeError(f"{ACCOUNT}: {mistake}") from None


def _quality(cell: str) -> Quality:
    """The quality of a reading, which only our own files contain; the default is `ok`."""
    try:
        return Quality(cell.lower() or Quality.OK)
    except ValueError:
        known = ", ".join(Quality)
        raise MistakeError(
            f"{QUALITY}: {format_value(cell)} is none of {known}: correct it, or leave the"
            " column out"
        ) from None


def _instant(cell: str, zone: tzinfo | None, now: Millis) -> Millis:
    at = _since_1970(cell) if _EPOCH.fullmatch(cell) else _written(cell, zone)
    if at < 0:
        raise MistakeError(f"{TIME}: {format_value(cell)} lies before 1970")
    if at > now:
        raise MistakeError(
            f"{TIME}: {format_value(cell)} lies in the future: only what has been can be imported"
        )
    return at


def _since_1970(cell: str) -> Millis:
    number = Decimal(cell)
    if int(number) in SECONDS:
        return int(number * 1_000)
    if int(number) in MILLISECONDS:
        return int(number)
    raise MistakeError(
        f"{TIME}: {format_value(cell)} is no plausible time: seconds since 1970 have 10 digits now,"
        " milliseconds 13"
    )


def _written(cell: str, zone: tzinfo | None) -> Millis:
    try:
        return times.parse_iso(cell, zone)
    except times.WallTimeError as error:
        raise MistakeError(f"{TIME}: {format_value(cell)} {error}") from None
    except (ValueError, OverflowError, OSError):
        raise MistakeError(
            f"{TIME}: {format_value(cell)} is no time: write ISO 8601 such as 2026-11-22T03:12:00,"
            " or seconds or milliseconds since 1970"
        ) from None


def _amount(field: str, cell: str) -> Decimal:
    if _COMMA.fullmatch(cell):
        raise MistakeError(
            f"{field}: {format_value(cell)} has a decimal comma: write a point, and no separator of"
            " thousands"
        )
    if not _NUMBER.fullmatch(cell):
        raise MistakeError(
            f"{field}: {format_value(cell)} is no number: write digits with a decimal point, or"
            " leave the cell empty"
        )
    value = Decimal(cell)
    decimals = -int(value.as_tuple().exponent)
    if value.copy_abs() >= MAX_AMOUNT or decimals > MAX_DECIMALS:
        raise MistakeError(
            f"{field}: {format_value(cell)} is no amount in USDT: it is too long or too large"
        )
    return value
