"""`stddev(x, w)`: the population standard deviation (SEMANTICS C3), rounded once.

Unknown with infinities.
"""

from decimal import Decimal

from daemon.readings.exact import root
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction
from daemon.rules.functions._sums import Squares


def _stddev(window: Window, kept: Squares) -> Decimal | None:
    count = len(window)
    dispersion = kept.dispersion(count)
    return None if dispersion is None else root(dispersion, count * count)


FUNCTION = WindowFunction(known_from=1, value=_stddev, keeps=Squares, keeps_unit=True)
