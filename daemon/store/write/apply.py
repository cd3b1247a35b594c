"""Every operation into its SQL, inside a transaction that somebody else begins and commits.

Rows are found by natural keys, and inserted only where their key is free, so that what was applied
before changes nothing (each operation is idempotent).
"""

from typing import assert_never

from sqlalchemy import Connection, delete, or_, update

from daemon.store.operations import (
    Claim,
    EndEpoch,
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
)
from daemon.store.rows import AccountIds, insert
from daemon.store.schema import accounts, budget
from daemon.store.write import attempts, epochs, inputs, reports, silences
from daemon.types import MINUTE, Record


def apply(connection: Connection, ids: AccountIds, operation: Operation) -> None:
    """Raises Unfit where the database holds something else than the operation builds on."""
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
        case _:
            assert_never(operation)


def _announce(connection: Connection, ids: AccountIds, new: RecordWithClaims) -> None:
    """What is recorded already was announced then; the silences are looked at before its own alerts
    end any.
    """
    if not inputs.enter(connection, ids, new.record):
        return
    if tuple(silences.holding(connection, new.record.event.at)) != new.silences:
        raise StaleSilences("silences are not what they were when this was decided")
    inputs.cause(connection, ids, new.record)
    for claim in new.claims:
        attempts.deliver(connection, ids, claim)


def _book(connection: Connection, new: RecordCall) -> None:
    """The budget's longest window is seconds; a minute is plenty, on either side of a clock that
    was set.
    """
    old = or_(budget.c.at < new.at - MINUTE, budget.c.at > new.at + MINUTE)
    connection.execute(delete(budget).where(old))
    insert(connection, budget, at=new.at, n=new.n, endpoint=new.column, user=new.user)
