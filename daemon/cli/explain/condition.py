"""Lines that show a condition as a tree, each part with its value."""

from collections.abc import Iterator
from decimal import Decimal

from daemon.cli.output.lines import LabelledLine
from daemon.rules.evaluation.trace import Trace
from daemon.rules.language.types import ValueType
from daemon.text.numbers import format_amount, format_duration, format_percentage

LONGEST = 100
"""The most characters shown of a part of the condition; its own parts follow below it."""


def tree(word: str, part: Trace, then: str = "") -> Iterator[LabelledLine]:
    """The lines of a condition, the first one labelled `word`; `then` follows each duration."""
    yield LabelledLine(word, _text(part), _value(part, then))
    yield from _parts(part, then, 1)


def _parts(part: Trace, then: str, depth: int) -> Iterator[LabelledLine]:
    for child in part.children:
        if not _is_constant(child):
            yield LabelledLine("", _text(child), _value(child, then), depth)
            yield from _parts(child, then, depth + 1)


def _text(part: Trace) -> str:
    return part.text if len(part.text) <= LONGEST else f"{part.text[: LONGEST - 1]}…"


def _is_constant(part: Trace) -> bool:
    """Whether the part is a literal, or made of literals: its value says nothing new."""
    return part.text.lstrip("-")[:1].isdigit() and all(map(_is_constant, part.children))


def _value(part: Trace, then: str) -> str:
    held = "" if part.held is None else f"  ({part.held.count} readings)"
    if part.value is None:
        return f"unknown{f': {part.why}' if part.why else ''}"
    if isinstance(part.value, bool):
        return "yes" if part.value else "no"
    if part.kind is ValueType.DURATION:
        return _duration(part.value) + then + held
    return (format_percentage(part.value) if part.percentage else format_amount(part.value)) + held


def _duration(value: Decimal) -> str:
    return format_duration(int(value)) if value.is_finite() else format_amount(value)
