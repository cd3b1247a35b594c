"""Exact sums over a window: entering values are added, leaving ones are subtracted.

No digit is lost.
"""

from decimal import Decimal

from daemon.readings.exact import EXACT, INFINITY, ZERO
from daemon.rules.evaluation.windows import RunningAggregate
from daemon.types import Millis


class Total(RunningAggregate):
    """The sum. Infinities are only counted, so the sum is finite again once they have left."""

    __slots__ = ("_above", "_below", "finite")

    def __init__(self) -> None:
        self.finite = ZERO
        """The sum of the finite values."""
        self._above = self._below = 0

    def enter(self, number: int, at: Millis, value: Decimal) -> None:
        if value.is_finite():
            self.finite = EXACT.add(self.finite, value)
        else:
            self._count(value, 1)

    def leave(self, number: int, at: Millis, value: Decimal) -> None:
        if value.is_finite():
            self.finite = EXACT.subtract(self.finite, value)
        else:
            self._count(value, -1)

    def _count(self, value: Decimal, by: int) -> None:
        if value > 0:
            self._above += by
        else:
            self._below += by

    @property
    def value(self) -> Decimal | None:
        """The exact sum; None with both +∞ and -∞."""
        if not self._above and not self._below:
            return self.finite
        if self._above and self._below:
            return None
        return INFINITY if self._above else INFINITY.copy_negate()


class Squares(RunningAggregate):
    """The sum and the sum of squares."""

    __slots__ = ("_infinite", "_squares", "sum")

    def __init__(self) -> None:
        self.sum = self._squares = ZERO
        self._infinite = 0

    def enter(self, number: int, at: Millis, value: Decimal) -> None:
        if value.is_finite():
            self.sum = EXACT.add(self.sum, value)
            self._squares = EXACT.fma(value, value, self._squares)
        else:
            self._infinite += 1

    def leave(self, number: int, at: Millis, value: Decimal) -> None:
        if value.is_finite():
            self.sum = EXACT.subtract(self.sum, value)
            self._squares = EXACT.subtract(self._squares, EXACT.multiply(value, value))
        else:
            self._infinite -= 1

    def dispersion(self, count: int) -> Decimal | None:
        """The population variance times the square of the count, exact; None with infinities."""
        if self._infinite:
            return None
        return EXACT.subtract(
            EXACT.multiply(self._squares, count), EXACT.multiply(self.sum, self.sum)
        )


class LeastSquares(RunningAggregate):
    """The sums of a least-squares line."""

    __slots__ = ("_infinite", "_origin", "_products", "_squares", "_times", "_values")

    def __init__(self) -> None:
        self._origin: Millis | None = None
        self._times = self._squares = 0
        self._values = self._products = ZERO
        self._infinite = 0

    def enter(self, number: int, at: Millis, value: Decimal) -> None:
        if self._origin is None:
            self._origin = at
        since = at - self._origin
        self._times += since
        self._squares += since * since
        if value.is_finite():
            self._values = EXACT.add(self._values, value)
            self._products = EXACT.fma(value, since, self._products)
        else:
            self._infinite += 1

    def leave(self, number: int, at: Millis, value: Decimal) -> None:
        since = at - (self._origin or 0)
        self._times -= since
        self._squares -= since * since
        if value.is_finite():
            self._values = EXACT.subtract(self._values, value)
            self._products = EXACT.subtract(self._products, EXACT.multiply(value, since))
        else:
            self._infinite -= 1

    def slope(self, count: int) -> tuple[Decimal, int] | None:
        """The slope per millisecond as an exact fraction.

        None with infinities, or when all readings have one instant.
        """
        spread = count * self._squares - self._times * self._times
        if self._infinite or not spread:
            return None
        return EXACT.subtract(
            EXACT.multiply(self._products, count), EXACT.multiply(self._values, self._times)
        ), spread
