"""`time_to(x, level, w)`: how long until x reaches the level if it goes on like this: a duration
(SEMANTICS C5).

It goes on from the last value along the slope of the window. The side on which the window began
says which way leads to the level; at or beyond it the time is 0, and where the trend does not lead
there it is infinite. A window that began on the level itself has no such side: the last value's
counts, lest whoever pays in from nothing is warned.
"""

from decimal import Decimal

from daemon.readings.exact import EXACT, INFINITY, ZERO, quotient
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import Parameter, WindowFunction
from daemon.rules.functions._sums import LeastSquares
from daemon.rules.language.types import ValueType


def _time_to(window: Window, kept: LeastSquares, level: Decimal) -> Decimal | None:
    begun = window.latest if window.earliest == level else window.earliest
    falling, rising = begun > level, begun < level
    if (falling and window.latest > level) or (rising and window.latest < level):
        return _remaining(EXACT.subtract(level, window.latest), kept.slope(len(window)))
    return ZERO


def _remaining(distance: Decimal, slope: tuple[Decimal, int] | None) -> Decimal | None:
    """In milliseconds; the distance and the slope must have the same sign, or it is never."""
    if slope is None:
        return None
    if slope[0] and slope[0].is_signed() == distance.is_signed():
        return quotient(EXACT.multiply(distance, slope[1]), slope[0])
    return INFINITY


FUNCTION = WindowFunction(
    known_from=3,
    value=_time_to,
    keeps=LeastSquares,
    parameters=(Parameter.SERIES, Parameter.LEVEL, Parameter.SPAN),
    result=ValueType.DURATION,
)
