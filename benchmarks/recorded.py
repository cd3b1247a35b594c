"""A long, reproducible record of one account, for measuring replay.

Readings lie 5 s apart; their values walk at random, with eight decimals as the exchange sends them.
There are also misses, a few values that a float cannot hold, restarts with downtime, and a step of
the clock; epochs, accounts and rows follow the real schema.
"""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from daemon.store import upgrade

YEAR = 6_307_200
"""Readings, one every 5 s."""

T0 = 1_767_225_600_000
EVERY = 5_000
MISSED_ONE_IN = 500
INEXACT_ONE_IN = 10_000
LIVES = 50
"""Starts of the daemon."""
DOWN = 90_000
STEP = -3_000
BATCH = 50_000

SNAPSHOT = "INSERT INTO snapshots VALUES (1, ?, ?, ?, 'rest', 'ok', ?, ?, '0', ?, ?, NULL, ?)"
MISS = "INSERT INTO misses VALUES (1, ?, ?, 'timeout', 'no answer within 10 s')"
GAP = "INSERT INTO gaps VALUES (1, ?, ?, ?, ?, ?, ?)"
EPOCH = (
    "INSERT INTO epochs (started_at, ended_at, reason, end_reason, version, rules, state) "
    "VALUES (?, ?, 'start', 'stop', '0.1.0', '{\"rules\": []}', ?)"
)


def record(path: Path, readings: int = YEAR, seed: int = 1) -> str:
    """Make a database with so many readings of the account `main`; returns its URL."""
    url = f"sqlite:///{path}"
    upgrade(url)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("INSERT INTO accounts (id, name, exchange) VALUES (1, 'main', 'coinw')")
        rows = _rows(random.Random(seed), readings)
        while batch := list(islice(rows, BATCH)):
            connection.execute("BEGIN")
            for statement in (SNAPSHOT, MISS, GAP, EPOCH):
                connection.executemany(statement, [row for kind, row in batch if kind == statement])
            connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return url


def _rows(chance: random.Random, readings: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Statements and their values, in the order in which a daemon would have recorded them."""
    life = max(1, readings // LIVES)
    at, seq, margin, frozen = T0, 0, 5_000.0, 400.0
    for count in range(readings):
        at, seq = at + EVERY, seq + 1
        if count % life == 0:
            seq += 1  # the change of the configuration, which has no row of its own
            if count:
                yield GAP, (seq, at, at + DOWN, "daemon_down", DOWN // EVERY, None)
            at += DOWN
            state = f'{{"main": {{"account": "main", "seq": {seq - 1}, "at": {at}}}}}'
            yield EPOCH, (at, at + life * EVERY, state)
        if count == readings // 2 + 1:
            at += STEP
            yield GAP, (seq, at, at, "clock_step", 0, STEP)
            seq += 1
        if chance.randrange(MISSED_ONE_IN) == 0:
            yield MISS, (seq, at)
            at, seq = at + EVERY, seq + 1
        margin = max(50.0, margin + chance.gauss(0, 4))
        frozen = min(margin, max(0.0, frozen + chance.gauss(0, 1)))
        yield SNAPSHOT, _snapshot(chance, seq, at, round(margin, 8), round(frozen, 8))


def _snapshot(
    chance: random.Random, seq: int, at: int, margin: float, frozen: float
) -> tuple[Any, ...]:
    extra = None
    if chance.randrange(INEXACT_ONE_IN) == 0:
        extra = f'{{"available_margin": "{margin!r}0000001234567"}}'
    used = round(margin * 0.2, 8)
    return seq, at, at - chance.randrange(20, 200), margin, margin, used, frozen, extra
