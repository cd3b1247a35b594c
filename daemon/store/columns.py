"""Column types: amounts that keep their value, instants, numbers of rows, JSON with exact decimals.

SQLAlchemy's own `Numeric` formats floats and loses digits, so it is not used for SQLite.
"""

import json
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, NUMERIC, REAL, BigInteger, Dialect, Integer, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

Instant = BigInteger
"""Milliseconds since 1970, UTC; also durations in milliseconds, and counters."""

RowNumber = BigInteger().with_variant(Integer(), "sqlite")
"""An `id`: SQLite numbers rows by itself only if the type is spelled INTEGER."""

Json = JSON(none_as_null=True)
"""`json` on PostgreSQL: `jsonb` refuses NUL characters, which an exchange may well send."""


class Amount(TypeDecorator[Decimal]):
    """REAL on SQLite, NUMERIC on PostgreSQL, so that SQL compares and sums it; a Decimal in Python.

    A value that a float cannot keep comes back as its nearest neighbour: see `inexact`.
    """

    impl = REAL
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return NUMERIC() if dialect.name == "postgresql" else REAL()

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else float(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return Decimal(repr(value)) if isinstance(value, float) else value


class MistypedError(Exception):
    """A column holds a value of another type than declared; `damage_errors` finds the row."""


class Words(TypeDecorator[str]):
    """Text only. SQLite keeps any value; commands would fail on it far from here."""

    impl = Text
    cache_ok = True
    storage = ("text", "null")
    """Storage classes that SQLite may report for a value."""

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None or isinstance(value, str):
            return value
        raise MistypedError


class Whole(TypeDecorator[int]):
    """An `Instant` only, as with `Words`."""

    impl = BigInteger
    cache_ok = True
    storage = ("integer", "null")

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002
        if value is None or isinstance(value, int):
            return value
        raise MistypedError


class Count(Whole):
    """A small number only, likewise."""

    impl = Integer  # type: ignore[assignment]
    cache_ok = True


def inexact(value: Decimal) -> bool:
    """Whether a float cannot keep this value, so that its text must be kept beside it."""
    return value.is_nan() or Decimal(repr(float(value))) != value


def dump(value: object) -> str:
    """The value as JSON in ASCII, decimals as strings with all their digits."""
    return json.dumps(value, default=str, separators=(",", ":"), allow_nan=False)


def load(text: str | bytes) -> object:
    """The value of a JSON text, numbers as exact decimals."""
    return json.loads(text, parse_float=Decimal)


def clean(text: str) -> str:
    """Text for any database: no NUL (PostgreSQL refuses it), no halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
