"""`min(x, w)`: the lowest value of the window."""

from decimal import Decimal

from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction
from daemon.rules.functions._extreme import Lowest


def _min(_: Window, kept: Lowest) -> Decimal:
    return kept.value


FUNCTION = WindowFunction(known_from=1, value=_min, keeps=Lowest)
