"""`zscore(x, w)`: distance of the last value from the mean, in standard deviations (SEMANTICS C3).

`zscore(x, w, 5)` divides by at least 5 (the default is 1), so a field that hardly moves does not
alert at every cent. It is a distance, so it is never below 0.
"""

from decimal import Decimal

from daemon.readings.exact import EXACT, quotient, root
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import Parameter, WindowFunction
from daemon.rules.functions._sums import Squares


def _zscore(window: Window, kept: Squares, least: Decimal) -> Decimal | None:
    count = len(window)
    dispersion = kept.dispersion(count)
    if dispersion is None:
        return None
    # Distance, deviation and least are all multiplied by the count.
    distance = EXACT.subtract(EXACT.multiply(window.latest, count), kept.sum).copy_abs()
    lowest = EXACT.multiply(least, count)
    if dispersion > EXACT.multiply(lowest, lowest):
        return root(EXACT.multiply(distance, distance), dispersion)
    return quotient(distance, lowest)


FUNCTION = WindowFunction(
    known_from=10,
    value=_zscore,
    keeps=Squares,
    parameters=(Parameter.SERIES, Parameter.SPAN, Parameter.LEAST),
    forgets=True,
    is_distance=True,
)
