"""`max(x, w)`: the highest value of the window."""

from decimal import Decimal

from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction
from daemon.rules.functions._extreme import Highest


def _max(_: Window, kept: Highest) -> Decimal:
    return kept.value


FUNCTION = WindowFunction(known_from=1, value=_max, keeps=Highest)
