"""`rise(x, w)`: how far the last value is above the lowest of the window, as a fraction of that
(SEMANTICS C3, C4).
"""

from decimal import Decimal

from daemon.readings.exact import growth
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction
from daemon.rules.functions._extreme import Lowest


def _rise(window: Window, kept: Lowest) -> Decimal | None:
    return growth(window.latest, kept.value)


FUNCTION = WindowFunction(known_from=2, value=_rise, keeps=Lowest)
