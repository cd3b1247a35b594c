"""`abs(x)`: the size of a number, without its sign."""

from decimal import Decimal

from daemon.rules.functions import PlainFunction

FUNCTION = PlainFunction(value=Decimal.copy_abs, usage="x", counts=(1, 1), keeps_unit=True)
