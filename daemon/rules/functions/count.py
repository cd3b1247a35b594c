"""`count(x, w)`: how many readings of the window have a value; unknown while none has."""

from decimal import Decimal

from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction


def _count(window: Window) -> Decimal:
    return Decimal(len(window))


FUNCTION = WindowFunction(known_from=1, value=_count)
