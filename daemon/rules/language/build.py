"""Builds the tree of an expression: checks types, names and bounds, and words the errors.

The parser calls it as it goes, innermost part first. Nothing is evaluated here. A name in a text is
looked up in the lists of fields and functions, and reaches nothing else.
"""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from lark import Token, Transformer

from daemon.readings.fields import AGE, NAMES, SIGNS, find_field
from daemon.readings.similar_fields import similar_field
from daemon.rules import functions
from daemon.rules.functions import Function, Parameter, PlainFunction, StatefulFunction
from daemon.rules.language.errors import ExpressionError
from daemon.rules.language.habits import NO_CURRENCY, currency
from daemon.rules.language.tree import (
    Arithmetic,
    Call,
    Comparison,
    DurationLiteral,
    Field,
    Negative,
    Node,
    Not,
    Number,
    TimeOfDay,
    either,
    every,
    look_back,
    recorded_calls,
    varies,
)
from daemon.rules.language.types import ValueType
from daemon.text.durations import duration_text, parse_duration
from daemon.text.printable import printable
from daemon.types import DAY, Millis

MAX_DEPTH = 64
"""Deepest nesting of an expression: more than a person reads, far less than the stack holds."""

MAX_LOOK_BACK: Millis = 7 * DAY
"""The longest look-back of a condition, with nested windows added up (DESIGN §6)."""

_LONGEST_WORD = 40

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")

_EXAMPLE = {
    ValueType.NUMBER: "",
    ValueType.DURATION: ", such as `10m`",
    ValueType.TRUTH: ", such as `available_margin < 100`",
    ValueType.TIME: ', such as `"08:00"`',
}


@dataclass(frozen=True, slots=True)
class Term:
    """A checked part of an expression: its tree, its type, its column and its nesting depth."""

    node: Node
    kind: ValueType
    column: int
    depth: int = 1


def quote(text: object) -> str:
    """Quote part of an expression for a message: short, and harmless on a terminal."""
    word = printable(str(text)[: _LONGEST_WORD + 1])
    return f"`{word if len(word) <= _LONGEST_WORD else word[:_LONGEST_WORD] + '…'}`"


def _suggestion(word: str, choices: tuple[str, ...]) -> str:
    lower = {choice.lower(): choice for choice in choices}
    close = get_close_matches(word[:_LONGEST_WORD].lower(), lower, n=1)
    return f"; did you mean `{lower[close[0]]}`?" if close else ""


def need(term: Term, kind: ValueType) -> Term:
    """Return the term. Raises ExpressionError if it is of another type."""
    if term.kind is kind:
        return term
    raise ExpressionError(
        f"expected {kind.value}{_EXAMPLE[kind]}; {quote(term.node)} is {term.kind.value}",
        term.column,
    )


