"""Sizes of the tables, how fast they grow, and when the disk will be full."""

import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import URL, ColumnElement, Connection, Table, func, select, text

from daemon.store.database import engine as engines
from daemon.store.database.files import beside
from daemon.store.database.migrate import check
from daemon.store.database.reader import Reader
from daemon.store.schema import accounts, metadata
from daemon.types import DAY, HOUR, Millis

LOOK_BACK: Millis = 7 * DAY
"""Growth is that of the last week."""

STATISTICS = "ENABLE_DBSTAT_VTAB"
"""The option with which SQLite was compiled where it counts the pages of a table."""

SAMPLE = 1_000
"""Rows measured per table where SQLite cannot tell its size."""


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table with its indexes."""

    name: str
    rows: int
    size: int
    """Bytes."""
    unused: int | None
    """Bytes of its pages that hold nothing; None when unknown."""
    recent: int
    """Rows of the last week."""


@dataclass(frozen=True, slots=True)
class DatabaseSize:
    """The whole database; sizes in bytes."""

    tables: tuple[TableSize, ...]
    size: int
    """Everything, with the WAL."""
    free: int
    """Free pages, which new rows fill before the file grows."""
    is_estimate: bool
    """Whether the sizes of the tables are estimates."""
    span: Millis
    """The time in which the recent rows came."""
    disk_free: int | None
    """None on another machine's disk."""


def growth(found: DatabaseSize) -> int | None:
    """Bytes a day at the rate of the last week; None from a record shorter than an hour."""
    if found.span < HOUR:
        return None
    recent = sum(each.size * each.recent // each.rows for each in found.tables if each.rows)
    return recent * DAY // found.span


def full_in(found: DatabaseSize) -> Millis | None:
    """The time until the disk is full; None when it does not grow, or that is unknown."""
    daily = growth(found)
    if not daily or found.disk_free is None:
        return None
    return (found.disk_free + found.free) * DAY // daily


def measure(url: str, now: Millis) -> DatabaseSize:
    """Read the sizes; raises StoreError when the database cannot be read."""
    parsed = engines.parse(url)

    def look(connection: Connection) -> DatabaseSize:
        check(connection, parsed)
        if parsed.get_backend_name() == "sqlite":
            return _of_file(connection, parsed, now)
        return _of_server(connection, now)

    with closing(Reader(parsed)) as reader:
        return reader.read(look)


def _of_file(connection: Connection, url: URL, now: Millis) -> DatabaseSize:
    pages = {
        name: connection.scalar(text(f"PRAGMA {name}"))
        for name in ("page_size", "page_count", "freelist_count")
    }
    free = pages["page_size"] * pages["freelist_count"]
    used = pages["page_size"] * pages["page_count"] - free
    rows = _rows(connection)
    has_statistics = connection.scalar(select(func.sqlite_compileoption_used(STATISTICS)))
    sizes = _statistics(connection) if has_statistics else _estimates(connection, rows, used)
    log = beside(url, "-wal")
    since, recent = _recent(connection, now)
    return DatabaseSize(
        tuple(
            TableSize(name, count, *sizes.get(name, (0, None)), recent.get(name, 0))
            for name, count in rows.items()
        ),
        used + free + (log.stat().st_size if log.exists() else 0),
        free,
        not has_statistics,
        now - since,
        shutil.disk_usage(beside(url, "").parent).free,
    )


def _of_server(connection: Connection, now: Millis) -> DatabaseSize:
    since, recent = _recent(connection, now)
    size = text("SELECT pg_total_relation_size(to_regclass(:name))")
    tables = tuple(
        TableSize(name, count, connection.scalar(size, {"name": name}) or 0, None, recent[name])
        for name, count in _rows(connection).items()
    )
    total = connection.scalar(text("SELECT pg_database_size(current_database())"))
    return DatabaseSize(tables, int(total or 0), 0, False, now - since, None)


def _rows(connection: Connection) -> dict[str, int]:
    return {
        name: connection.scalar(select(func.count()).select_from(table)) or 0
        for name, table in metadata.tables.items()
    }


def _statistics(connection: Connection) -> dict[str, tuple[int, int | None]]:
    """Bytes and unused bytes of each table with its indexes, as SQLite counts them."""
    query = text(
        "SELECT tbl_name, sum(pgsize), sum(unused) FROM sqlite_master"
        " JOIN (SELECT name, pgsize, unused FROM dbstat WHERE aggregate = TRUE) USING (name)"
        " GROUP BY tbl_name"
    )
    return {name: (size, unused) for name, size, unused in connection.execute(query)}


def _estimates(
    connection: Connection, rows: Mapping[str, int], used: int
) -> dict[str, tuple[int, int | None]]:
    """The bytes in use, shared out by the text length of some rows of each table."""
    weights = {name: rows[name] * _row_length(connection, metadata.tables[name]) for name in rows}
    whole = sum(weights.values()) or 1
    return {name: (used * weight // whole, None) for name, weight in weights.items()}


def _row_length(connection: Connection, table: Table) -> int:
    lengths = [func.coalesce(func.length(column), 0) for column in table.c]
    some = select(sum(lengths[1:], lengths[0]).label("length")).limit(SAMPLE).subquery()
    return int(connection.scalar(select(func.avg(some.c.length))) or 0) + 1


def _recent(connection: Connection, now: Millis) -> tuple[Millis, dict[str, int]]:
    """The rows of the last week by table, and since when: later where the record is younger."""
    since = now - LOOK_BACK
    recent = dict.fromkeys(metadata.tables, 0)
    firsts = []
    for name, table in metadata.tables.items():
        if "at" not in table.c or name == "budget":
            continue
        within = [table.c.at >= since, table.c.at <= now]
        for owner in _owners(connection, table):
            row = select(func.count(), func.min(table.c.at)).where(*owner, *within)
            count, first = connection.execute(row).one()
            recent[name] += count
            if first is not None:
                firsts.append(first)
    return min(firsts, default=now), recent


def _owners(connection: Connection, table: Table) -> list[list[ColumnElement[bool]]]:
    """Conditions that split a table by account, so that its index by instant is used."""
    if "account_id" not in table.c:
        return [[]]
    return [[table.c.account_id == number] for number in connection.scalars(select(accounts.c.id))]
