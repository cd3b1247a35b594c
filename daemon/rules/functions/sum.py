"""`sum(x, w)`: the sum of the readings in the window, rounded once.

Unknown with both +∞ and -∞.
"""

from decimal import Decimal

from daemon.readings.exact import rounded
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction
from daemon.rules.functions._sums import Total


def _sum(_: Window, kept: Total) -> Decimal | None:
    total = kept.value
    return None if total is None else rounded(total)


FUNCTION = WindowFunction(known_from=1, value=_sum, keeps=Total)