class Builder(Transformer[Token, Term]):
    """Builds a term from each grammar rule. Each method is named like its rule."""

    deepest = MAX_DEPTH
    signs: Container[str] = ()
    """The system signals that may be used as fields here."""

    def start(self, parts: list[Term]) -> Term:
        return need(parts[0], ValueType.TRUTH)

    def number(self, parts: list[Token]) -> Term:
        text = parts[0].replace("_", "")
        # Shift the point by the exponent, so that no digit of a long number is rounded away.
        percent = text.endswith("%")
        value = Decimal(f"{text[:-1]}e-2") if percent else Decimal(text)
        return Term(Number(value, percent), ValueType.NUMBER, column_of(parts[0]))

    def span(self, parts: list[Token]) -> Term:
        millis = parse_duration(parts[0])
        if millis is None:
            return self.malformed(parts)
        return Term(DurationLiteral(millis), ValueType.DURATION, column_of(parts[0]))

    def time(self, parts: list[Token]) -> Term:
        found = _TIME.fullmatch(parts[0][1:-1])
        if found is None:
            raise ExpressionError(
                f'{quote(parts[0])} is no time of day: write hours and minutes, from `"00:00"` to'
                ' `"23:59"`; nothing else stands in quotes',
                column_of(parts[0]),
            )
        begins = time(int(found[1]), int(found[2]))
        return Term(TimeOfDay(begins), ValueType.TIME, column_of(parts[0]))

    def malformed(self, parts: list[Token]) -> Term:
        unit = currency(parts[0])
        if unit:
            column = column_of(parts[0]) + len(parts[0]) - len(unit)
            raise ExpressionError(
                f"{quote(unit)} is not part of the language: {NO_CURRENCY}", column
            )
        raise ExpressionError(
            f"{quote(parts[0])} is neither a number, such as `1_000`, `0.5` or `20%`, "
            "nor a duration, such as `250ms`, `90s` or `1h30m`",
            column_of(parts[0]),
        )

    def name(self, parts: list[Token]) -> Term:
        word = parts[0]
        field = find_field(word)
        if field is None and word in self.signs:
            return Term(
                Field(str(word)),
                ValueType.DURATION if SIGNS[word] else ValueType.NUMBER,
                column_of(word),
            )
        if field is None:
            raise ExpressionError(_unknown_field(word), column_of(word))
        return Term(
            Field(field), ValueType.DURATION if field == AGE else ValueType.NUMBER, column_of(word)
        )

    def group(self, parts: list[Term]) -> Term:
        (inner,) = parts
        return self._nested(inner.node, inner.kind, inner.column, parts)

    def call(self, parts: list[Any]) -> Term:
        word: Token = parts[0]
        arguments: list[Term] = parts[1:]
        function = _function(word)
        _check_arguments(word, function, arguments)
        node = Call(str(word), tuple(argument.node for argument in arguments))
        if look_back(node) > MAX_LOOK_BACK:
            raise ExpressionError(
                f"{quote(node)} looks back {duration_text(look_back(node))}, windows within windows"
                f" added up; the longest possible is {duration_text(MAX_LOOK_BACK)}",
                column_of(word),
            )
        return self._nested(node, function.result, column_of(word), arguments)

    def negative(self, parts: list[Any]) -> Term:
        sign: Token = parts[0]
        operand = need(parts[1], ValueType.NUMBER)
        return self._nested(Negative(operand.node), ValueType.NUMBER, column_of(sign), [operand])

    def addition(self, parts: list[Any]) -> Term:
        left, right = need(parts[0], ValueType.NUMBER), need(parts[2], ValueType.NUMBER)
        node = Arithmetic(str(parts[1]), left.node, right.node)
        return self._nested(node, ValueType.NUMBER, left.column, [left, right])

    multiplication = addition

    def comparison(self, parts: list[Any]) -> Term:
        operands: list[Term] = parts[::2]
        operators: list[Token] = parts[1::2]
        links: list[Node] = []
        for left, operator, right in zip(operands, operators, operands[1:], strict=False):
            _check_comparable(left, right)
            links.append(Comparison(str(operator), left.node, right.node))
        return self._nested(every(links), ValueType.TRUTH, operands[0].column, operands)

    def negation(self, parts: list[Any]) -> Term:
        word: Token = parts[0]
        operand = need(parts[1], ValueType.TRUTH)
        return self._nested(Not(operand.node), ValueType.TRUTH, column_of(word), [operand])

    def conjunction(self, parts: list[Term]) -> Term:
        nodes = [need(part, ValueType.TRUTH).node for part in parts]
        return self._nested(every(nodes), ValueType.TRUTH, parts[0].column, parts)

    def disjunction(self, parts: list[Term]) -> Term:
        nodes = [need(part, ValueType.TRUTH).node for part in parts]
        return self._nested(either(nodes), ValueType.TRUTH, parts[0].column, parts)

    def _nested(self, node: Node, kind: ValueType, column: int, parts: Sequence[Term]) -> Term:
        depth = 1 + max(part.depth for part in parts)
        if depth > self.deepest:
            raise ExpressionError(
                f"the condition nests more than {self.deepest} levels deep (operators in a row"
                " count, too); simplify it",
                parts[-1].column,
            )
        return Term(node, kind, column, depth)


class RecordedBuilder(Builder):
    """Builds recorded conditions, those of system rules included.

    Canonical text may nest deeper than the text that was written. For example, a chain of
    comparisons below a `not` becomes a conjunction in parentheses.
    """

    deepest = 4 * MAX_DEPTH
    signs = SIGNS


def column_of(token: Token) -> int:
    return token.start_pos or 0


