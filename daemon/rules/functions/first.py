"""`first(x, w)`: the first value of the window, as it was sent."""

from decimal import Decimal

from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction


def _first(window: Window) -> Decimal:
    return window.earliest


FUNCTION = WindowFunction(known_from=1, value=_first)
