"""The place of a database, as the writer sees it. A file can be moved, a server cannot."""

from typing import Protocol


class DatabaseLocation(Protocol):
    """The place of the database, if it can change."""

    def verify(self) -> None:
        """Raise Refused when a write would be lost."""
        ...

    def renew(self) -> None:
        """Connect again after a refused write. A file may have been put back meanwhile."""
        ...


class Server:
    """A PostgreSQL server: the session keeps its lock, unless the connection was lost."""

    def verify(self) -> None:
        """Nothing to do: a server stays in its place."""

    def renew(self) -> None:
        """Nothing to do: the engine reconnects by itself."""


SERVER = Server()
