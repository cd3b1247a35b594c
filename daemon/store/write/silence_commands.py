"""Where commands write silences and acks: short transactions beside a daemon that may be
collecting.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from daemon.errors import StoreError
from daemon.store.store import beside
from daemon.store.write import silences
from daemon.types import Millis, Silence


@dataclass(frozen=True, slots=True)
class Quiet:
    """Of the database at a URL, which must exist. Everything raises StoreError where it cannot be
    written.
    """

    url: str = field(repr=False)

    def add(self, new: Silence, now: Millis) -> int:
        """Its number."""
        with beside(self.url) as connection:
            try:
                return silences.add(connection, new, now)
            except LookupError:
                raise StoreError(
                    f"the alert {new.code} has ended meanwhile: there is nothing to silence"
                ) from None

    def end(self, numbers: Collection[int], now: Millis) -> list[int]:
        """Those of them that had not ended."""
        with beside(self.url) as connection:
            return silences.end(connection, numbers, now)
