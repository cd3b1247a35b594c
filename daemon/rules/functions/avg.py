"""`avg(x, w)`: the mean of the readings in the window, all with equal weight, rounded once."""

from decimal import Decimal

from daemon.readings.exact import quotient
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction
from daemon.rules.functions._sums import Total


def _avg(window: Window, kept: Total) -> Decimal | None:
    total = kept.value
    return None if total is None else quotient(total, len(window))


FUNCTION = WindowFunction(known_from=1, value=_avg, keeps=Total)
