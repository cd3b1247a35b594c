"""Reports rows that marginwatch never wrote so: changed by hand, or damaged. It never guesses.

    a row ──► its values, or Damaged (which row) ──► StoreError: one sentence, with the account

All code that turns rows into values uses this module, so a wrong row never looks like a bug.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import URL, Connection, Text, func, or_, select, type_coerce

from daemon.errors import StoreError
from daemon.store.columns import MistypedError, Whole, Words, load
from daemon.store.database.failures import database_name
from daemon.store.schema import accounts, metadata

CAUSES = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    msgspec.MsgspecError,
)
"""Exceptions raised while such a row is turned into values."""


class Unreadable:
    """Stands for a text that should be JSON and is not; nothing can be read from it."""


UNREADABLE = Unreadable()

ACCOUNT_ID = "account_id"
"""The first column of the primary key of a table whose rows belong to accounts."""


RowKey: TypeAlias = int | tuple[Any, ...]
"""The primary key of a row, without its account: mostly one number."""


class Damaged(Exception):  # noqa: N818 -- it says what the row is
    """A row of a table, named by its primary key."""

    def __init__(self, table: str, row: RowKey, account_id: int | None = None) -> None:
        super().__init__(table, row, account_id)
        self.table = table
        self.row = row
        self.account_id = account_id


def decode_json(text: str | bytes) -> object:
    """The value of a JSON text; `UNREADABLE` if invalid, so that callers can name the row."""
    try:
        return load(text)
    except (ValueError, ArithmeticError, RecursionError):
        return UNREADABLE


@contextmanager
def at_row(table: str, row: RowKey, account_id: int | None = None) -> Iterator[None]:
    """Name this row in errors raised while its values are read."""
    try:
        yield
    except CAUSES as error:
        raise Damaged(table, row, account_id) from error


@contextmanager
def damage_errors(url: URL, connection: Connection) -> Iterator[None]:
    """Turn a damaged row met meanwhile into a StoreError."""
    try:
        yield
    except Damaged as damaged:
        raise _sentence(url, damaged, connection) from damaged
    except MistypedError as error:
        found = next(_mistyped_rows(connection), None)
        if found is None:  # mended meanwhile
            raise StoreError(
                f"the database {database_name(url)} was changed while it was read: try again"
            ) from error
        raise _sentence(url, found, connection) from error


def _mistyped_rows(connection: Connection) -> Iterator[Damaged]:
    """The first row of each table in which a column holds a value of another type.

    Searched only after a failure: asking for the key of each row would slow down all reading.
    """
    for table in metadata.sorted_tables:
        wrong = [
            func.typeof(column).not_in(column.type.storage)
            for column in table.c
            if isinstance(column.type, Words | Whole)
        ]
        if not wrong:
            continue
        row = connection.execute(
            select(*table.primary_key).where(or_(*wrong)).limit(1)
        ).one_or_none()
        if row is not None:
            key: tuple[Any, ...] = tuple(row)
            owned = table.primary_key.columns.keys()[0] == ACCOUNT_ID
            yield Damaged(table.name, key[1:], key[0]) if owned else Damaged(table.name, key)


def _sentence(url: URL, damaged: Damaged, connection: Connection) -> StoreError:
    return StoreError(
        f"the table {damaged.table} of the database {database_name(url)} holds what"
        " marginwatch never"
        f" wrote, in the row {_place(damaged, connection)}: mend it, or put a copy of the database"
        " from before in its place",
    )


def _place(damaged: Damaged, connection: Connection) -> str:
    """The row in words, such as `of account main with account_id 1 and seq 3`."""
    names = metadata.tables[damaged.table].primary_key.columns.keys()
    values = damaged.row if isinstance(damaged.row, tuple) else (damaged.row,)
    if damaged.account_id is None:
        return f"with {_listed(names, values)}"
    wanted = select(type_coerce(accounts.c.name, Text)).where(accounts.c.id == damaged.account_id)
    name = connection.scalar(wanted)
    shown = name if isinstance(name, str) else "?"
    return f"of account {shown or '?'} with {_listed(names, (damaged.account_id, *values))}"


def _listed(names: Sequence[str], values: Sequence[object]) -> str:
    *first, last = (f"{name} {value}" for name, value in zip(names, values, strict=True))
    return f"{', '.join(first)} and {last}" if first else last
