"""`spike(x, w)`: distance of the last value from the median, in robust deviations (SEMANTICS C3).

A robust deviation is 1.4826 times the MAD, the median distance from the median. For pure noise it
is about the standard deviation, but the spike itself hardly moves it. `spike(x, w, 5)` divides by
at least 5 (the default is 1). It is a distance, so it is never below 0.
"""

from bisect import bisect_left
from decimal import Decimal

from daemon.readings.exact import EXACT, quotient
from daemon.rules.evaluation.windows import Window
from daemon.rules.functions import Parameter, WindowFunction
from daemon.rules.functions._ordered import Ordered

_ROBUST = Decimal("1.4826")

_BESIDE = 8
"""How many places the nearest half of the values usually moves between two readings, at most."""


def _spike(window: Window, kept: Ordered, least: Decimal) -> Decimal | None:
    count = len(window)
    if not (kept[0].is_finite() and kept[count - 1].is_finite()):
        return None
    centre = EXACT.add(*kept.middle(count))
    # Twice the median is exact, so distance, deviation and least are all taken four times.
    distance = EXACT.multiply(
        EXACT.subtract(EXACT.multiply(window.latest, 2), centre).copy_abs(), 2
    )
    deviation = EXACT.multiply(_deviation(kept, count, centre), _ROBUST)
    return quotient(distance, max(deviation, EXACT.multiply(least, 4)))


def _deviation(kept: Ordered, count: int, centre: Decimal) -> Decimal:
    """Four times the median distance of all values from the median, which is half of `centre`."""
    near = (count + 1) // 2
    first = _nearest(kept, count - near, near, centre)
    farthest = max(_distance(kept[first], centre), _distance(kept[first + near - 1], centre))
    if count % 2:
        return EXACT.multiply(farthest, 2)
    beside = [
        _distance(kept[place], centre) for place in (first - 1, first + near) if 0 <= place < count
    ]
    return EXACT.add(farthest, min(beside))


def _nearest(kept: Ordered, last: int, near: int, centre: Decimal) -> int:
    """Index of the first of the `near` values that are nearest to the median; at most `last`.

    These values are consecutive, and the distances on each side of the median are sorted already.
    So a binary search finds the place, starting beside the previous one.
    """

    def right_is_nearer_or_equal(place: int) -> bool:
        return EXACT.add(kept[place], kept[place + near]) >= centre

    low, high = max(0, min(kept.hint, last) - _BESIDE), min(last, kept.hint + _BESIDE)
    if low and right_is_nearer_or_equal(low - 1):
        low, high = 0, low - 1
    elif high < last and not right_is_nearer_or_equal(high):
        low, high = high + 1, last
    kept.hint = low + bisect_left(range(low, high), True, key=right_is_nearer_or_equal)
    return kept.hint


def _distance(value: Decimal, centre: Decimal) -> Decimal:
    """Twice the distance of a value from half the centre."""
    return EXACT.subtract(EXACT.multiply(value, 2), centre).copy_abs()


FUNCTION = WindowFunction(
    known_from=10,
    value=_spike,
    keeps=Ordered,
    parameters=(Parameter.SERIES, Parameter.SPAN, Parameter.LEAST),
    forgets=True,
    is_distance=True,
)
