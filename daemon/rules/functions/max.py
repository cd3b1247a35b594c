"""`max(x, w)`: the highest value of the window."""

from functools import partial
from operator import ge

from daemon.rules.functions import WindowFunction
from daemon.rules.functions._extreme import Extreme

FUNCTION = WindowFunction(known_from=1, start=partial(Extreme, ge))
