"""The lowest and the highest value of a window: keeps the entries that may still become it."""

import operator
from collections import deque
from collections.abc import Callable
from decimal import Decimal

from daemon.rules.evaluation.windows import RunningAggregate
from daemon.types import Millis


class _Extreme(RunningAggregate):
    """A monotonic queue: a value leaves as soon as a later one is more extreme.

    Exact, and amortised O(1) per reading.
    """

    __slots__ = ("_numbers", "_outdoes", "_values")

    def __init__(self, outdoes: Callable[[Decimal, Decimal], bool]) -> None:
        self._outdoes = outdoes
        self._numbers: deque[int] = deque()
        self._values: deque[Decimal] = deque()

    def enter(self, number: int, at: Millis, value: Decimal) -> None:
        values, outdoes = self._values, self._outdoes
        while values and outdoes(value, values[-1]):
            values.pop()
            self._numbers.pop()
        values.append(value)
        self._numbers.append(number)

    def leave(self, number: int, at: Millis, value: Decimal) -> None:
        if self._numbers[0] == number:
            self._numbers.popleft()
            self._values.popleft()

    @property
    def value(self) -> Decimal:
        return self._values[0]


class Lowest(_Extreme):
    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(operator.le)


class Highest(_Extreme):
    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(operator.ge)
