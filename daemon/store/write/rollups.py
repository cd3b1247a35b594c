"""Rollups and what they need: hours to be rolled, and how far the inputs were looked at."""

from collections.abc import Collection
from functools import cache

from sqlalchemy import Connection, Executable, delete, insert

from daemon.readings.rollups import HourRollup
from daemon.store.columns import inexact
from daemon.store.operations import MarkHours, Upkeep
from daemon.store.rows import AccountId, AccountIds, sql_dialect
from daemon.store.schema import miss_rollups, pending_hours, rollups, upkeep
from daemon.types import Millis

TASK = "rollups"
"""The row of `upkeep` of this task."""

_AMOUNTS = ("first", "last", "low", "high", "sum")


def keep(connection: Connection, ids: AccountIds, new: Upkeep) -> None:
    """Apply an operation of upkeep."""
    account_id = ids(connection, new.account)
    if isinstance(new, MarkHours):
        mark(connection, account_id, new.hours)
        values = {"account_id": account_id, "task": TASK, "seq": new.seq}
        connection.execute(_seen(connection.dialect.name), values)
        return
    for each in new.rollups:
        _replace(connection, account_id, each)
        done = delete(pending_hours).where(
            pending_hours.c.account_id == account_id,
            pending_hours.c.at == each.at,
            pending_hours.c.mark == new.marks[each.at],
        )
        connection.execute(done)


def mark(connection: Connection, account_id: AccountId, hours: Collection[Millis]) -> None:
    """Note that the rollups of these hours are to be made, or made anew."""
    if hours:
        connection.execute(
            _marked(connection.dialect.name),
            [{"account_id": account_id, "at": at, "mark": 1} for at in sorted(hours)],
        )


def _replace(connection: Connection, account_id: AccountId, new: HourRollup) -> None:
    for table in (rollups, miss_rollups):
        former = delete(table).where(table.c.account_id == account_id, table.c.at == new.at)
        connection.execute(former)
    hour = {"account_id": account_id, "at": new.at}
    if new.fields:
        connection.execute(insert(rollups), [{**hour, **row} for row in _field_rows(new)])
    if new.misses:
        counts = [{**hour, "reason": name.value, "misses": n} for name, n in new.misses.items()]
        connection.execute(insert(miss_rollups), counts)


def _field_rows(new: HourRollup) -> list[dict[str, object]]:
    rows = []
    for name, found in new.fields.items():
        amounts = {column: getattr(found, column) for column in _AMOUNTS}
        exact = {column: str(value) for column, value in amounts.items() if inexact(value)}
        row = {
            "field": name,
            "readings": found.readings,
            **amounts,
            "mean": found.mean,
            "covered_ms": new.covered,
            "gap_ms": new.gap,
            "exact": exact or None,
        }
        rows.append(row)
    return rows


@cache
def _marked(name: str) -> Executable:
    new = sql_dialect(name).insert(pending_hours)
    statement: Executable = new.on_conflict_do_update(
        index_elements=["account_id", "at"], set_={"mark": pending_hours.c.mark + 1}
    )
    return statement


@cache
def _seen(name: str) -> Executable:
    new = sql_dialect(name).insert(upkeep)
    statement: Executable = new.on_conflict_do_update(
        index_elements=["account_id", "task"], set_={"seq": new.excluded.seq}
    )
    return statement
