"""Rows that hold what marginwatch never wrote: changed by hand, or damaged. Told with their place, never guessed at.

    a row ──► its values, or Damaged (which row) ──► told: one sentence, with the account's name

Whatever turns rows into values goes through here, so that a wrong row never looks like a mistake of the program.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy import URL, Connection, select

from daemon.errors import StoreError
from daemon.store.columns import load
from daemon.store.failures import named
from daemon.store.schema import accounts

CAUSES = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    msgspec.MsgspecError,
)
"""What comes of turning such a row into values."""


class Unreadable:
    """Stands for text that is no JSON where JSON should be; nothing can be made of it."""


UNREADABLE = Unreadable()


class Damaged(Exception):  # noqa: N818 -- it says what the row is
    """A row of a table: of an account its counter, else its `id`."""

    def __init__(self, table: str, row: int, account_id: int | None = None) -> None:
        super().__init__(table, row, account_id)
        self.table = table
        self.row = row
        self.account_id = account_id


def readable(text: str | bytes) -> object:
    """JSON; where it is none, `UNREADABLE`, so that whoever knows the row can name it."""
    try:
        return load(text)
    except (ValueError, ArithmeticError, RecursionError):
        return UNREADABLE


@contextmanager
def within(table: str, row: int, account_id: int | None = None) -> Iterator[None]:
    """Within, this row is turned into values."""
    try:
        yield
    except CAUSES as error:
        raise Damaged(table, row, account_id) from error


@contextmanager
def told(url: URL, connection: Connection) -> Iterator[None]:
    """Within, a damaged row becomes a StoreError."""
    try:
        yield
    except Damaged as damaged:
        raise StoreError(
            f"the table {damaged.table} of the database {named(url)} holds what marginwatch never wrote, in the row "
            f"{_place(damaged, connection)}: mend it, or put a copy of the database from before in its place",
        ) from damaged


def _place(damaged: Damaged, connection: Connection) -> str:
    if damaged.account_id is None:
        return f"with id {damaged.row}"
    name = connection.scalar(select(accounts.c.name).where(accounts.c.id == damaged.account_id))
    return f"of account {name or '?'} with account_id {damaged.account_id} and seq {damaged.row}"
