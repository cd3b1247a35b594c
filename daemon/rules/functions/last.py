"""`last(x, w)`: the last value of the window.

That is the value of this reading, or of an earlier one if this reading has none.
"""

from decimal import Decimal

from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction


def _last(window: Window) -> Decimal:
    return window.latest


FUNCTION = WindowFunction(known_from=1, value=_last)
