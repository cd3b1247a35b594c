"""Reports: which one was due when, and what became of it on each of its channels.

This file never changes once it has been released, and imports nothing from `daemon`: it describes the past.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INSTANT = sa.BigInteger()
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT),
        sa.Column("told_at", INSTANT),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("message_id", NUMBER),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_reports_message_id"),
        sa.UniqueConstraint("name", "channel", "due_at", name="uq_reports_name_channel_due_at"),
    )
    op.create_index("ix_reports_state", "reports", ["state"])
