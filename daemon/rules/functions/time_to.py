"""`time_to(x, level, w)`: duration until x reaches the level along its trend (SEMANTICS C5).

The trend is the slope of the window, applied from the last value. The side on which the window
began says which way leads to the level. At or beyond the level the time is 0; if the trend leads
away, it is infinite. If the window began exactly on the level, the side of the last value counts.
Otherwise a first deposit from zero would cause a warning.
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
    """Time in milliseconds; infinite unless the distance and the slope have the same sign."""
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
