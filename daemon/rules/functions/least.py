"""`least(a, b, …)`: the lowest of several numbers at one instant.

The lowest value over time is `min(x, w)`.
"""

from daemon.rules.functions import MANY, PlainFunction

FUNCTION = PlainFunction(value=min, usage="a, b, …", counts=(2, MANY), keeps_unit=True)
