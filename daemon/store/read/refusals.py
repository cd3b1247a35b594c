"""Recent refusals of the exchange, from readings and misses: for a start, and for `status`.

Reads only, in the caller's short transaction. Instants are corrected by every clock step recorded
after them (SEMANTICS A5).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, select

from daemon.store.codec import INSTANTS, check
from daemon.store.database.corruption import at_row
from daemon.store.read import recorded
from daemon.store.read.time_index import steps
from daemon.store.schema import accounts, misses, snapshots
from daemon.types import Millis, Miss, MissReason, Source

MOST = 100
"""Most refusals of one account: more than ten minutes of them at any interval."""

LATEST = 10
"""Answers that show how far the exchange's clock is ahead."""


@dataclass(frozen=True, slots=True)
class RefusalHistory:
    """Recent answers and refusals for one account."""

    refusals: tuple[Miss, ...]
    """The last refusals since its last answer, oldest first, and the last miss of any reason."""
    ahead: Millis | None
    """The lead of the exchange's clock over ours, or a little more, in ms; None if unknown."""


def refusal_histories(
    connection: Connection, reasons: Collection[MissReason]
) -> dict[str, RefusalHistory]:
    """The refusal history of every account ever recorded; `reasons` are those that are refusals."""
    rows = connection.execute(select(accounts.c.name, accounts.c.id)).all()
    return {
        row.name: RefusalHistory(
            tuple(_refusals(connection, row.id, reasons)), _ahead(connection, row.id)
        )
        for row in rows
    }


def last_rate_limited(connection: Connection, since: Millis) -> dict[str, Millis]:
    """The last answer "too many calls", by account; accounts without one are left out."""
    # Account by account: that is how misses are indexed.
    rows = connection.execute(select(accounts.c.name, accounts.c.id)).all()
    found = {row.name: max(_limited(connection, row.id, since), default=None) for row in rows}
    return {name: at for name, at in found.items() if at is not None}


def _limited(connection: Connection, account_id: int, since: Millis) -> Iterator[Millis]:
    chosen = select(misses).where(misses.c.account_id == account_id, misses.c.at >= since)
    for row in connection.execute(chosen.where(misses.c.reason == MissReason.RATE_LIMITED)):
        yield recorded.miss(row).at


def _refusals(
    connection: Connection, account_id: int, reasons: Collection[MissReason]
) -> list[Miss]:
    answered = connection.scalar(_answers(account_id, snapshots.c.seq).limit(1)) or 0
    missed = select(misses).where(misses.c.account_id == account_id, misses.c.seq > answered)
    missed = missed.order_by(misses.c.seq.desc())
    refused = missed.where(misses.c.reason.in_(reasons)).limit(MOST)
    rows = {
        row.seq: row for chosen in (refused, missed.limit(1)) for row in connection.execute(chosen)
    }
    moves = steps(connection, account_id)
    found = [recorded.miss(rows[seq]) for seq in sorted(rows)]
    return [replace(each, at=each.at + moves.moved(each.seq)) for each in found]


def _ahead(connection: Connection, account_id: int) -> Millis | None:
    """How far the exchange's clock is ahead, from the fastest of the last answers.

    A time of the exchange that did not move says nothing.
    """
    columns = snapshots.c.seq, snapshots.c.at, snapshots.c.exchange_at
    rows = connection.execute(_answers(account_id, *columns).limit(LATEST)).all()
    for row in rows:
        with at_row("snapshots", row.seq, account_id):
            check(INSTANTS, (row.at, row.exchange_at or 0))
    times = [row.exchange_at for row in rows]
    before = [*times[1:], *(times[-1:] if len(times) == LATEST else [None])]
    found = [
        there - row.at
        for row, there, old in zip(rows, times, before, strict=False)
        if there not in (None, old)
    ]
    return max(found, default=None)


def _answers(account_id: int, *columns: Any) -> Select[Any]:
    """Own polled readings, newest first."""
    asked = snapshots.c.source.in_((Source.REST, Source.CONFIRM))
    chosen = select(*columns).where(
        snapshots.c.account_id == account_id, snapshots.c.seq > 0, asked
    )
    return chosen.order_by(snapshots.c.seq.desc())
