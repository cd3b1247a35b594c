"""`rise(x, w)`: the rise from the lowest value of the window to the last (SEMANTICS C3, C4).

The result is a fraction of the lowest value.
"""

from decimal import Decimal

from daemon.readings.exact import growth
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction
from daemon.rules.functions._extreme import Lowest


def _rise(window: Window, kept: Lowest) -> Decimal | None:
    return growth(window.latest, kept.value)


FUNCTION = WindowFunction(known_from=2, value=_rise, keeps=Lowest)
