"""`min(x, w)`: the lowest value of the window."""

from daemon.rules.functions import WindowFunction
from daemon.rules.functions._extreme import Lowest

FUNCTION = WindowFunction(
    known_from=1, value=lambda _, kept: kept.value, keeps=Lowest, keeps_unit=True
)
