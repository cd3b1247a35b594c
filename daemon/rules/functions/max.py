"""`max(x, w)`: the highest value of the window."""

from daemon.rules.functions import WindowFunction
from daemon.rules.functions._extreme import Highest

FUNCTION = WindowFunction(
    known_from=1, value=lambda _, kept: kept.value, keeps=Highest, keeps_unit=True
)
