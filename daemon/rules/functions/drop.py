"""`drop(x, w)`: the fall from the highest value of the window to the last one (SEMANTICS C3).

The result is a fraction of the highest value. If that is 0 or less, any fall is infinite, and no
fall is 0.
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


FUNCTION = WindowFunction(known_from=2, value=_drop, keeps=Highest, ratio=(0, 1), forgets=True)
