"""`count(x, w)`: number of readings in the window with a value; unknown while there is none."""

from decimal import Decimal

from daemon.rules.functions import WindowFunction

FUNCTION = WindowFunction(known_from=1, value=lambda window: Decimal(len(window)), adds_up=True)
