"""Observers hear what happened, as it happens: the log, and `demo`. They change nothing."""

from collections.abc import Sequence
from typing import Protocol

from daemon.types import AttemptResult, Message, Notice, Record


class Observer(Protocol):
    def judged(self, record: Record) -> None:
        """An input was judged and its record committed (or kept until the store can write)."""
        ...

    def attempted(
        self, channel: str, message: Message, notices: Sequence[Notice], attempted: AttemptResult
    ) -> None:
        """An attempt to deliver `message` ended."""
        ...


class Observers:
    """Several observers as one."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    def judged(self, record: Record) -> None:
        for observer in self._observers:
            observer.judged(record)

    def attempted(
        self, channel: str, message: Message, notices: Sequence[Notice], attempted: AttemptResult
    ) -> None:
        for observer in self._observers:
            observer.attempted(channel, message, notices, attempted)
