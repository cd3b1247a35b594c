"""`count(x, w)`: number of readings in the window with a value; unknown while there is none."""

from decimal import Decimal

from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction


def _count(window: Window) -> Decimal:
    return Decimal(len(window))


FUNCTION = WindowFunction(known_from=1, value=_count)
