"""Looks for a value at which a rule would both fire and clear. Pure.

It works only where both conditions use one plain field. Then they change at the numbers written in
them, so trying those, values between them and values beside them finds every overlap of thresholds.
Where arithmetic moves the thresholds, an overlap may be missed. A reported overlap is always real.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise

from daemon.readings.exact import CONTEXT
from daemon.readings.fields import AGE
from daemon.rules.evaluation import compile as compiled
from daemon.rules.language.tree import (
    Arithmetic,
    Call,
    DurationLiteral,
    Field,
    Negative,
    Node,
    Number,
    varies,
    walk,
)
from daemon.rules.rule import Condition
from daemon.text.durations import duration_text

MAX_NUMBERS = 20
"""Most constants for which the search runs: its time grows with the square of their number."""

_TENTH, _HUNDREDTH, _HALF = Decimal("0.1"), Decimal("0.01"), Decimal("0.5")


def example(when: Condition, clear_when: Condition) -> str | None:
    """A value such as `available_margin = 95` where both are true; None when none is found."""
    field = _only_field(when.tree, clear_when.tree)
    if field is None:
        return None
    numbers = _numbers((when.tree, clear_when.tree))
    if len(numbers) > MAX_NUMBERS:
        return None
    slots = _OneField()
    fires, clears = (
        compiled.compile_truth(when.tree, slots),
        compiled.compile_truth(clear_when.tree, slots),
    )
    for value in _candidates(numbers):
        if (field != AGE or value >= 0) and fires([value]) and clears([value]):
            return f"{field} = {_shown(field, value)}"
    return None


class _OneField:
    """Frame of a single value."""

    def field(self, _name: str) -> int:
        return 0

    def window(self, call: Call) -> int:
        raise TypeError(f"no window is looked at here: {call}")

    stateful = window


def _only_field(*trees: Node) -> str | None:
    """The only field that both conditions use; None when they use another or several."""
    named = [{node.name for node in walk(tree) if isinstance(node, Field)} for tree in trees]
    called = any(isinstance(node, Call) for tree in trees for node in walk(tree))
    return (
        next(iter(named[0])) if not called and named[0] == named[1] and len(named[0]) == 1 else None
    )


def _numbers(trees: Iterable[Node]) -> list[Decimal]:
    """The constants in the trees, ascending."""
    constants = (node for tree in trees for node in walk(tree) if _is_constant(node))
    found = {compiled.compile_number(node, _OneField())([]) for node in constants}
    return sorted(value for value in found if value is not None and value.is_finite())


def _is_constant(node: Node) -> bool:
    return isinstance(node, Number | DurationLiteral | Negative | Arithmetic) and not varies(node)


def _candidates(numbers: list[Decimal]) -> Iterator[Decimal]:
    """The values to try, the likeliest and most readable first."""
    yield from numbers
    for low, high in pairwise(numbers):
        yield CONTEXT.multiply(CONTEXT.add(low, high), _HALF)
    for number in numbers:
        for part in (_TENTH, _HUNDREDTH):
            step = CONTEXT.multiply(number.copy_abs(), part) or part
            yield CONTEXT.subtract(number, step)
            yield CONTEXT.add(number, step)


def _shown(field: str, value: Decimal) -> str:
    return duration_text(int(value)) if field == AGE else str(Number(value))
