"""The tables as this version of marginwatch reads and writes them. People query them: an interface.

Migrations change a database, never this module; a test compares their result with these tables. The
view `balances` is for people only and exists only in the migrations.
"""

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from daemon.store.columns import Amount, Count, Instant, Json, RowNumber, Whole, Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def _of_account() -> Column[int]:
    return Column(
        "account_id", RowNumber, ForeignKey("accounts.id"), primary_key=True, autoincrement=False
    )


accounts = Table(
    "accounts",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("name", Words, nullable=False, unique=True),
    Column("exchange", Words, nullable=False),
    Column("user_id", Words),
)

snapshots = Table(
    "snapshots",
    metadata,
    _of_account(),
    Column("seq", Instant, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("exchange_at", Instant),
    # Neither `Whole` nor `Words`: values are checked when a row becomes a reading, and windows
    # read very many.
    Column("source", Text, nullable=False),
    Column("quality", Text, nullable=False),
    Column("available_margin", Amount),
    Column("available_usdt", Amount),
    Column("almighty_gold", Amount),
    Column("al_margin", Amount),
    Column("al_freeze", Amount),
    Column("cross_un_pnl", Amount),
    # Unknown fields of the answer as sent, and by a field's name the text of a value that a float
    # does not keep.
    Column("extra", Json),
    Index(None, "account_id", "at"),
    sqlite_with_rowid=False,
)

misses = Table(
    "misses",
    metadata,
    _of_account(),
    Column("seq", Instant, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("reason", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Index(None, "account_id", "at"),
    sqlite_with_rowid=False,
)

gaps = Table(
    "gaps",
    metadata,
    _of_account(),
    Column("seq", Instant, primary_key=True, autoincrement=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("reason", Words, nullable=False),
    Column("missed", Integer, nullable=False),
    Column("step_ms", Instant),
    sqlite_with_rowid=False,
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("code", Words, nullable=False, index=True),
    Column("account_id", RowNumber, ForeignKey("accounts.id")),
    Column("rule", Words, nullable=False),
    Column("seq", Whole, nullable=False),
    Column("severity", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("started_at", Whole, nullable=False),
    Column("ended_at", Whole),
    # The whole alert, exactly: what the next input of its account starts from.
    Column("data", Json, nullable=False),
    # Alerts about the daemon itself have no account.
    Index(
        "uq_alerts_account_id_rule_seq", text("coalesce(account_id, 0)"), "rule", "seq", unique=True
    ),
    Index(None, "state"),
)

rule_values = Table(
    "rule_values",
    metadata,
    _of_account(),
    Column("rule", Words, primary_key=True),
    Column("expression", Words, primary_key=True),
    # The digits: a float does not keep all of them.
    Column("value", Words, nullable=False),
    sqlite_with_rowid=False,
)

transitions = Table(
    "transitions",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("alert_id", RowNumber, ForeignKey("alerts.id"), nullable=False),
    Column("at", Whole, nullable=False),
    Column("from_state", Words, nullable=False),
    Column("to_state", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("value", Amount),
    # The digits of a value that a float does not keep.
    Column("exact", Words),
    UniqueConstraint("alert_id", "at", "from_state", "to_state"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("channel", Words, nullable=False),
    Column("at", Whole, nullable=False),
    Column("n", Count, nullable=False),
    Column("title", Words),
    Column("body", Words),
    UniqueConstraint("channel", "at", "n"),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("alert_id", RowNumber, ForeignKey("alerts.id"), nullable=False),
    Column("channel", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("seq", Whole, nullable=False),
    Column("state", Words, nullable=False),
    Column("at", Whole, nullable=False),
    Column("done_at", Whole),
    # The last attempt that notified, or may have notified, the channel; moves with the clock,
    # unlike the other instants.
    Column("told_at", Whole),
    Column("attempts", Count, nullable=False),
    Column("message_id", RowNumber, ForeignKey("messages.id"), index=True),
    Column("facts", Json, nullable=False),
    UniqueConstraint("alert_id", "channel", "kind", "seq"),
    Index(None, "state"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("message_id", RowNumber, ForeignKey("messages.id"), nullable=False, index=True),
    Column("at", Whole, nullable=False),
    Column("done_at", Whole),
    # NULL until known: a crash in between leaves it so.
    Column("outcome", Words),
    Column("detail", Words),
    # The pause that the service then requested, in milliseconds.
    Column("retry_after", Whole),
)

reports = Table(
    "reports",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("name", Words, nullable=False),
    Column("channel", Words, nullable=False),
    Column("due_at", Whole, nullable=False),
    Column("state", Words, nullable=False),
    Column("at", Whole, nullable=False),
    Column("done_at", Whole),
    # The last attempt that notified, or may have notified, the channel.
    Column("told_at", Whole),
    Column("attempts", Count, nullable=False),
    Column("message_id", RowNumber, ForeignKey("messages.id")),
    UniqueConstraint("name", "channel", "due_at"),
    Index(None, "state"),
)

silences = Table(
    "silences",
    metadata,
    Column("id", RowNumber, primary_key=True),
    # `silence`, or `ack`: then of one alert.
    Column("kind", Words, nullable=False),
    Column("alert_id", RowNumber, ForeignKey("alerts.id")),
    Column("account", Words, nullable=False),
    Column("rule", Words, nullable=False),
    Column("created_at", Whole, nullable=False),
    Column("started_at", Whole, nullable=False),
    Column("ended_at", Whole),
    Column("comment", Words, nullable=False),
)

epochs = Table(
    "epochs",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("started_at", Whole, nullable=False),
    Column("ended_at", Whole),
    Column("reason", Words, nullable=False),
    Column("end_reason", Words),
    Column("version", Words, nullable=False),
    Column("rules", Json, nullable=False),
    Column("state", Json, nullable=False),
)

budget = Table(
    "budget",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("at", Whole, nullable=False),
    Column("n", Count, nullable=False),
    Column("endpoint", Words, nullable=False),
    Column("user", Words, nullable=False),
    UniqueConstraint("at", "n", "endpoint", "user"),
)

rollups = Table(
    "rollups",
    metadata,
    _of_account(),
    Column("at", Instant, primary_key=True, autoincrement=False),
    Column("field", Text, primary_key=True),
    Column("readings", Integer, nullable=False),
    Column("low", Amount, nullable=False),
    Column("high", Amount, nullable=False),
    Column("first", Amount, nullable=False),
    Column("last", Amount, nullable=False),
    Column("mean", Amount, nullable=False),
    Column("sum", Amount, nullable=False),
    # Of the hour, the same for every field.
    Column("covered_ms", Instant, nullable=False),
    Column("gap_ms", Instant, nullable=False),
    # By column the digits of a value that a float does not keep.
    Column("exact", Json),
    sqlite_with_rowid=False,
)

miss_rollups = Table(
    "miss_rollups",
    metadata,
    _of_account(),
    Column("at", Instant, primary_key=True, autoincrement=False),
    Column("reason", Words, primary_key=True),
    Column("misses", Integer, nullable=False),
    sqlite_with_rowid=False,
)

pending_hours = Table(
    "pending_hours",
    metadata,
    _of_account(),
    Column("at", Instant, primary_key=True, autoincrement=False),
    # Grows with each reason to roll the hour anew, so that none is lost meanwhile.
    Column("mark", Integer, nullable=False),
    sqlite_with_rowid=False,
)

upkeep = Table(
    "upkeep",
    metadata,
    _of_account(),
    Column("task", Words, primary_key=True),
    # The last input that the task has seen.
    Column("seq", Instant, nullable=False),
    sqlite_with_rowid=False,
)
