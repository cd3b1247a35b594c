"""From text to a condition: the one door through which a person's expression enters.

Whatever the text, the answer is a `Condition` or an `ExpressionError` with its place, in bounded
time and depth. The library behind the grammar is not seen outside: its complaints become our
sentences here.
"""

from functools import cache
from pathlib import Path
from typing import Any, cast

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from daemon.rules.language.build import Builder, RecordedBuilder, Term, column_of, shown
from daemon.rules.language.errors import ExpressionError
from daemon.rules.rule import Condition

MAX_LENGTH = 2_000
"""Characters of a condition."""

_OPERAND = "a field, a number, a duration or a function"

_INSTEAD = {
    "=": "for equality write `==`",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`",
    "%": "write it right behind its number, as in `20%`",
    "[": "a window is written as in `max(available_margin, 10m)`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "AND": "write `and`",
    "OR": "write `or`",
    "NOT": "write `not`",
}
"""What people write who know another language, and what it is called in this one."""


@cache
def _parser(builder: type[Builder]) -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    # The basic lexer: every word is read the same way everywhere, so errors name what stands there.
    return Lark(
        grammar, parser="lalr", lexer="basic", maybe_placeholders=False, transformer=builder()
    )


def condition(text: str) -> Condition:
    """The condition that `text` says.

    Raises ExpressionError, with the column at fault, for anything that is none.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the condition has {len(text)} characters; at most {MAX_LENGTH} are possible",
            MAX_LENGTH,
            text,
        )
    return _condition(text, Builder)


def recorded(text: str) -> Condition:
    """The condition of a rule as we have recorded it, which is its tree as text, or of a system
    rule.

    Canonical text may be longer than what was written, so its length is not bounded; system rules
    name what persons cannot. Raises ExpressionError for anything that is no condition.
    """
    return _condition(text, RecordedBuilder)


def _condition(text: str, builder: type[Builder]) -> Condition:
    if not text.strip():
        raise ExpressionError(
            "the condition is empty: expected one such as `available_margin < 100`", 0, text
        )
    try:
        return Condition(text, _term(text, builder).node)
    except ExpressionError as error:
        raise ExpressionError(error.message, error.column, text) from None


def _term(text: str, builder: type[Builder]) -> Term:
    try:
        # With a transformer inside, the parser gives what the builder made of the whole, not a lark
        # tree.
        return cast("Term", _parser(builder).parse(text))
    except UnexpectedCharacters as error:
        place: Any = error.pos_in_stream  # an integer, which the library's types do not say
        raise ExpressionError(_strange(text[place]), place) from None
    except UnexpectedToken as error:
        at_end = error.token.type == "$END"
        column = len(text.rstrip()) if at_end else column_of(error.token)
        found = "" if at_end else str(error.token)
        raise ExpressionError(
            _misplaced(found, operand="NUMBER" in error.expected), column
        ) from None


def _strange(character: str) -> str:
    what = shown(character) if character.isprintable() else f"the character U+{ord(character):04X}"
    remedy = _INSTEAD.get(character)
    return f"{what} is not part of the language{f': {remedy}' if remedy else ''}"


def _misplaced(found: str, *, operand: bool) -> str:
    """The sentence for a word that cannot stand where it does; empty is the end of the text."""
    if found in _INSTEAD:
        return f"{shown(found)} is not part of the language: {_INSTEAD[found]}"
    if operand:
        return f"expected {_OPERAND}, found {shown(found) if found else 'the end'}"
    match found:
        case "":
            return "a `(` is still open: expected `)`, found the end"
        case ")":
            return "this `)` closes nothing: no `(` is open"
        case ",":
            return "`,` stands only between the arguments of a function"
        case _:
            return f"expected an operator, such as `<`, `+` or `and`, found {shown(found)}"
