"""The first tables.

This file never changes once it has been released, and imports nothing from `daemon`: it describes the past.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.BigInteger()
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AMOUNT = sa.REAL().with_variant(sa.NUMERIC(), "postgresql")


def upgrade() -> None:
    _accounts()
    _inputs()
    _alerts()
    _transitions()
    _messages()
    _notifications()
    _silences()
    _epochs()
    _budget()
    _rollups()
    _balances()


def _id() -> sa.Column[int]:
    return sa.Column("id", NUMBER, nullable=False)


def _required(name: str, kind: sa.types.TypeEngine[object] | None = None) -> sa.Column[object]:
    return sa.Column(name, kind or sa.Text(), nullable=False)


def _refers(name: str, table: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [f"{to}.id"], name=f"fk_{table}_{name}")


def _keyed(table: str, *columns: sa.Column[object]) -> None:
    """A table of one account's rows, in the order of its key."""
    key = ["account_id", *(column.name for column in columns if column.info.get("key"))]
    op.create_table(
        table,
        _required("account_id", NUMBER),
        *columns,
        sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"),
        _refers("account_id", table, "accounts"),
        sqlite_with_rowid=False,
    )


def _key(name: str, kind: sa.types.TypeEngine[object]) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False, info={"key": True})


def _accounts() -> None:
    op.create_table(
        "accounts",
        _id(),
        _required("name"),
        _required("exchange"),
        sa.Column("user_id", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("name", name="uq_accounts_name"),
    )


def _inputs() -> None:
    fields = "available_margin available_usdt almighty_gold al_margin al_freeze cross_un_pnl"
    _keyed(
        "snapshots",
        _key("seq", INSTANT),
        _required("at", INSTANT),
        sa.Column("exchange_at", INSTANT),
        _required("source"),
        _required("quality"),
        *(sa.Column(field, AMOUNT) for field in fields.split()),
        sa.Column("extra", sa.JSON()),
    )
    _keyed(
        "misses",
        _key("seq", INSTANT),
        _required("at", INSTANT),
        _required("reason"),
        _required("detail"),
    )
    _keyed(
        "gaps",
        _key("seq", INSTANT),
        _required("started_at", INSTANT),
        _required("ended_at", INSTANT),
        _required("reason"),
        _required("missed", sa.Integer()),
        sa.Column("step_ms", INSTANT),
    )
    for table in ("snapshots", "misses"):
        op.create_index(f"ix_{table}_account_id_at", table, ["account_id", "at"])


def _alerts() -> None:
    op.create_table(
        "alerts",
        _id(),
        _required("code"),
        sa.Column("account_id", NUMBER),
        _required("rule"),
        _required("seq", INSTANT),
        _required("severity"),
        _required("state"),
        _required("started_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        _required("data", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        _refers("account_id", "alerts", "accounts"),
    )
    identity = [sa.text("coalesce(account_id, 0)"), "rule", "seq"]
    op.create_index("uq_alerts_account_id_rule_seq", "alerts", identity, unique=True)
    op.create_index("ix_alerts_code", "alerts", ["code"])
    op.create_index("ix_alerts_state", "alerts", ["state"])


def _transitions() -> None:
    op.create_table(
        "transitions",
        _id(),
        _required("alert_id", NUMBER),
        _required("at", INSTANT),
        _required("from_state"),
        _required("to_state"),
        _required("reason"),
        sa.Column("value", AMOUNT),
        sa.Column("exact", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_transitions"),
        _refers("alert_id", "transitions", "alerts"),
        sa.UniqueConstraint(
            "alert_id",
            "at",
            "from_state",
            "to_state",
            name="uq_transitions_alert_id_at_from_state_to_state",
        ),
    )


def _messages() -> None:
    op.create_table(
        "messages",
        _id(),
        _required("channel"),
        _required("at", INSTANT),
        _required("n", sa.Integer()),
        sa.Column("title", sa.Text()),
        sa.Column("body", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("channel", "at", "n", name="uq_messages_channel_at_n"),
    )
    op.create_table(
        "attempts",
        _id(),
        _required("message_id", NUMBER),
        _required("at", INSTANT),
        sa.Column("done_at", INSTANT),
        sa.Column("outcome", sa.Text()),
        sa.Column("detail", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        _refers("message_id", "attempts", "messages"),
    )
    op.create_index("ix_attempts_message_id", "attempts", ["message_id"])


def _notifications() -> None:
    op.create_table(
        "notifications",
        _id(),
        _required("alert_id", NUMBER),
        _required("channel"),
        _required("kind"),
        _required("seq", INSTANT),
        _required("state"),
        _required("at", INSTANT),
        sa.Column("done_at", INSTANT),
        sa.Column("told_at", INSTANT),
        _required("attempts", sa.Integer()),
        sa.Column("message_id", NUMBER),
        _required("facts", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
        _refers("alert_id", "notifications", "alerts"),
        _refers("message_id", "notifications", "messages"),
        sa.UniqueConstraint(
            "alert_id",
            "channel",
            "kind",
            "seq",
            name="uq_notifications_alert_id_channel_kind_seq",
        ),
    )
    op.create_index("ix_notifications_message_id", "notifications", ["message_id"])
    op.create_index("ix_notifications_state", "notifications", ["state"])


def _silences() -> None:
    op.create_table(
        "silences",
        _id(),
        _required("kind"),
        sa.Column("alert_id", NUMBER),
        _required("account"),
        _required("rule"),
        _required("created_at", INSTANT),
        _required("started_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        _required("comment"),
        sa.PrimaryKeyConstraint("id", name="pk_silences"),
        _refers("alert_id", "silences", "alerts"),
    )


def _epochs() -> None:
    op.create_table(
        "epochs",
        _id(),
        _required("started_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        _required("reason"),
        sa.Column("end_reason", sa.Text()),
        _required("version"),
        _required("rules", sa.JSON()),
        _required("state", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name="pk_epochs"),
    )


def _budget() -> None:
    op.create_table(
        "budget",
        _id(),
        _required("at", INSTANT),
        _required("n", sa.Integer()),
        _required("endpoint"),
        _required("user"),
        sa.PrimaryKeyConstraint("id", name="pk_budget"),
        sa.UniqueConstraint("at", "n", "endpoint", "user", name="uq_budget_at_n_endpoint_user"),
    )


def _rollups() -> None:
    amounts = (_required(name, AMOUNT) for name in ("low", "high", "first", "last", "mean"))
    _keyed(
        "rollups",
        _key("at", INSTANT),
        _key("field", sa.Text()),
        _required("readings", sa.Integer()),
        *amounts,
    )


BALANCES = """
CREATE VIEW balances AS
SELECT accounts.name AS account, {time} AS time, seq, source, quality,
    available_margin, available_usdt, almighty_gold, al_margin, al_freeze, cross_un_pnl,
    available_margin - al_margin AS free_margin,
    {margin_usage} AS margin_usage,
    {freeze_ratio} AS freeze_ratio
FROM snapshots JOIN accounts ON accounts.id = snapshots.account_id
"""

SHARE = """CASE
    WHEN {part} IS NULL OR available_margin IS NULL THEN NULL
    WHEN available_margin > 0 THEN {part} / available_margin
    WHEN {part} > 0 THEN {infinity}
    ELSE 0 END"""
"""Of nothing or less, anything is infinite and nothing is 0: as rules see it."""

SPELLINGS = {
    "sqlite": {
        "time": (
            "strftime('%Y-%m-%dT%H:%M:%S', at / 1000, 'unixepoch') || printf('.%03dZ', at % 1000)"
        ),
        "infinity": "9e999",
    },
    "postgresql": {
        "time": (
            "to_char(to_timestamp(at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS')"
            " || '.' || lpad((at % 1000)::text, 3, '0') || 'Z'"
        ),
        "infinity": "'Infinity'::numeric",
    },
}


def _balances() -> None:
    """Snapshots for people: names, ISO time, and the fields that follow from others."""
    connection = op.get_bind()
    words = SPELLINGS[connection.dialect.name]
    shares = {
        name: SHARE.format(part=part, infinity=words["infinity"])
        for name, part in (("margin_usage", "al_margin"), ("freeze_ratio", "al_freeze"))
    }
    sql = BALANCES.format(time=words["time"], **shares)
    connection.exec_driver_sql(
        sql.replace("%", "%%") if connection.dialect.name == "postgresql" else sql
    )
