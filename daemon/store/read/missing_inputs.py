"""Counters without a row: inputs that were pruned, or judged while the store was down.

Every input of an account has the next counter (SEMANTICS A1), so missing ones show. A change of the
configuration, at a start or reload, has no row of its own: its epoch names its counter.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, Table, select

from daemon.store.schema import gaps, misses, snapshots
from daemon.types import GapReason

WIDTH = 10_000
"""Counters looked at in one transaction."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A run of counters without inputs."""

    first: int
    last: int
    store_down: bool = False
    """Judged while the store was down; else pruned, or lost without a trace."""


def find_holes(
    connection: Connection, account_id: int, wanted: range, turns: Collection[int]
) -> Iterator[Hole]:
    """Holes among the counters `wanted`; `turns` are the counters of configuration changes."""
    found = set(turns)
    for table in (snapshots, misses):
        found.update(
            connection.scalars(select(table.c.seq).where(*_within(table, account_id, wanted)))
        )
    stood = connection.execute(
        select(gaps.c.seq, gaps.c.reason).where(*_within(gaps, account_id, wanted))
    ).all()
    found.update(seq for seq, reason in stood if reason == GapReason.CLOCK_STEP)
    lost = {seq for seq, reason in stood if reason == GapReason.STORE_DOWN}
    return merge_holes(Hole(seq, seq, seq in lost) for seq in wanted if seq not in found)


def _within(table: Table, account_id: int, wanted: range) -> tuple[ColumnElement[bool], ...]:
    seq = table.c.seq
    return table.c.account_id == account_id, seq >= wanted[0], seq <= wanted[-1]


def merge_holes(holes: Iterable[Hole]) -> Iterator[Hole]:
    """Neighbouring holes merged; "the store was down" at one counter holds for its neighbours."""
    run: Hole | None = None
    for hole in holes:
        if run is not None and hole.first == run.last + 1:
            run = replace(run, last=hole.last, store_down=run.store_down or hole.store_down)
            continue
        if run is not None:
            yield run
        run = hole
    if run is not None:
        yield run
