"""`last(x, w)`: the last value of the window: that of this reading, or of an earlier one where this has none."""

from decimal import Decimal

from daemon.rules.functions import WindowFunction
from daemon.rules.windows import Window


def _last(window: Window) -> Decimal:
    return window.latest


FUNCTION = WindowFunction(known_from=1, value=_last)
