"""Imports readings from elsewhere into `snapshots`, in short transactions beside a running daemon.

The counter of an imported reading is made from its instant: negative, so that our own come later,
and ascending by time, whatever is imported when. The same line always gets the same counter, so
importing it again changes nothing. Nothing else in the database names these counters.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, insert, select

from daemon.readings.rollups import hour_of
from daemon.store import rows
from daemon.store.bounded_extra import snapshot_rows
from daemon.store.codec import FIELDS, reading, snapshot
from daemon.store.database import corruption
from daemon.store.database import engine as engines
from daemon.store.database.failures import store_errors
from daemon.store.database.files import refuse_unwritable
from daemon.store.database.migrate import check, must_hold_no_triggers, revision, upgrade
from daemon.store.database.reader import Reader
from daemon.store.schema import accounts, snapshots
from daemon.store.write.rollups import mark
from daemon.types import Balances, Millis, Quality, Reading, Source

INSTANT = 1_000
"""Most readings of one instant."""

ORIGIN = -9_000_000_000_000_000
"""The first counter at the instant 0; every program reads this size exactly (below 2^53)."""

LATEST: Millis = -ORIGIN // INSTANT - 1
"""The last instant that can be imported, in the year 2255."""


@dataclass(frozen=True, slots=True)
class ImportedReading:
    """A reading recorded elsewhere; `n` numbers readings of one instant, in their order."""

    at: Millis
    n: int
    balances: Balances
    line: int = field(default=0, compare=False)
    """Its line in the file."""
    quality: Quality = Quality.OK

    @property
    def seq(self) -> int:
        return ORIGIN + self.at * INSTANT + self.n


@dataclass(frozen=True, slots=True)
class ImportConflict:
    """A line's value of a field, and the different one imported before; None if that had none."""

    line: int
    field: str
    said: Decimal
    held: Decimal | None


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """Counts of imported, known and refused lines."""

    added: int = 0
    known: int = 0
    """Lines imported before."""
    late: int = 0
    """Lines not before the account's own readings."""
    clashing: int = 0
    """Lines that differ from an earlier import, which stays."""
    clash: ImportConflict | None = None
    """The first conflict in the file."""

    @property
    def lines(self) -> int:
        return self.added + self.known + self.late + self.clashing

    def __add__(self, other: "ImportCounts") -> "ImportCounts":
        clashes = [each for each in (self.clash, other.clash) if each is not None]
        return ImportCounts(
            self.added + other.added,
            self.known + other.known,
            self.late + other.late,
            self.clashing + other.clashing,
            min(clashes, key=lambda clash: clash.line, default=None),
        )


class Importer:
    """Created by `importing`."""

    def __init__(self, url: URL, engine: Engine) -> None:
        self._url = url
        self._engine = engine

    def introduce(self, exchanges: Mapping[str, str]) -> list[str]:
        """Add unknown accounts, given by name with their exchange; returns the added names."""
        with self._writing() as connection:
            return [
                name
                for name in exchanges
                if rows.insert(connection, accounts, name=name, exchange=exchanges[name])
            ]

    def add(self, account: str, batch: Sequence[ImportedReading]) -> ImportCounts:
        """Add readings not there yet, in one transaction."""
        with self._writing() as connection:
            number = rows.AccountIds()(connection, account)
            new, counts = _compared(connection, number, batch)
            if new:
                connection.execute(
                    insert(snapshots), [{"account_id": number, **_columns(each)} for each in new]
                )
                mark(connection, number, {hour_of(each.at) for each in new})
        return counts

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with (
            store_errors(self._url),
            self._engine.begin() as connection,
            corruption.damage_errors(self._url, connection),
        ):
            yield connection


@contextmanager
def importing(url: str) -> Iterator[Importer]:
    """An importer into the database, which is created if it does not exist.

    Raises:
        StoreError: when it cannot be used, or is of another version.
    """
    parsed = engines.parse(url)
    if _absent(parsed):
        upgrade(url)
    refuse_unwritable(parsed)
    engine = engines.writing(parsed)
    try:
        with store_errors(parsed), engine.connect() as connection:
            check(connection, parsed)
            must_hold_no_triggers(connection, parsed)
        yield Importer(parsed, engine)
    finally:
        engine.dispose()


