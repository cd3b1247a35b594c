"""`rise(x, w)`: the rise from the lowest value of the window to the last (SEMANTICS C3, C4).

The result is a fraction of the lowest value.
"""

from daemon.readings.exact import growth
from daemon.rules.functions import MULTIPLES, WindowFunction
from daemon.rules.functions._extreme import Lowest

FUNCTION = WindowFunction(
    known_from=2,
    value=lambda window, kept: growth(window.latest, kept.value),
    keeps=Lowest,
    ratio=MULTIPLES,
    forgets=True,
)
