"""Starts, reloads and stops as rows, in the caller's transaction."""

import json

from sqlalchemy import Connection, func, select, update

from daemon.store.codec import plain
from daemon.store.operations import EndEpoch, NoticeState, StartEpoch
from daemon.store.rows import AccountIds, insert
from daemon.store.schema import accounts, epochs, messages, misses, notifications, snapshots
from daemon.store.write import reports
from daemon.store.write.inputs import gap, record
from daemon.types import Millis

RELOAD = "reload"
CRASH = "crash"


def turn(connection: Connection, ids: AccountIds, new: StartEpoch | EndEpoch) -> None:
    if isinstance(new, StartEpoch):
        _start(connection, ids, new)
    else:
        _end(connection, new)


def _start(connection: Connection, ids: AccountIds, new: StartEpoch) -> None:
    state = plain(new.state)
    if _known(connection, new.at, state):
        return
    _introduce(connection, new)
    _requeue_unsure(connection)
    reports.doubt(connection)
    if new.reason == RELOAD:
        _end(connection, EndEpoch(new.at, RELOAD))
    else:
        _close_open_epochs(connection, new.at)
    for each in new.records:
        record(connection, ids, each)
    for absence in new.gaps:
        gap(connection, ids, absence)
    rules = plain(new.rules)
    insert(
        connection,
        epochs,
        started_at=new.at,
        reason=new.reason,
        version=new.version,
        rules=rules,
        state=state,
    )


def _end(connection: Connection, new: EndEpoch) -> None:
    running = update(epochs).where(epochs.c.ended_at.is_(None), epochs.c.started_at <= new.at)
    connection.execute(running.values(ended_at=new.at, end_reason=new.reason))


def _known(connection: Connection, at: Millis, state: object) -> bool:
    begun = connection.scalars(select(epochs.c.state).where(epochs.c.started_at == at))
    text = json.dumps(state, sort_keys=True)  # as JSON, where a tuple is a list
    return any(json.dumps(held, sort_keys=True) == text for held in begun)


def _introduce(connection: Connection, new: StartEpoch) -> None:
    for name, exchange in new.accounts.items():
        if not insert(connection, accounts, name=name, exchange=exchange):
            connection.execute(
                update(accounts).where(accounts.c.name == name).values(exchange=exchange)
            )


def _close_open_epochs(connection: Connection, now: Millis) -> None:
    """End epochs that a crash left open, where their record ends."""
    left = connection.execute(
        select(epochs.c.id, epochs.c.started_at).where(epochs.c.ended_at.is_(None))
    ).all()
    last = _last(connection) if left else 0
    for number, started_at in left:
        ended_at = max(started_at, min(last, now))
        crashed = update(epochs).where(epochs.c.id == number)
        connection.execute(crashed.values(ended_at=ended_at, end_reason=CRASH))


def _requeue_unsure(connection: Connection) -> None:
    """Queue messages again that were being sent when the last run ended: they may have arrived.

    From here on their channel may know them, whatever the next attempt brings, and their instant
    moves with the clock.
    """
    claimed_at = (
        select(messages.c.at).where(messages.c.id == notifications.c.message_id).scalar_subquery()
    )
    doubtful = update(notifications).where(notifications.c.state == NoticeState.SENDING.value)
    connection.execute(doubtful.values(state=NoticeState.QUEUED.value, told_at=claimed_at))


def _last(connection: Connection) -> Millis:
    """The latest instant of any own input."""
    numbers = connection.scalars(select(accounts.c.id)).all()
    latest = [
        connection.scalar(
            select(func.max(table.c.at)).where(table.c.account_id == number, table.c.seq > 0)
        )
        or 0
        for number in numbers
        for table in (snapshots, misses)
    ]
    return max(latest, default=0)
