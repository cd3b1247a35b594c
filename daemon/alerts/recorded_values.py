"""Values that rules keep for ever, such as peaks: which of them an input changes. Pure.

They are recorded with the input that changed them. A rule keeps a value as long as it has the
expression: nothing else of the rule matters.
"""

from collections.abc import Iterator, Mapping

from daemon.rules.evaluation.evaluator import recorded_expressions
from daemon.rules.rule import Rule
from daemon.types import (
    JUDGED,
    AccountState,
    ConfigChange,
    Input,
    Reading,
    RecordedValue,
    Unconfirmed,
)

Values = tuple[RecordedValue, ...]


def next_values(
    state: AccountState, event: Input, seen: Values, rules: Mapping[str, Rule]
) -> Values:
    """The values after an input; `seen` are those that the evaluator holds after it."""
    match event:
        case Unconfirmed():
            return seen
        case Reading(quality=quality) if quality in JUDGED:
            return seen
        case ConfigChange() if state.values:
            used = {key for rule in rules.values() for key in recorded_expressions(rule)}
            return tuple(each for each in state.values if each.key in used)
        case _:
            return state.values


def changed_values(before: Values, after: Values) -> Iterator[RecordedValue]:
    """The values to record; one without a number is no longer kept."""
    held, kept = set(before), {each.key for each in after}
    yield from (each for each in after if each not in held)
    yield from (RecordedValue(*each.key, None) for each in before if each.key not in kept)
