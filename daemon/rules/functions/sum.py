"""`sum(x, w)`: the sum of the readings in the window, rounded once.

Unknown with both +∞ and -∞.
"""

from daemon.readings.exact import rounded
from daemon.rules.functions import WindowFunction
from daemon.rules.functions._sums import Total

FUNCTION = WindowFunction(
    known_from=1,
    value=lambda _, kept: None if kept.value is None else rounded(kept.value),
    keeps=Total,
    keeps_unit=True,
    adds_up=True,
)
