"""`median(x, w)`: the middle value of the window; with an even count the mean of the middle two."""

from decimal import Decimal

from daemon.readings.exact import EXACT, quotient
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import WindowFunction
from daemon.rules.functions._ordered import Ordered


def _median(window: Window, kept: Ordered) -> Decimal | None:
    low, high = kept.middle(len(window))
    return low if low == high else quotient(EXACT.add(low, high), 2)


FUNCTION = WindowFunction(known_from=1, value=_median, keeps=Ordered, keeps_unit=True)
