"""`delta(x, w)`: the last value of the window minus the first, rounded once.

Negative for falling values.
"""

from daemon.readings.exact import subtracted
from daemon.rules.functions import WindowFunction

FUNCTION = WindowFunction(
    known_from=2,
    value=lambda window: subtracted(window.latest, window.earliest),
    keeps_unit=True,
    forgets=True,
)
