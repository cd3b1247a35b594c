"""`last(x, w)`: the last value of the window.

That is the value of this reading, or of an earlier one if this reading has none.
"""

from daemon.rules.functions import WindowFunction

FUNCTION = WindowFunction(known_from=1, value=lambda window: window.latest, keeps_unit=True)
