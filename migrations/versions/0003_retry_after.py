"""How long a service asked to be left alone, of each attempt: so that a restart obeys it, and `status` names its end.

This file never changes once it has been released, and imports nothing from `daemon`: it describes the past.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("attempts", sa.Column("retry_after", sa.BigInteger()))
