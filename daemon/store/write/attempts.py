"""Delivery attempts as rows: claimed before the call, marked after it, in the caller's transaction.

A claim without a mark is an attempt of unknown outcome; a withdrawn one was never made. Keys that
the database does not hold are skipped: the message was sent all the same.
"""

from collections.abc import Iterable, Mapping
from typing import assert_never

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from daemon.store.codec import plain
from daemon.store.columns import clean
from daemon.store.operations import (
    UNSETTLED,
    Claim,
    MessageKey,
    NoticeState,
    RecordAttempt,
    Reroute,
    Supersede,
    Withdraw,
)
from daemon.store.rows import IS_NOTICE, AccountIds, add, insert, key_parameters
from daemon.store.schema import alerts, attempts, messages, notifications, reports
from daemon.store.write import reports as issued
from daemon.store.write.inputs import queue, supersede
from daemon.types import AttemptResult, Millis, Notice, NoticeKey, Outcome

CLAIMABLE = (*UNSETTLED, NoticeState.SUPERSEDED.value)
"""States that a claim may take; a superseded message on its way is sent all the same (F7)."""

CLOSED = (NoticeState.REFUSED.value, NoticeState.SUPERSEDED.value)
"""Final states other than delivered."""

_IS_OPEN = IS_NOTICE & notifications.c.state.in_(UNSETTLED)
_IS_CLOSED = IS_NOTICE & notifications.c.state.in_(CLOSED)
_CLAIMED = (
    update(notifications)
    .where(IS_NOTICE, notifications.c.state.in_(CLAIMABLE))
    .values(
        state=NoticeState.SENDING.value,
        message_id=bindparam("number"),
        attempts=notifications.c.attempts + 1,
    )
)

TELLING = frozenset({Outcome.DELIVERED, Outcome.UNKNOWN})
"""Outcomes after which a channel counts as notified (promise 3)."""


_BEGUN = (
    select(alerts.c.started_at).where(alerts.c.id == notifications.c.alert_id).scalar_subquery()
)
"""The beginning of a notification's alert, which moves with the clock while the alert is open."""


def deliver(
    connection: Connection,
    ids: AccountIds,
    new: Claim | RecordAttempt | Withdraw | Reroute | Supersede,
) -> None:
    match new:
        case Claim():
            _claim(connection, new)
        case RecordAttempt():
            _mark(connection, ids, new)
        case Withdraw():
            _withdraw(connection, new)
        case Reroute():
            _hand_over(connection, ids, new)
        case Supersede(at, keys):
            supersede(connection, at, keys)
        case _:
            assert_never(new)


def _claim(connection: Connection, new: Claim) -> None:
    key, text = new.message, new.text
    title, body = (clean(text.title), clean(text.body)) if text is not None else (None, None)
    number = add(
        connection, messages, channel=key.channel, at=key.at, n=key.n, title=title, body=body
    )
    if number is None:
        return
    insert(connection, attempts, message_id=number, at=key.at)
    for notice in new.keys:
        connection.execute(_CLAIMED, {"number": number, **key_parameters(notice)})
    if new.report is not None:
        issued.claim(connection, new.report, number)


def _mark(connection: Connection, ids: AccountIds, new: RecordAttempt) -> None:
    number = _number(connection, new.message)
    if number is not None and not _conclude(connection, number, new.at, new.attempted):
        return
    telling = new.attempted.outcome in TELLING
    if new.report is not None:
        issued.mark(connection, new.report, new.at, new.attempted.outcome)
    for key, state in new.states.items():
        told_at = _BEGUN + new.told[key] if key in new.told else new.at
        _settle(connection, key, IS_NOTICE, state, new.at, {"told_at": told_at} if telling else {})
    _requeue_given_up(connection, new.notices)
    queue(connection, ids, new.notices)


def _withdraw(connection: Connection, new: Withdraw) -> None:
    number = _number(connection, new.message)
    if number is None or not _conclude(
        connection, number, new.at, AttemptResult(Outcome.NEVER_MADE)
    ):
        return
    for table in (notifications, reports):
        claimed = update(table).where(
            table.c.message_id == number, table.c.state == NoticeState.SENDING.value
        )
        again = {
            "state": NoticeState.QUEUED.value,
            "message_id": None,
            "attempts": table.c.attempts - 1,
        }
        connection.execute(claimed.values(again))


def _hand_over(connection: Connection, ids: AccountIds, new: Reroute) -> None:
    refused = [
        _settle(connection, key, _IS_OPEN, NoticeState.REFUSED, new.at, {}) for key in new.refused
    ]
    if any(refused):  # else it was written before
        _requeue_given_up(connection, new.notices)
    queue(connection, ids, new.notices)


def _requeue_given_up(connection: Connection, handed: Iterable[Notice]) -> None:
    """Queue again a notification that a channel gave up, when no other channel has it."""
    for notice in handed:
        again = {"state": NoticeState.QUEUED.value, "done_at": None, "facts": plain(notice.facts)}
        connection.execute(
            update(notifications).where(_IS_CLOSED).values(again), key_parameters(notice.key)
        )


def _settle(
    connection: Connection,
    key: NoticeKey,
    which: ColumnElement[bool],
    state: NoticeState,
    at: Millis,
    told: Mapping[str, Millis | ColumnElement[int]],
) -> int:
    """Set the state of matching notifications; returns the number of rows."""
    done_at = None if state.value in UNSETTLED else at
    changed = update(notifications).where(which).values(state=state.value, done_at=done_at, **told)
    return connection.execute(changed, key_parameters(key)).rowcount


def _conclude(connection: Connection, number: int, at: Millis, attempted: AttemptResult) -> bool:
    """Give the attempt its outcome; False when it has one."""
    unknown = update(attempts).where(attempts.c.message_id == number, attempts.c.outcome.is_(None))
    said = {"detail": clean(attempted.detail), "retry_after": attempted.retry_after}
    return (
        connection.execute(
            unknown.values(outcome=attempted.outcome.value, done_at=at, **said)
        ).rowcount
        > 0
    )


def _number(connection: Connection, key: MessageKey) -> int | None:
    this = select(messages.c.id).where(
        messages.c.channel == key.channel,
        messages.c.at == key.at,
        messages.c.n == key.n,
    )
    return connection.scalar(this)
