"""A series of readings in one line: `500 -10x45 _x3 480`. Pure.

    500        a reading of 500
    -10        a reading that is 10 less than the one before; +2.5 likewise
    =-20       a reading of -20
    ?          a reading in which this field was not sent
    _  _auth   a miss, with its reason
    ~10m       no attempt until 10 minutes after the last one

All but `~` may be followed by a count: `480x10`, `-10x30`, `_x5`, `_auth x3`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import TypeAlias

from daemon.readings.exact import EXACT
from daemon.rules.language.build import quote
from daemon.rules.language.errors import ExpressionError
from daemon.text.durations import parse_duration
from daemon.types import DAY, Millis, MissReason

MOST = 100_000
"""Most attempts of a series, and of a test case."""

LONGEST: Millis = 366 * DAY
"""Longest pause."""

Slot: TypeAlias = Decimal | MissReason | None
"""Result of one attempt: a value, the reason of a miss, or None if the field was not sent."""

_WORD = re.compile(r"\S+(?:\s+x\d\S*)?")
_REPEATED = re.compile(r"(.*?)(?:\s*x(\d+))?", re.DOTALL)
_NUMBER = re.compile(r"(=[+-]?|[+-]?)(\d{1,30}(?:\.\d{1,30})?)")
_BEGINNING = re.compile(r"=?[+-]?\d*(?:\.\d+)?")

_INSTEAD = {
    "−": "write the minus as `-`",  # noqa: RUF001 -- a person may paste it
    "…": "write how often behind an `x`, as in `480x10`",
    "x*": "a series goes on by itself as it ended, so leave `x*` out",
    ",": "values are separated by blanks, and decimals written with a point",
    "x": "write how often behind the `x`, as in `480x10`",
}

_USUAL = "a series is written as in `500 -10x30 _x5 480`"


@dataclass(frozen=True, slots=True)
class CaseSeries:
    """Results of one field, attempt by attempt."""

    slots: tuple[Slot, ...]
    pauses: Mapping[int, Millis] = field(default_factory=dict)
    """Time since the attempt before, by attempt, if it is not the interval."""

    def at(self, index: int) -> Slot:
        """Result at an attempt. A shorter series repeats its last result."""
        return self.slots[min(index, len(self.slots) - 1)]


@dataclass(slots=True)
class _Expansion:
    text: str
    slots: list[Slot] = field(default_factory=list)
    pauses: dict[int, Millis] = field(default_factory=dict)
    last: Decimal | None = None

    def take(self, word: str, column: int) -> None:
        if word.startswith("~"):
            return self._pause(word, column)
        parts = _REPEATED.fullmatch(word)
        head, times = (parts[1], parts[2]) if parts else (word, None)
        count = self._count(times, column)
        if head == "?":
            self.slots += [None] * count
        elif head.startswith("_"):
            self.slots += [self._reason(head, column)] * count
        else:
            self._readings(head, count, column)
        return None

    def _count(self, times: str | None, column: int) -> int:
        count = 1 if times is None else int(times[:9])
        if count < 1:
            raise self._mistake("how often must be at least 1", column)
        if len(self.slots) + count > MOST:
            raise self._mistake(
                f"these are more than {MOST} attempts; use a longer interval or fewer of them",
                column,
            )
        return count

    def _pause(self, word: str, column: int) -> None:
        span = parse_duration(word[1:])
        if not span or span > LONGEST:
            raise self._mistake(
                "a pause is written with its length, at most a year, as in `~10m`", column
            )
        if not self.slots:
            raise self._mistake(
                "a pause stands between two readings; let the series begin with a reading", column
            )
        if len(self.slots) in self.pauses:
            raise self._mistake("this pause follows another one; write their sum", column)
        self.pauses[len(self.slots)] = span

    def _reason(self, head: str, column: int) -> MissReason:
        name = head[1:]
        if not name:
            return MissReason.TIMEOUT
        try:
            return MissReason(name)
        except ValueError:
            near = get_close_matches(name, [*MissReason], 1)
            hint = f"did you mean `_{near[0]}`?" if near else f"there are {' '.join(MissReason)}"
            raise self._mistake(
                f"no attempt is missed for the reason {quote(name)}; {hint}", column
            ) from None

    def _readings(self, head: str, count: int, column: int) -> None:
        number = _NUMBER.fullmatch(head)
        if number is None:
            raise self._strange(head, column)
        sign, digits = number[1], Decimal(number[2])
        if sign not in ("+", "-"):
            self.last = digits.copy_negate() if sign == "=-" else digits
            self.slots += [self.last] * count
            return
        if self.last is None:
            raise self._mistake(
                "there is no value yet to go on from; for the value itself write"
                f" {quote('=' + head)}",
                column,
            )
        step = digits.copy_negate() if sign == "-" else digits
        for _ in range(count):
            self.last = EXACT.add(self.last, step)
            self.slots.append(self.last)

    def _strange(self, head: str, column: int) -> ExpressionError:
        """The error for an unknown word, at the first character that does not fit."""
        beginning = _BEGINNING.match(head)
        fits = beginning.end() if beginning else 0
        if fits >= len(head):
            return self._mistake("a number is written as in `500`, `-10` or `0.25`", column)
        remedy = _INSTEAD.get(head[fits : fits + 2]) or _INSTEAD.get(head[fits]) or _USUAL
        found = quote(head[fits]) if head[fits].isprintable() else f"U+{ord(head[fits]):04X}"
        return self._mistake(f"{found} cannot stand here: {remedy}", column + fits)

    def _mistake(self, sentence: str, column: int) -> ExpressionError:
        return ExpressionError(sentence, column, self.text)


def parse_series(text: str) -> CaseSeries:
    """Parse a series.

    Raises ExpressionError, with the column at fault, for an invalid text.
    """
    expansion = _Expansion(text)
    for word in _WORD.finditer(text):
        expansion.take(word[0], word.start())
    if not expansion.slots:
        raise ExpressionError(
            "the series is empty: expected one such as `500 -10x30 _x5 480`", 0, text
        )
    if len(expansion.slots) in expansion.pauses:
        raise ExpressionError(
            "nothing follows this pause; let the series end with a reading", text.rindex("~"), text
        )
    return CaseSeries(tuple(expansion.slots), expansion.pauses)
