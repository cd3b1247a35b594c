"""`change(x, w)`: `delta` as a fraction of the first value (SEMANTICS C3, C4).

A fall by a fifth is -0.2.
"""

from decimal import Decimal

from daemon.readings.exact import growth
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction


def _change(window: Window) -> Decimal | None:
    return growth(window.latest, window.earliest)


FUNCTION = WindowFunction(known_from=2, value=_change)
