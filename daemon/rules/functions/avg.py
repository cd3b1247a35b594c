"""`avg(x, w)`: the mean of the readings in the window, all with equal weight, rounded once."""

from daemon.readings.exact import quotient
from daemon.rules.functions import WindowFunction
from daemon.rules.functions._sums import Total

FUNCTION = WindowFunction(
    known_from=1,
    value=lambda window, kept: None if kept.value is None else quotient(kept.value, len(window)),
    keeps=Total,
    keeps_unit=True,
)
