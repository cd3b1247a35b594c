"""`last(x, w)`: the last value of the window: that of this reading, or of an earlier one where this
has none.
"""

from decimal import Decimal

from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction


def _last(window: Window) -> Decimal:
    return window.latest


FUNCTION = WindowFunction(known_from=1, value=_last)
