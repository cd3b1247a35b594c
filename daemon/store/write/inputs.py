"""An input of an account and all its effects as rows (promise 1), in the caller's transaction.

An input commits with all its effects or not at all, so one already there is complete.
"""

from collections.abc import Iterable
from typing import assert_never

from sqlalchemy import Column, ColumnElement, Connection, Table, bindparam, select, update

from daemon.store.codec import plain, snapshot, value_columns
from daemon.store.columns import clean
from daemon.store.database.failures import Unfit
from daemon.store.operations import NoticeState, StoreDownGap
from daemon.store.rows import (
    IS_NOTICE,
    AccountId,
    AccountIds,
    alert_id,
    insert,
    keep_value,
    key_parameters,
    upsert_alert,
)
from daemon.store.schema import alerts, gaps, misses, notifications, snapshots, transitions
from daemon.types import (
    Check,
    ClockStep,
    ConfigChange,
    Gap,
    GapReason,
    Input,
    Millis,
    Miss,
    Notice,
    NoticeKey,
    Quality,
    Reading,
    Record,
    State,
    Transition,
    Unconfirmed,
)

OPEN = (State.PENDING.value, State.FIRING.value)


def record(connection: Connection, ids: AccountIds, new: Record) -> None:
    if enter(connection, ids, new):
        cause(connection, ids, new)


def enter(connection: Connection, ids: AccountIds, new: Record) -> bool:
    """Insert the input itself; False when it is recorded already, with all its effects."""
    account_id = ids(connection, new.account)
    match new.event:
        case ConfigChange() | Check():
            return True  # the epoch is the row of the one; the other has none
        case Reading() | Unconfirmed() as event:
            return _insert_input(
                connection, snapshots, new, account_id=account_id, **snapshot(event)
            )
        case Miss(seq, at, reason, detail):
            columns = {"seq": seq, "at": at, "reason": reason.value, "detail": clean(detail)}
            return _insert_input(connection, misses, new, account_id=account_id, **columns)
        case ClockStep() as event if account_id is None:
            return _own_step(connection, new, event)
        case ClockStep() as event:
            return _clock_step(connection, account_id, new, event)
        case _:
            assert_never(new.event)


def cause(connection: Connection, ids: AccountIds, new: Record) -> None:
    """Insert the effects of the input."""
    account_id = ids(connection, new.account)
    numbers = {
        (alert.rule, alert.seq): upsert_alert(connection, account_id, alert) for alert in new.alerts
    }

    def number(rule: str, seq: int) -> int:
        return numbers.get((rule, seq)) or alert_id(connection, account_id, rule, seq)

    for kept in new.values:
        keep_value(connection, account_id, kept)
    for transition in new.transitions:
        _transition(connection, number(transition.rule, transition.alert_seq), transition)
    for notice in new.notices:
        _queue(connection, number(notice.key.rule, notice.key.alert_seq), notice)
    supersede(connection, new.event.at, new.superseded)
    if new.gap is not None:
        gap(connection, ids, new.gap)
    if new.contradicts is not None:
        _contradict(connection, account_id, new.contradicts, new.event.seq)


def _contradict(connection: Connection, account_id: AccountId, first: int, until: int) -> None:
    """Mark suspect readings that were not confirmed, for people to see; they judge nothing."""
    s = snapshots.c
    theirs = (
        s.account_id == account_id,
        s.seq >= first,
        s.seq < until,
        s.quality == Quality.SUSPECT.value,
    )
    connection.execute(update(snapshots).where(*theirs).values(quality=Quality.CONTRADICTED.value))


