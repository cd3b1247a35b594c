"""What every operation needs: numbers for names, and inserts that change nothing where the key is taken."""

from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Executable, ScalarSelect, Table, bindparam, select, text

from daemon.store.codec import plain
from daemon.store.failures import Unfit
from daemon.store.schema import accounts, alerts, notifications
from daemon.types import Alert, NoticeKey

ALERT_KEY = (text("coalesce(account_id, 0)"), "rule", "seq")

AccountId: TypeAlias = int | None
"""None stands for the daemon itself, whose name is empty."""


class AccountIds:
    """The numbers of accounts by name, remembered; `forget` after a rollback, which may have taken one back."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __call__(self, connection: Connection, account: str) -> AccountId:
        if not account:
            return None
        if account not in self._known:
            self._known[account] = self._look_up(connection, account)
        return self._known[account]

    def forget(self) -> None:
        self._known.clear()

    def _look_up(self, connection: Connection, account: str) -> int:
        number = connection.scalar(select(accounts.c.id).where(accounts.c.name == account))
        if number is None:
            raise Unfit(f"the database knows no account {account}: an epoch must introduce it first")
        return int(number)


def insert(connection: Connection, table: Table, **values: object) -> bool:
    """Insert a row; False where its key is taken already."""
    return connection.execute(_insert(table, connection.dialect.name), values).rowcount > 0


@cache
def _insert(table: Table, dialect: str) -> Executable:
    statement: Executable = _dialect(dialect).insert(table).inline().on_conflict_do_nothing()
    # Without this the number of rows of an INSERT is not looked at before it is gone.
    return statement.execution_options(preserve_rowcount=True)


def upsert_alert(connection: Connection, account_id: AccountId, alert: Alert) -> None:
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
    connection.execute(_upsert_alert(connection.dialect.name), values)


@cache
def _upsert_alert(dialect: str) -> Executable:
    new = _dialect(dialect).insert(alerts).inline()
    changing = ("code", "severity", "state", "started_at", "ended_at", "data")
    statement: Executable = new.on_conflict_do_update(
        index_elements=ALERT_KEY,
        set_={name: new.excluded[name] for name in changing},
    )
    return statement


def _dialect(name: str) -> Any:
    """Imported on use: PostgreSQL's costs what SQLite's users need not pay."""
    return import_module(f"sqlalchemy.dialects.{name}")


def alert_id(connection: Connection, account_id: AccountId, rule: str, seq: int) -> int:
    """The number of an alert; raises Unfit where it was never recorded."""
    of_account = alerts.c.account_id.is_not_distinct_from(bindparam("account_id", account_id, alerts.c.account_id.type))
    number = connection.scalar(select(alerts.c.id).where(of_account, alerts.c.rule == rule, alerts.c.seq == seq))
    if number is None:
        raise Unfit(f"the database knows no alert of rule {rule} that began with input {seq}")
    return int(number)


def is_notice(key: NoticeKey) -> ColumnElement[bool]:
    """Picks the notification that has this key; none, where there is none."""
    return (
        (notifications.c.alert_id == _alert_of(key))
        & (notifications.c.channel == key.channel)
        & (notifications.c.kind == key.kind.value)
        & (notifications.c.seq == key.seq)
    )


def _alert_of(key: NoticeKey) -> ScalarSelect[int]:
    chosen = select(alerts.c.id).where(alerts.c.rule == key.rule, alerts.c.seq == key.alert_seq)
    if not key.account:
        return chosen.where(alerts.c.account_id.is_(None)).scalar_subquery()
    account = select(accounts.c.id).where(accounts.c.name == key.account).scalar_subquery()
    return chosen.where(alerts.c.account_id == account).scalar_subquery()
