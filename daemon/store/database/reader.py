"""Short read transactions beside the writer, which leave no files behind.

    at rest, no WAL ──► the file alone, without a lock
                        ──► unchanged meanwhile? its answer; else read again
    a WAL with data ──► through the WAL, whose files are there

SQLite creates the WAL and its index when it opens a database that may have them. A reader cannot
remove them again; if another user created them, the daemon can no longer write.
"""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from sqlalchemy import URL, Connection, Engine

from daemon.errors import StoreError
from daemon.store.database import corruption
from daemon.store.database import engine as engines
from daemon.store.database.failures import store_errors
from daemon.store.database.files import Version, version_at_rest

T = TypeVar("T")

ATTEMPTS = 5
"""Tries to read a file alone while others change it; then it counts as being written."""

Read: TypeAlias = Callable[[Connection], T]
"""A repeatable read: it is called again if the file changed meanwhile."""


class Reader:
    """Reads until `close`."""

    def __init__(self, url: URL) -> None:
        """Raises StoreError when the database is missing or cannot be read."""
        self._url = url
        self._shared = engines.reading(url)
        self._alone: Engine | None = None
        self._version: Version | None = None
        """The version of the file that `_alone` has open."""

    def read(self, what: Read[T]) -> T:
        """The result of `what` in one transaction; raises StoreError when it cannot be read."""
        for _ in range(ATTEMPTS):
            version = version_at_rest(self._url)
            if version is None:
                break
            try:
                found = self._within(self._opened(version), what)
            except StoreError:
                if version == version_at_rest(self._url):
                    raise
            else:
                if version == version_at_rest(self._url):
                    return found
        return self._within(self._shared, what)

    def close(self) -> None:
        self._shared.dispose()
        self._forget()

    def _opened(self, version: Version) -> Engine:
        """A new engine for each version: an old connection never checks for a changed file."""
        if self._alone is None or self._version != version:
            self._forget()
            self._alone, self._version = engines.reading_alone(self._url), version
        return self._alone

    def _forget(self) -> None:
        if self._alone is not None:
            self._alone.dispose()

    def _within(self, engine: Engine, what: Read[T]) -> T:
        with (
            store_errors(self._url),
            engine.connect() as connection,
            corruption.damage_errors(self._url, connection),
        ):
            return what(connection)