def gap(connection: Connection, ids: AccountIds, new: Gap | StoreDownGap) -> None:
    account_id = ids(connection, new.account)
    reason = GapReason.STORE_DOWN if isinstance(new, StoreDownGap) else new.reason
    added = insert(
        connection,
        gaps,
        account_id=account_id,
        seq=new.seq,
        started_at=new.started_at,
        ended_at=new.ended_at,
        reason=reason.value,
        missed=new.missed,
    )
    for alert in new.alerts if added and isinstance(new, StoreDownGap) else ():
        upsert_alert(connection, account_id, alert)
    for kept in new.values if added and isinstance(new, StoreDownGap) else ():
        keep_value(connection, account_id, kept)


def queue(connection: Connection, ids: AccountIds, notices: Iterable[Notice]) -> None:
    for notice in notices:
        key = notice.key
        _queue(
            connection,
            alert_id(connection, ids(connection, key.account), key.rule, key.alert_seq),
            notice,
        )


def _queue(connection: Connection, number: int, notice: Notice) -> None:
    insert(
        connection,
        notifications,
        alert_id=number,
        channel=notice.key.channel,
        kind=notice.key.kind.value,
        seq=notice.key.seq,
        state=NoticeState.QUEUED.value,
        at=notice.at,
        attempts=0,
        facts=plain(notice.facts),
    )


def supersede(connection: Connection, at: Millis, keys: Iterable[NoticeKey]) -> None:
    """Mark queued notifications superseded; those being sent cannot be recalled (SEMANTICS F7)."""
    for key in keys:
        connection.execute(_SUPERSEDED, {"over_at": at, **key_parameters(key)})


_SUPERSEDED = (
    update(notifications)
    .where(IS_NOTICE, notifications.c.state == NoticeState.QUEUED.value)
    .values(state=NoticeState.SUPERSEDED.value, done_at=bindparam("over_at"))
)


def _insert_input(connection: Connection, table: Table, new: Record, **columns: object) -> bool:
    if insert(connection, table, **columns):
        return True
    held = select(_instant(table)).where(
        table.c.account_id == columns["account_id"],
        table.c.seq == new.event.seq,
    )
    if connection.scalar(held) != new.event.at:
        raise Unfit(_taken(new.account, new.event))
    return False


def _instant(table: Table) -> Column[int]:
    return table.c.ended_at if table is gaps else table.c.at


def _taken(account: str, event: Input) -> str:
    return f"account {account} has another input {event.seq} already: its state must be loaded anew"


def _clock_step(
    connection: Connection, account_id: AccountId, new: Record, event: ClockStep
) -> bool:
    columns = {
        "seq": event.seq,
        "started_at": event.at,
        "ended_at": event.at,
        "step_ms": event.by,
        "missed": 0,
    }
    reason = GapReason.CLOCK_STEP.value
    if not _insert_input(connection, gaps, new, account_id=account_id, reason=reason, **columns):
        return False
    _move_told(connection, (alerts.c.account_id == account_id) & alerts.c.state.in_(OPEN), event.by)
    return True


def _own_step(connection: Connection, new: Record, event: ClockStep) -> bool:
    """Apply a clock step of the daemon; always True, as its inputs have no rows.

    An alert that is already where the step puts it was moved before.
    """
    for alert in new.alerts:
        ours = (
            alerts.c.account_id.is_(None)
            & (alerts.c.rule == alert.rule)
            & (alerts.c.seq == alert.seq)
        )
        _move_told(
            connection, ours & (alerts.c.started_at == alert.started_at - event.by), event.by
        )
    return True


def _move_told(connection: Connection, which: ColumnElement[bool], by: Millis) -> None:
    told, ours = notifications.c.told_at, select(alerts.c.id).where(which)
    moved = update(notifications).where(notifications.c.alert_id.in_(ours), told.is_not(None))
    connection.execute(moved.values(told_at=told + by))


def _transition(connection: Connection, number: int, new: Transition) -> None:
    insert(
        connection,
        transitions,
        alert_id=number,
        at=new.at,
        from_state=new.from_state.value,
        to_state=new.to_state.value,
        reason=clean(new.reason),
        **value_columns(new.value),
    )
