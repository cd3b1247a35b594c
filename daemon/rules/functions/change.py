"""`change(x, w)`: `delta` as a fraction of the first value (SEMANTICS C3, C4).

A fall by a fifth is -0.2.
"""

from daemon.readings.exact import growth
from daemon.rules.functions import MULTIPLES, WindowFunction

FUNCTION = WindowFunction(
    known_from=2,
    value=lambda window: growth(window.latest, window.earliest),
    ratio=(-1, MULTIPLES[1]),
    forgets=True,
)
