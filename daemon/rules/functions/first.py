"""`first(x, w)`: the first value of the window, as it was sent."""

from daemon.rules.functions import WindowFunction

FUNCTION = WindowFunction(known_from=1, value=lambda window: window.earliest, keeps_unit=True)
