"""`delta(x, w)`: the last value of the window minus its first, rounded once; falling values give a negative one."""

from decimal import Decimal

from daemon.readings.exact import subtracted
from daemon.rules.functions import WindowFunction
from daemon.rules.windows import Running, Window


class Delta(Running):
    __slots__ = ()

    def result(self, window: Window) -> Decimal | None:
        return subtracted(window.latest, window.earliest)


FUNCTION = WindowFunction(known_from=2, start=Delta)
