"""`at_least = "3 of 5"`: counts how many of the last scheduled readings agree (SEMANTICS D3).

Derived state, like windows: a function of the last readings, emptied by a pause. A rebuild from
stored readings gives the same state.
"""

from collections import deque

from daemon.rules.rule import AtLeast
from daemon.types import Millis, Reading, Source, Unconfirmed

SCHEDULED = frozenset({Source.REST, Source.IMPORT})


def scheduled(event: Reading | Unconfirmed) -> bool:
    """Whether the reading comes from a poll at its slot, not from a push or a confirmation."""
    return (event.reading if isinstance(event, Unconfirmed) else event).source in SCHEDULED


class MOfNCounter:
    """Counts the last readings of one rule, with the result of its conditions at each."""

    def __init__(self, least: AtLeast, pause: Millis) -> None:
        self._least = least
        self._pause = pause
        self._at: Millis | None = None
        self._held: deque[bool] = deque(maxlen=least.of)
        self._cleared: deque[bool] = deque(maxlen=least.of)

    @property
    def look_back(self) -> Millis:
        """The longest span that the counted readings can cover."""
        return self._pause * (self._least.of - 1)

    def take(self, at: Millis, when: bool | None, clear: bool | None) -> None:
        """Count a scheduled reading; a reading with an unknown condition is not counted."""
        if when is None:
            return
        if self._at is not None and at - self._at > self._pause:
            self._held.clear()
            self._cleared.clear()
        self._at = at
        self._held.append(when)
        self._cleared.append(clear is True and not when)

    @property
    def agreement(self) -> tuple[int, int]:
        """How many counted readings fulfil the condition, and how many are counted."""
        return sum(self._held), len(self._held)

    def shift(self, by: Millis) -> None:
        """Move the last instant by a step of our clock."""
        if self._at is not None:
            self._at += by

    def when(self) -> bool | None:
        """Whether enough readings hold; unknown while later ones may still decide (promise 5)."""
        held = sum(self._held)
        if held >= self._least.count:
            return True
        return False if len(self._held) - held > self._least.of - self._least.count else None

    def clear(self) -> bool:
        """Whether enough readings fulfil `clear_when`."""
        return sum(self._cleared) >= self._least.count
