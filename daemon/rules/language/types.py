"""The types of the rule language. Durations compare only with durations (SEMANTICS C6)."""

from enum import Enum


class ValueType(Enum):
    """The type of an expression; the enum value names it in messages."""

    NUMBER = "a number"
    DURATION = "a duration"
    TRUTH = "a comparison"
    TIME = "a time of day"
