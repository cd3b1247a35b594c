"""`peak(x)`: the highest value of x since the rule began to ask for it, whatever its age.

It is recorded for each rule and account, so it outlasts restarts, and readings that were deleted.
"""

from datetime import time, tzinfo
from decimal import Decimal

from daemon.rules.functions import RecordedState, StatefulFunction


class _Peak(RecordedState):
    __slots__ = ()

    def supersedes(self, value: Decimal, held: Decimal) -> bool:
        return value > held


def _start(_: time, __: tzinfo | None) -> RecordedState:
    return _Peak()


FUNCTION = StatefulFunction(
    start=_start,
    look_back=0,
    unknown="no reading had a value since the rule began",
    excess="for the highest value of a span write `max(x, 10m)`",
    one_reading=True,
    recorded=True,
)