def _unknown_field(word: str) -> str:
    if word in functions.names():
        return (
            f"{quote(word)} is a function: expected `(` after it, as in"
            f" `{word}({functions.find(word).usage})`"
        )
    similar = similar_field(word)
    hint = f"did you mean `{similar}`?" if similar else f"the fields are {', '.join(NAMES)}"
    return f"there is no field {quote(word)}; {hint}"


def _check_comparable(left: Term, right: Term) -> None:
    if left.kind in (ValueType.TRUTH, ValueType.TIME):
        need(left, ValueType.NUMBER)
    if right.kind is left.kind:
        return
    raise ExpressionError(
        f"{quote(left.node)} is {left.kind.value} and can be compared only with"
        f" one{_EXAMPLE[left.kind]}; {quote(right.node)} is {right.kind.value}",
        right.column,
    )


def _check_arguments(word: Token, function: Function, arguments: list[Term]) -> None:
    fewest, most = function.counts
    if not fewest <= len(arguments) <= most:
        found = str(len(arguments))
        if isinstance(function, StatefulFunction) and len(arguments) > most:
            found += f": {function.excess}"
        raise ExpressionError(
            f"{quote(word)} takes {_count(fewest, most)}, `{word}({function.usage})`;"
            f" found {found}",
            column_of(word),
        )
    if isinstance(function, PlainFunction):
        parameters: Sequence[Parameter] = [Parameter.SERIES] * len(arguments)
    else:
        parameters = function.parameters
    for parameter, argument in zip(parameters, arguments, strict=False):
        _check_argument(parameter, argument)
    if isinstance(function, StatefulFunction):
        _check_series(word, function, arguments[0])
    if not isinstance(function, PlainFunction):
        _check_kept(word, arguments)


def _check_kept(word: Token, arguments: Sequence[Term]) -> None:
    """Refuse recorded values inside other functions of the past: a rebuild knows only the last."""
    for argument in arguments:
        kept = next(recorded_calls(argument.node), None)
        if kept is not None:
            raise ExpressionError(
                f"{quote(kept)} cannot stand inside `{word}`: of a peak only the present value is"
                f" kept; compare with it, as in `available_margin < 0.9 * peak(available_margin)`",
                argument.column,
            )


def _check_series(word: Token, function: StatefulFunction, series: Term) -> None:
    if not varies(series.node):
        raise ExpressionError(
            f"{quote(series.node)} is the same at every reading, so there is nothing to remember;"
            f" write a field, as in `{word}(equity)`",
            series.column,
        )
    if function.one_reading and look_back(series.node):
        raise ExpressionError(
            f"`{word}` takes values of one reading, and {quote(series.node)} looks back itself;"
            " for an earlier value write `first(x, 10m)`",
            series.column,
        )


def _count(fewest: int, most: int) -> str:
    if most == fewest:
        return f"{fewest} argument{'s' if fewest > 1 else ''}"
    return (
        f"{fewest} or more arguments" if most >= functions.MANY else f"{fewest} or {most} arguments"
    )


def _check_argument(parameter: Parameter, argument: Term) -> None:
    match parameter:
        case Parameter.SERIES | Parameter.LEVEL:
            need(argument, ValueType.NUMBER)
        case Parameter.TIME:
            need(argument, ValueType.TIME)
        case Parameter.SPAN if (
            not isinstance(argument.node, DurationLiteral) or not argument.node.millis
        ):
            raise ExpressionError(
                f"expected the length of the window, such as `10m`, found {quote(argument.node)}",
                argument.column,
            )
        case Parameter.LEAST if not isinstance(argument.node, Number) or argument.node.value <= 0:
            raise ExpressionError(
                "expected the least to divide by, a number above 0, such as `0.5`, found"
                f" {quote(argument.node)}",
                argument.column,
            )
        case _:
            pass


def _function(word: Token) -> Function:
    if word in functions.names():
        return functions.find(str(word))
    if find_field(word):
        raise ExpressionError(
            f"{quote(word)} is a field and takes no arguments: expected an operator",
            column_of(word),
        )
    known = ", ".join(functions.names())
    suggestion = _suggestion(word, functions.names()) or f"; the functions are {known}"
    raise ExpressionError(f"there is no function {quote(word)}{suggestion}", column_of(word))
