"""`drop(x, w)`: how far the last value is below the highest of the window, as a fraction of that
(SEMANTICS C3).

Below a highest value of 0 or less anything is infinitely far, and nothing is 0.
"""

from decimal import Decimal

from daemon.readings.exact import EXACT, INFINITY, ZERO, quotient
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction
from daemon.rules.functions._extreme import Highest


def _drop(window: Window, kept: Highest) -> Decimal | None:
    highest, last = kept.value, window.latest
    if highest > 0:
        return quotient(EXACT.subtract(highest, last), highest)
    return ZERO if last == highest else INFINITY


FUNCTION = WindowFunction(known_from=2, value=_drop, keeps=Highest)