class ImportPreview:
    """Preview of an import. It writes nothing, and makes no database."""

    def __init__(self, url: str) -> None:
        self._url = engines.parse(url)
        self._known = known_accounts(url)

    def introduce(self, exchanges: Mapping[str, str]) -> list[str]:
        """The accounts that would be added."""
        return [name for name in exchanges if name not in self._known]

    def add(self, account: str, batch: Sequence[ImportedReading]) -> ImportCounts:
        """The counts of these readings, as `Importer.add` gives them."""
        if account not in self._known:
            return ImportCounts(added=len(batch))

        def counts(connection: Connection) -> ImportCounts:
            number = connection.scalars(select(accounts.c.id).filter_by(name=account)).one()
            return _compared(connection, number, batch)[1]

        with closing(Reader(self._url)) as reader:
            return reader.read(counts)


def _compared(
    connection: Connection, account_id: rows.AccountId, batch: Sequence[ImportedReading]
) -> tuple[list[ImportedReading], ImportCounts]:
    """The readings that are new, and the counts of all."""
    own = _own(connection, account_id)
    early = [each for each in batch if own is None or each.at < own]
    held = _held(connection, account_id, {each.at for each in early})
    new = [each for each in early if each.seq not in held[each.at]]
    there = [each for each in early if each.seq in held[each.at]]
    clashes = [clash for each in there if (clash := _clash(each, held[each.at])) is not None]
    first = min(clashes, key=lambda clash: clash.line, default=None)
    late = len(batch) - len(early)
    return new, ImportCounts(len(new), len(there) - len(clashes), late, len(clashes), first)


def known_accounts(url: str) -> list[str]:
    """Names of recorded accounts; empty when there is no database yet."""
    parsed = engines.parse(url)
    if _absent(parsed):
        return []

    def names(connection: Connection) -> list[str]:
        check(connection, parsed)
        return list(connection.scalars(select(accounts.c.name)))

    with closing(Reader(parsed)) as reader:
        return reader.read(names)


def _absent(url: URL) -> bool:
    """Whether there is no database yet, or an empty one."""
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return True
    with closing(Reader(url)) as reader:
        return reader.read(revision) is None


def _own(connection: Connection, account_id: rows.AccountId) -> Millis | None:
    """The instant of the account's first own reading; None when it has none."""
    table = snapshots.c
    first = (
        select(table.at)
        .where(table.account_id == account_id, table.seq > 0)
        .order_by(table.seq)
        .limit(1)
    )
    return connection.scalar(first)


def _held(
    connection: Connection, account_id: rows.AccountId, instants: Collection[Millis]
) -> Mapping[Millis, dict[int, Balances]]:
    """Imported values for these instants, by instant and counter."""
    table = snapshots.c
    chosen = snapshot_rows().where(
        table.account_id == account_id, table.seq < 0, table.at.in_(instants)
    )
    found = defaultdict[Millis, dict[int, Balances]](dict)
    for each in map(reading, connection.execute(chosen)):
        found[each.at][each.seq] = each.balances
    return found


def _clash(line: ImportedReading, held: Mapping[int, Balances]) -> ImportConflict | None:
    """A conflict of the line with imported readings of its instant; None if one agrees."""
    if any(_difference(line, each) is None for each in held.values()):
        return None
    return _difference(line, held[line.seq])


def _difference(line: ImportedReading, held: Balances) -> ImportConflict | None:
    """The first field with different values; a field that the line leaves out does not count."""
    for name in FIELDS:
        said, there = getattr(line.balances, name), getattr(held, name)
        if said is not None and said != there:
            return ImportConflict(line.line, name, said, there)
    return None


def _columns(new: ImportedReading) -> Mapping[str, object]:
    return snapshot(Reading(new.seq, new.at, Source.IMPORT, new.quality, None, new.balances))
