"""`slope(x, w)`: the change of x per hour, by a least-squares line through the window.

See SEMANTICS C3.
"""

from decimal import Decimal

from daemon.readings.exact import EXACT, quotient
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction
from daemon.rules.functions._sums import LeastSquares
from daemon.types import HOUR


def _slope(window: Window, kept: LeastSquares) -> Decimal | None:
    slope = kept.slope(len(window))
    return None if slope is None else quotient(EXACT.multiply(slope[0], HOUR), slope[1])


FUNCTION = WindowFunction(known_from=3, value=_slope, keeps=LeastSquares)
