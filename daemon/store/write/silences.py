"""Silences and acknowledged alerts as rows. Commands write them in short transactions.

A silence of one alert, and an ack, name it by its number and last as long as it does. Others use
globs and times.
"""

from collections.abc import Collection
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, or_, select, update
from sqlalchemy.exc import OperationalError

from daemon.store.codec import check_instants
from daemon.store.columns import MistypedError
from daemon.store.database.corruption import Damaged, at_row
from daemon.store.database.failures import is_undecodable
from daemon.store.schema import alerts, silences
from daemon.store.write.inputs import OPEN
from daemon.types import LATEST, Millis, Silence

SILENCE, ACK = "silence", "ack"
"""Values of the column `kind`."""


def in_force(connection: Connection, now: Millis) -> list[Silence]:
    """Silences in force at `now`, or later.

    Damaged ones are left out: their target is unknown, and no alert may be lost because of them.
    """
    try:
        return [_silence(row) for row in connection.execute(_HOLDING, {"now": now})]
    except (Damaged, MistypedError, OperationalError) as error:
        if isinstance(error, OperationalError) and not is_undecodable(error.orig):
            raise
    numbers = connection.scalars(_HOLDING.with_only_columns(silences.c.id), {"now": now}).all()
    found = []
    for number in numbers:
        with suppress(Damaged, MistypedError, OperationalError):
            row = connection.execute(_rows().where(silences.c.id == number)).one()
            found.append(_silence(row))
    return found


def every(connection: Connection) -> list[Silence]:
    """All silences and acks ever made, oldest first."""
    return [_silence(row) for row in connection.execute(_rows())]


def add(connection: Connection, new: Silence, created_at: Millis) -> int:
    """Add a silence; returns its number, whatever number `new` has.

    Raises LookupError when no open alert has its code.
    """
    alert_id = _open_alert(connection, new.code) if new.code else None
    values = {
        "kind": ACK if new.ack else SILENCE,
        "alert_id": alert_id,
        "account": new.account,
        "rule": new.rule,
        "created_at": created_at,
        "started_at": new.started_at,
        "ended_at": new.ended_at,
        "comment": new.comment,
    }
    return int(
        connection.execute(silences.insert().values(values).returning(silences.c.id)).scalar_one()
    )


def end(connection: Connection, ids: Collection[int], now: Millis) -> list[int]:
    """End those in force or still to come; returns their numbers."""
    lasting = and_(
        silences.c.id.in_(ids), or_(silences.c.ended_at.is_(None), silences.c.ended_at > now)
    )
    found = list(connection.scalars(select(silences.c.id).where(lasting).order_by(silences.c.id)))
    connection.execute(update(silences).where(silences.c.id.in_(found)).values(ended_at=now))
    return found


def _open_alert(connection: Connection, code: str) -> int:
    chosen = select(alerts.c.id).where(alerts.c.code == code, alerts.c.state.in_(OPEN))
    number = connection.scalar(chosen)
    if number is None:
        raise LookupError(code)
    return int(number)


def _rows() -> Select[Any]:
    chosen = select(silences, alerts.c.code).join_from(silences, alerts, isouter=True)
    return chosen.order_by(silences.c.id)


_HOLDING = _rows().where(
    or_(silences.c.ended_at.is_(None), silences.c.ended_at > bindparam("now")),
    or_(silences.c.alert_id.is_(None), alerts.c.state.in_(OPEN)),
)


def _silence(row: Row[Any]) -> Silence:
    with at_row("silences", row.id):
        # Earlier versions recorded ends that no calendar shows.
        ended_at = None if row.ended_at is None else min(row.ended_at, LATEST)
        check_instants(row.started_at, ended_at or 0)
        return Silence(
            row.id,
            row.kind == ACK,
            row.rule,
            row.account,
            row.code or "",
            row.started_at,
            ended_at,
            row.comment,
        )
