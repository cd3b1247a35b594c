"""What an expression can be worth: durations compare only with durations (SEMANTICS C6)."""

from enum import Enum


class ValueType(Enum):
    """The value names it for people."""

    NUMBER = "a number"
    DURATION = "a duration"
    TRUTH = "a comparison"
