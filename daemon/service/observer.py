"""Those who are told what happened, as it happens: the log, and `demo`. They change nothing."""

from collections.abc import Sequence
from typing import Protocol

from daemon.types import Attempted, Message, Notice, Record


class Watcher(Protocol):
    def judged(self, record: Record) -> None:
        """An input was judged and its record committed (or kept until the store can write)."""
        ...

    def attempted(self, channel: str, message: Message, notices: Sequence[Notice], attempted: Attempted) -> None:
        """An attempt to deliver `message` ended."""
        ...


class Watchers:
    """Several as one."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = tuple(watchers)

    def judged(self, record: Record) -> None:
        for watcher in self._watchers:
            watcher.judged(record)

    def attempted(self, channel: str, message: Message, notices: Sequence[Notice], attempted: Attempted) -> None:
        for watcher in self._watchers:
            watcher.attempted(channel, message, notices, attempted)
