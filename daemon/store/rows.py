"""Helpers of every operation: numbers of names, and inserts that skip keys already taken."""

from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Table,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    text,
)

from daemon.store.codec import plain
from daemon.store.columns import RowNumber
from daemon.store.database.failures import Unfit
from daemon.store.schema import accounts, alerts, notifications, rule_values
from daemon.types import Alert, NoticeKey, RecordedValue

ALERT_KEY = (text("coalesce(account_id, 0)"), "rule", "seq")

AccountId: TypeAlias = int | None
"""The number of an account; None is the daemon itself, whose name is ""."""


class AccountIds:
    """A cache of account numbers by name; `forget` it after a rollback, which may undo one."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __call__(self, connection: Connection, account: str) -> AccountId:
        if not account:
            return None
        if account not in self._known:
            self._known[account] = account_number(connection, account)
        return self._known[account]

    def forget(self) -> None:
        self._known.clear()


def account_number(connection: Connection, account: str) -> int:
    """The number of an account; raises Unfit when it was never recorded."""
    number = connection.scalar(select(accounts.c.id).where(accounts.c.name == account))
    if number is None:
        raise Unfit(f"the database knows no account {account}: an epoch must introduce it first")
    return int(number)


def insert(connection: Connection, table: Table, **values: object) -> bool:
    """Insert a row; False when its key is taken already."""
    return connection.execute(_insert(table, connection.dialect.name), values).rowcount > 0


@cache
def _insert(table: Table, dialect: str) -> Executable:
    statement: Executable = sql_dialect(dialect).insert(table).inline().on_conflict_do_nothing()
    # Without this the row count of an INSERT is lost before it is read.
    return statement.execution_options(preserve_rowcount=True)


def add(connection: Connection, table: Table, **values: object) -> int | None:
    """Insert a row; its number, or None when its key is taken already."""
    number = connection.scalar(_add(table, connection.dialect.name), values)
    return None if number is None else int(number)


@cache
def _add(table: Table, dialect: str) -> Executable:
    statement: Executable = (
        sql_dialect(dialect).insert(table).on_conflict_do_nothing().returning(table.c.id)
    )
    return statement


def upsert_alert(connection: Connection, account_id: AccountId, alert: Alert) -> int:
    """Store the present state of an alert; returns its number."""
    values = {
        "account_id": account_id,
        "rule": alert.rule,
        "seq": alert.seq,
        "code": alert.code,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "started_at": alert.started_at,
        "ended_at": alert.ended_at,
        "data": plain(alert),
    }
    return int(connection.execute(_upsert_alert(connection.dialect.name), values).scalar_one())


@cache
def _upsert_alert(dialect: str) -> Executable:
    new = sql_dialect(dialect).insert(alerts)
    changing = ("code", "severity", "state", "started_at", "ended_at", "data")
    statement: Executable = new.on_conflict_do_update(
        index_elements=ALERT_KEY,
        set_={name: new.excluded[name] for name in changing},
    ).returning(alerts.c.id)
    return statement


def keep_value(connection: Connection, account_id: AccountId, kept: RecordedValue) -> None:
    """Store a value of a rule, or delete it if it is no longer kept."""
    key = {"account_id": account_id, "rule": kept.rule, "expression": kept.expression}
    if kept.value is None:
        columns = (rule_values.c[name] == value for name, value in key.items())
        connection.execute(delete(rule_values).where(*columns))
    else:
        values = {**key, "value": plain(kept.value)}
        connection.execute(_keep_value(connection.dialect.name), values)


@cache
def _keep_value(dialect: str) -> Executable:
    new = sql_dialect(dialect).insert(rule_values)
    statement: Executable = new.on_conflict_do_update(
        index_elements=("account_id", "rule", "expression"), set_={"value": new.excluded.value}
    )
    return statement


def alert_id(connection: Connection, account_id: AccountId, rule: str, seq: int) -> int:
    """The number of an alert; raises Unfit when it was never recorded."""
    number = connection.scalar(_ALERT, {"account_id": account_id or 0, "rule": rule, "seq": seq})
    if number is None:
        raise Unfit(f"the database knows no alert of rule {rule} that began with input {seq}")
    return int(number)


def key_parameters(key: NoticeKey) -> dict[str, object]:
    """Parameters for a statement with `IS_NOTICE`."""
    return {
        "of_account": key.account,
        "of_nobody": None if key.account else 0,
        "of_rule": key.rule,
        "of_alert": key.alert_seq,
        "to_channel": key.channel,
        "of_kind": key.kind.value,
        "of_seq": key.seq,
    }


# By the expression that is indexed.
_OWNER: ColumnElement[int] = literal_column("coalesce(alerts.account_id, 0)", RowNumber)
_ALERT = select(alerts.c.id).where(
    bindparam("account_id", type_=RowNumber) == _OWNER,
    alerts.c.rule == bindparam("rule"),
    alerts.c.seq == bindparam("seq"),
)
_ACCOUNT = select(accounts.c.id).where(accounts.c.name == bindparam("of_account")).scalar_subquery()

IS_NOTICE: ColumnElement[bool] = and_(
    notifications.c.alert_id
    == select(alerts.c.id)
    .where(
        func.coalesce(_ACCOUNT, bindparam("of_nobody", type_=RowNumber)) == _OWNER,
        alerts.c.rule == bindparam("of_rule"),
        alerts.c.seq == bindparam("of_alert"),
    )
    .scalar_subquery(),
    notifications.c.channel == bindparam("to_channel"),
    notifications.c.kind == bindparam("of_kind"),
    notifications.c.seq == bindparam("of_seq"),
)
"""Matches the notification whose key is given by `key_parameters`, if there is one."""


def sql_dialect(name: str) -> Any:
    """Import a dialect on use: SQLite users need not pay for PostgreSQL's."""
    return import_module(f"sqlalchemy.dialects.{name}")
