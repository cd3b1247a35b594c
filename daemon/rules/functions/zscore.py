"""`zscore(x, w)`: the distance of the last value from the mean, in standard deviations (SEMANTICS
C3).

`zscore(x, w, 5)` divides by 5 at least (by 1 when nothing is said), so that a field that hardly
moves does not cry wolf at every cent. It is a distance: never below 0.
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
    # All of it times the count: the distance, the deviation and the least.
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
)
