"""Readings that others recorded, into `snapshots`, in short transactions beside a daemon that may be running.

The counter of an imported reading is made of its instant: negative, so that our own come later, and ascending by time
by itself, whatever is imported when. The same line always gets the same counter, so that importing it again changes
nothing, and nothing else in the database names these counters.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, Select, insert, select

from daemon.store import engine as engines
from daemon.store import rows
from daemon.store.codec import snapshot
from daemon.store.failures import told
from daemon.store.migrate import check, revision, upgrade
from daemon.store.schema import accounts, snapshots
from daemon.types import Balances, Millis, Quality, Reading, Source

INSTANT = 1_000
"""Readings that one instant may have."""

ORIGIN = -9_000_000_000_000_000
"""The counter of the first one at the instant 0. Every program reads a number of this size exactly (below 2^53)."""

LATEST: Millis = -ORIGIN // INSTANT - 1
"""The last instant that can be imported: in the year 2255."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A reading that others recorded; `n` tells apart those of one instant, in their order."""

    at: Millis
    n: int
    balances: Balances

    @property
    def seq(self) -> int:
        return ORIGIN + self.at * INSTANT + self.n


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of some lines."""

    added: int = 0
    known: int = 0
    """They were there already."""
    late: int = 0
    """They do not lie before the account's own readings."""

    @property
    def lines(self) -> int:
        return self.added + self.known + self.late

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.added + other.added, self.known + other.known, self.late + other.late)


class Importer:
    """Made by `importing`."""

    def __init__(self, url: URL, engine: Engine) -> None:
        self._url = url
        self._engine = engine

    def introduce(self, exchanges: Mapping[str, str]) -> list[str]:
        """Add the accounts, by name with their exchange, that the database does not know; returns their names."""
        with self._writing() as connection:
            return [
                name for name in exchanges if rows.insert(connection, accounts, name=name, exchange=exchanges[name])
            ]

    def add(self, account: str, batch: Sequence[Foreign]) -> Tally:
        """Add what is not there yet, in one transaction."""
        with self._writing() as connection:
            number = rows.AccountIds()(connection, account)
            own = _own(connection, number)
            early = [each for each in batch if own is None or each.at < own]
            held = set(connection.scalars(_held(number, [each.seq for each in early])))
            new = [each for each in early if each.seq not in held]
            if new:
                connection.execute(insert(snapshots), [{"account_id": number, **_columns(each)} for each in new])
        return Tally(len(new), len(early) - len(new), len(batch) - len(early))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with told(self._url), self._engine.begin() as connection:
            yield connection


@contextmanager
def importing(url: str) -> Iterator[Importer]:
    """Where to import to; a database that is not there is made.

    Raises:
        StoreError: where it cannot be used, or is of another version.

    """
    parsed = engines.parse(url)
    if _absent(parsed):
        upgrade(url)
    engine = engines.writing(parsed)
    try:
        with told(parsed), engine.connect() as connection:
            check(connection, parsed)
        yield Importer(parsed, engine)
    finally:
        engine.dispose()


def _absent(url: URL) -> bool:
    """There is no database yet, or an empty one."""
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return True
    engine = engines.reading(url)
    try:
        with told(url), engine.connect() as connection:
            return revision(connection) is None
    finally:
        engine.dispose()


def _own(connection: Connection, account_id: rows.AccountId) -> Millis | None:
    """When the account's own readings begin; None where it has none."""
    table = snapshots.c
    first = select(table.at).where(table.account_id == account_id, table.seq > 0).order_by(table.seq).limit(1)
    return connection.scalar(first)


def _held(account_id: rows.AccountId, seqs: Sequence[int]) -> Select[int]:
    return select(snapshots.c.seq).where(snapshots.c.account_id == account_id, snapshots.c.seq.in_(seqs))


def _columns(new: Foreign) -> Mapping[str, object]:
    return snapshot(Reading(new.seq, new.at, Source.IMPORT, Quality.OK, None, new.balances))
