"""Turns every operation into SQL, inside the caller's transaction.

Rows are found by natural keys, and inserted only where their key is free. So an operation applied
before changes nothing: each is idempotent.
"""

from typing import assert_never

from sqlalchemy import Connection, delete, or_, update

from daemon.store.operations import (
    Claim,
    EndEpoch,
    MarkHours,
    Operation,
    RecordAttempt,
    RecordCall,
    RecordWithClaims,
    Reroute,
    ScheduleReports,
    SetUserId,
    StaleSilences,
    StartEpoch,
    StoreDownGap,
    Supersede,
    Withdraw,
    WriteRollups,
)
from daemon.store.rows import AccountIds, insert
from daemon.store.schema import accounts, budget
from daemon.store.write import attempts, epochs, inputs, reports, rollups, silences
from daemon.types import MINUTE, Record


def apply(connection: Connection, ids: AccountIds, operation: Operation) -> None:
    """Apply an operation; raises Unfit when the database does not hold what it builds on."""
    match operation:
        case Record():
            inputs.record(connection, ids, operation)
        case RecordWithClaims():
            _announce(connection, ids, operation)
        case StoreDownGap():
            inputs.gap(connection, ids, operation)
        case ScheduleReports():
            reports.issue(connection, operation)
        case Claim() | RecordAttempt() | Withdraw() | Reroute() | Supersede():
            attempts.deliver(connection, ids, operation)
        case StartEpoch() | EndEpoch():
            epochs.turn(connection, ids, operation)
        case SetUserId(account, user_id):
            connection.execute(
                update(accounts).where(accounts.c.name == account).values(user_id=user_id)
            )
        case RecordCall():
            _book(connection, operation)
        case MarkHours() | WriteRollups():
            rollups.keep(connection, ids, operation)
        case _:
            assert_never(operation)


def _announce(connection: Connection, ids: AccountIds, new: RecordWithClaims) -> None:
    """Apply a record with claims; one recorded already was announced then.

    The silences are compared before the record's own alerts end any.
    """
    if not inputs.enter(connection, ids, new.record):
        return
    if tuple(silences.in_force(connection, new.record.event.at)) != new.silences:
        raise StaleSilences("the silences have changed since this was decided")
    inputs.cause(connection, ids, new.record)
    for claim in new.claims:
        attempts.deliver(connection, ids, claim)


def _book(connection: Connection, new: RecordCall) -> None:
    """Record a call, and drop calls older than a minute, which no budget window needs.

    A minute either side also covers a clock that was set.
    """
    old = or_(budget.c.at < new.at - MINUTE, budget.c.at > new.at + MINUTE)
    connection.execute(delete(budget).where(old))
    insert(connection, budget, at=new.at, n=new.n, endpoint=new.column, user=new.user)
