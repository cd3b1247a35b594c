"""Parses the text of a condition: the only entry for expressions that a person wrote.

Any text gives a `Condition` or an `ExpressionError` with its place, in bounded time and depth. The
grammar library (lark) is hidden: its errors are reworded here.
"""

from functools import cache
from pathlib import Path
from typing import Any, cast

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from daemon.rules.language.build import Builder, RecordedBuilder, Term, column_of, quote
from daemon.rules.language.errors import ExpressionError
from daemon.rules.language.habits import NO_CURRENCY, currency, usual_elsewhere
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
    '"': 'a time of day stands between two of them, as in `since(equity, "08:00")`',
    "'": "a time of day stands between two of them, as in `since(equity, '08:00')`",
    "$": NO_CURRENCY,
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "AND": "write `and`",
    "OR": "write `or`",
    "NOT": "write `not`",
}
"""Symbols and words of other languages, each with the way to write it here."""


@cache
def _parser(builder: type[Builder]) -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    # The basic lexer reads every word in the same way everywhere, so errors name the word found.
    return Lark(
        grammar, parser="lalr", lexer="basic", maybe_placeholders=False, transformer=builder()
    )


def parse_condition(text: str) -> Condition:
    """Parse a condition.

    Raises ExpressionError, with the column at fault, for an invalid text.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the condition has {len(text)} characters; at most {MAX_LENGTH} are possible",
            MAX_LENGTH,
            text,
        )
    return _condition(text, Builder)


def parse_recorded(text: str) -> Condition:
    """Parse a recorded condition: the canonical text of a tree, also of a system rule.

    The length is not bounded, because canonical text may be longer than the text that was written.
    System signals are allowed. Raises ExpressionError for an invalid text.
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
        # With a transformer, the parser returns the result of the builder, not a lark tree.
        return cast("Term", _parser(builder).parse(text))
    except UnexpectedCharacters as error:
        place: Any = error.pos_in_stream  # an integer; the library's types do not say so
        raise _mistake(text, place, _strange(text[place])) from None
    except UnexpectedToken as error:
        at_end = error.token.type == "$END"
        column = len(text.rstrip()) if at_end else column_of(error.token)
        found = "" if at_end else str(error.token)
        sentence = _misplaced(found, operand="NUMBER" in error.expected)
        raise _mistake(text, column, sentence) from None


def _mistake(text: str, column: int, sentence: str) -> ExpressionError:
    """The error at a column, with a better sentence if the text follows a habit from elsewhere."""
    return ExpressionError(*(usual_elsewhere(text, column) or (sentence, column)))


def _strange(character: str) -> str:
    what = quote(character) if character.isprintable() else f"the character U+{ord(character):04X}"
    remedy = _INSTEAD.get(character)
    return f"{what} is not part of the language{f': {remedy}' if remedy else ''}"


def _misplaced(found: str, *, operand: bool) -> str:
    """The sentence for a word in the wrong place; an empty word is the end of the text."""
    remedy = NO_CURRENCY if currency(found) else _INSTEAD.get(found)
    if remedy:
        return f"{quote(found)} is not part of the language: {remedy}"
    if operand:
        return f"expected {_OPERAND}, found {quote(found) if found else 'the end'}"
    match found:
        case "":
            return "a `(` is still open: expected `)`, found the end"
        case ")":
            return "this `)` closes nothing: no `(` is open"
        case ",":
            return "`,` stands only between the arguments of a function"
        case _:
            return f"expected an operator, such as `<`, `+` or `and`, found {quote(found)}"
