"""`greatest(a, b, …)`: the highest of several numbers at one instant.

The highest value over time is `max(x, w)`.
"""

from daemon.rules.functions import MANY, PlainFunction

FUNCTION = PlainFunction(value=max, usage="a, b, …", counts=(2, MANY), keeps_unit=True)
