"""Hourly rollups, with which of them are to be made, and how far the readings were looked through.

The table `rollups` was empty so far. It gets more columns and is not made anew, because on
PostgreSQL others may have views and grants on it.

This file never changes once it has been released, and imports nothing from `daemon`: it describes the past.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INSTANT = sa.BigInteger()
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AMOUNT = sa.REAL().with_variant(sa.NUMERIC(), "postgresql")


def upgrade() -> None:
    op.execute("DELETE FROM rollups")
    for column in (
        sa.Column("sum", AMOUNT, nullable=False),
        sa.Column("covered_ms", INSTANT, nullable=False),
        sa.Column("gap_ms", INSTANT, nullable=False),
        sa.Column("exact", sa.JSON()),
    ):
        op.add_column("rollups", column)
    _keyed(
        "miss_rollups",
        ["at", "reason"],
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
    )
    _keyed(
        "pending_hours",
        ["at"],
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("mark", sa.Integer(), nullable=False),
    )
    _keyed(
        "upkeep",
        ["task"],
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("seq", INSTANT, nullable=False),
    )


def _keyed(table: str, key: list[str], *columns: sa.Column[object]) -> None:
    """A table of one account's rows, in the order of its key."""
    op.create_table(
        table,
        sa.Column("account_id", NUMBER, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("account_id", *key, name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=f"fk_{table}_account_id"),
        sqlite_with_rowid=False,
    )
