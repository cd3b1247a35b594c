"""What `min` and `max` share: the extreme of a window, kept in a queue of the entries that may still become it."""

from collections import deque
from collections.abc import Callable
from decimal import Decimal

from daemon.rules.windows import Running, Window


class Extreme(Running):
    """Values leave the queue as soon as a later one outdoes them: amortised O(1) a reading, and exact."""

    __slots__ = ("_outdoes", "_queue")

    def __init__(self, outdoes: Callable[[Decimal, Decimal], bool]) -> None:
        self._outdoes = outdoes
        self._queue: deque[tuple[int, Decimal]] = deque()

    def enter(self, number: int, value: Decimal) -> None:
        queue = self._queue
        while queue and self._outdoes(value, queue[-1][1]):
            queue.pop()
        queue.append((number, value))

    def leave(self, number: int) -> None:
        if self._queue[0][0] == number:
            self._queue.popleft()

    def result(self, window: Window) -> Decimal | None:  # noqa: ARG002 - the queue knows all
        return self._queue[0][1]
