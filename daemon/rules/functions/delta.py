"""`delta(x, w)`: the last value of the window minus the first, rounded once.

Negative for falling values.
"""

from decimal import Decimal

from daemon.readings.exact import subtracted
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction


def _delta(window: Window) -> Decimal | None:
    return subtracted(window.latest, window.earliest)


FUNCTION = WindowFunction(known_from=2, value=_delta)
