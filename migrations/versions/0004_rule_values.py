"""Values that rules keep for ever, such as peaks. The view `balances` gets the derived field `equity`.

This file never changes once it has been released, and imports nothing from `daemon`: it describes the past.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "rule_values",
        sa.Column("account_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("expression", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_rule_values_account_id"),
        sa.PrimaryKeyConstraint("account_id", "rule", "expression", name="pk_rule_values"),
        sqlite_with_rowid=False,
    )
    _balances()


BALANCES = """
{create} VIEW balances AS
SELECT accounts.name AS account, {time} AS time, seq, source, quality,
    available_margin, available_usdt, almighty_gold, al_margin, al_freeze, cross_un_pnl,
    available_margin - al_margin AS free_margin,
    {margin_usage} AS margin_usage,
    {freeze_ratio} AS freeze_ratio,
    available_usdt + al_margin + al_freeze AS equity
FROM snapshots JOIN accounts ON accounts.id = snapshots.account_id
"""

SHARE = """CASE
    WHEN {part} IS NULL OR available_margin IS NULL THEN NULL
    WHEN available_margin > 0 THEN {part} / available_margin
    WHEN {part} > 0 THEN {infinity}
    ELSE 0 END"""

SPELLINGS = {
    "sqlite": {
        "create": "CREATE",
        "time": "strftime('%Y-%m-%dT%H:%M:%S', at / 1000, 'unixepoch') || printf('.%03dZ', at % 1000)",
        "infinity": "9e999",
    },
    "postgresql": {
        "create": "CREATE OR REPLACE",
        "time": (
            "to_char(to_timestamp(at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS')"
            " || '.' || lpad((at % 1000)::text, 3, '0') || 'Z'"
        ),
        "infinity": "'Infinity'::numeric",
    },
}


def _balances() -> None:
    """Add the column last: PostgreSQL then keeps the views and grants that others have on the view.

    SQLite cannot replace a view, but there nothing depends on it.
    """
    connection = op.get_bind()
    words = SPELLINGS[connection.dialect.name]
    shares = {
        name: SHARE.format(part=part, infinity=words["infinity"])
        for name, part in (("margin_usage", "al_margin"), ("freeze_ratio", "al_freeze"))
    }
    sql = BALANCES.format(create=words["create"], time=words["time"], **shares)
    if connection.dialect.name == "sqlite":
        op.execute("DROP VIEW balances")
    connection.exec_driver_sql(
        sql.replace("%", "%%") if connection.dialect.name == "postgresql" else sql
    )
