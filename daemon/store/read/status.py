"""The present state as recorded: for `status`, the page and the metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from daemon.store.bounded_extra import snapshot_rows
from daemon.store.codec import alert_of, reading
from daemon.store.read.recorded import miss
from daemon.store.read.recovery import latest
from daemon.store.schema import accounts, alerts, misses, snapshots
from daemon.store.write.inputs import OPEN
from daemon.types import DAY, Alert, Millis, Miss, Reading


@dataclass(frozen=True, slots=True)
class AccountStatus:
    account: str
    exchange: str
    user_id: str
    reading: Reading | None
    """The last reading, of any quality."""
    miss: Miss | None
    """The last miss."""
    readings: int
    """Number of readings within the last day."""
    misses: int
    """Number of misses within the last day."""
    latest: Sequence[Reading]
    """The last readings, of any quality, oldest first."""
    alerts: Mapping[str, Alert]
    """Pending and firing alerts, by rule."""


def accounts_status(connection: Connection, now: Millis) -> list[AccountStatus]:
    rows = connection.execute(select(accounts).order_by(accounts.c.id)).all()
    return [_account(connection, row, now) for row in rows]


def own_alerts(connection: Connection) -> list[Alert]:
    """Alerts about the daemon itself, which have no account."""
    return list(_open(connection, None).values())


def _account(connection: Connection, row: Row[Any], now: Millis) -> AccountStatus:
    answer, nothing = _last(connection, snapshots, row.id), _last(connection, misses, row.id)
    return AccountStatus(
        account=row.name,
        exchange=row.exchange,
        user_id=row.user_id or "",
        reading=None if answer is None else reading(answer),
        miss=None if nothing is None else miss(nothing),
        readings=_count(connection, snapshots, row.id, now - DAY),
        misses=_count(connection, misses, row.id, now - DAY),
        latest=latest(connection, row.name),
        alerts=_open(connection, row.id),
    )


def _last(connection: Connection, table: Table, account_id: int) -> Row[Any] | None:
    whole = snapshot_rows() if table is snapshots else select(table)
    chosen = whole.where(table.c.account_id == account_id).order_by(table.c.seq.desc()).limit(1)
    return connection.execute(chosen).one_or_none()


def _count(connection: Connection, table: Table, account_id: int, since: Millis) -> int:
    chosen = select(func.count()).where(table.c.account_id == account_id, table.c.at >= since)
    return connection.scalar(chosen) or 0


def _open(connection: Connection, account_id: int | None) -> dict[str, Alert]:
    chosen = select(alerts.c.id, alerts.c.data).where(
        alerts.c.account_id == account_id, alerts.c.state.in_(OPEN)
    )
    found = [alert_of(row) for row in connection.execute(chosen.order_by(alerts.c.id))]
    return {alert.rule: alert for alert in found}
