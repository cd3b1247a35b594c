"""`prev(x)`: the value of x at the reading before; misses are stepped over.

Unknown at the first reading, where the reading before had no value, and at a miss.
"""

from datetime import time, tzinfo
from decimal import Decimal

from daemon.rules.functions import FunctionState, StatefulFunction
from daemon.types import Millis


class _Previous(FunctionState):
    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: Decimal | None = None

    def read(self, at: Millis, value: Decimal | None) -> Decimal | None:
        previous, self._last = self._last, value
        return previous

    def advance(self, at: Millis) -> Decimal | None:
        # A rebuild may begin with the last reading, so at a miss the one before is not known.
        return None


def _start(_: time, __: tzinfo | None) -> FunctionState:
    return _Previous()


FUNCTION = StatefulFunction(
    start=_start,
    # A rebuild then begins before the first reading of any window that holds the value.
    look_back=1,
    unknown="there is no reading before, or it has no value",
    excess="for the value some time ago write `first(x, 10m)`",
    one_reading=True,
)
