"""Writes silences and acks for commands, in short transactions beside a collecting daemon."""

from collections.abc import Collection
from dataclasses import dataclass, field

from daemon.errors import StoreError
from daemon.store.store import beside
from daemon.store.write import silences
from daemon.types import Millis, Silence


@dataclass(frozen=True, slots=True)
class Quiet:
    """Silences of the database at a URL, which must exist. Raises StoreError if it cannot write."""

    url: str = field(repr=False)

    def add(self, new: Silence, now: Millis) -> int:
        """Add a silence; returns its number."""
        with beside(self.url) as connection:
            try:
                return silences.add(connection, new, now)
            except LookupError:
                raise StoreError(
                    f"the alert {new.code} has ended meanwhile: there is nothing to silence"
                ) from None

    def end(self, numbers: Collection[int], now: Millis) -> list[int]:
        """End silences; returns the numbers of those that had not ended."""
        with beside(self.url) as connection:
            return silences.end(connection, numbers, now)
