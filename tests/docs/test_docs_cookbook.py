"""The cookbook of docs/database.md: every query, with the same answer on both databases."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
import pytest
from sqlalchemy import make_url, text

from daemon.store import Store
from daemon.store.database.engine import parse, reading
from daemon.store.operations import (
    Claim,
    MarkHours,
    MessageKey,
    NoticeState,
    Operation,
    RecordAttempt,
    StoreDownGap,
    WriteRollups,
)
from daemon.types import DAY, HOUR, MINUTE, AttemptResult, Outcome, Record
from tests import values
from tests.docs.markdown import DATABASE
from tests.store.records import ACCOUNT, clears, epoch, fires, key, read
from tests.values import T0

Rows: TypeAlias = list[tuple[Any, ...]]

QUERIES = DATABASE.blocks("sql", "Cookbook")

MESSAGE = MessageKey("phone", T0 + 2_000)


def operations() -> Iterator[Operation]:
    """Two days: an alert that is told and ends, a freeze, misses, a gap, a fall of the margin."""
    yield epoch()
    yield fires(2)
    yield Claim(MESSAGE, (key(),))
    delivered = AttemptResult(Outcome.DELIVERED)
    yield RecordAttempt(MESSAGE, T0 + 2_500, delivered, {key(): NoticeState.DELIVERED})
    yield clears(3)
    for seq, margin in ((4, "90"), (5, "90"), (6, "400")):
        yield read(seq, available_margin=margin)
    yield Record(ACCOUNT, values.reading(7, T0 + 8_000, al_freeze="250.5"))
    for seq in (8, 9):
        yield Record(ACCOUNT, values.miss(seq, T0 + seq * MINUTE))
    yield StoreDownGap(ACCOUNT, 10, T0 + 10 * MINUTE, T0 + 40 * MINUTE, 7)
    for seq in range(11, 40):
        yield read(seq, T0 + seq * HOUR, available_margin=str(1_000 - seq))


def record(url: str) -> str:
    store = Store.open(url)
    for operation in operations():
        store.submit(operation).result(10)
    found = store.unseen_inputs(ACCOUNT)
    assert found is not None
    store.submit(MarkHours(ACCOUNT, found.hours, found.seq)).result(10)
    marks = store.pending_hours(ACCOUNT, T0 + 9 * DAY, 100)
    rolled = tuple(store.roll_hours(ACCOUNT, marks))
    store.submit(WriteRollups(ACCOUNT, rolled, marks)).result(10)
    store.close()
    return url


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("cookbook") / "watch.db"
    return record(f"sqlite:///{path}")


@pytest.fixture(scope="module")
def postgresql(postgresql_url: str) -> str:
    cluster = make_url(postgresql_url)
    address = cluster.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA cookbook")
    own = cluster.update_query_dict({"options": "-csearch_path=cookbook"})
    return record(own.render_as_string(hide_password=False))


def rows(url: str, sql: str) -> Rows:
    engine = reading(parse(url))
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(sql.rstrip().rstrip(";")))]
    engine.dispose()
    return found


def rounded(found: Rows) -> Rows:
    """Numbers of either database to nine places: REAL on one, NUMERIC on the other."""
    return [
        tuple(
            round(float(cell), 9) if isinstance(cell, Decimal | float | int) else cell
            for cell in row
        )
        for row in found
    ]


def query(title: str) -> str:
    """The query below a line of the cookbook."""
    section = DATABASE.section("Cookbook")
    return section.partition(f"\n{title}")[2].partition("```sql\n")[2].partition("```")[0]


def test_there_are_fifteen_queries() -> None:
    """At least, and each is another one."""
    assert len(set(QUERIES)) == len(QUERIES) >= 15


@pytest.mark.parametrize("sql", QUERIES, ids=lambda sql: " ".join(sql.split())[:60])
def test_each_query_answers(sqlite: str, sql: str) -> None:
    """It finds rows, and no column of them is empty throughout."""
    found = rows(sqlite, sql)
    assert found
    assert all(any(cell is not None for cell in column) for column in zip(*found, strict=True))


@pytest.mark.parametrize("sql", QUERIES, ids=lambda sql: " ".join(sql.split())[:60])
def test_both_databases_give_the_same_answer(sqlite: str, postgresql: str, sql: str) -> None:
    """In the same order."""
    assert rounded(rows(sqlite, sql)) == rounded(rows(postgresql, sql))


FIRST_DAY = T0 // DAY


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Margin at an instant", [(T0 + 8_000, 500)]),
        ("Seconds below a level", [(2,)]),
        ("Readings in which more", [(ACCOUNT, "2026-01-01T11:00:08.000Z", 250.5)]),
        ("How often each rule", [("low", 1, 1, 1)]),
        ("When alerts fire", [(11, 1)]),
        ("Recorded gaps by week", [(ACCOUNT, T0 // (7 * DAY), "store_down", 1, 1_800)]),
        ("Failed attempts by day", [(ACCOUNT, FIRST_DAY, "timeout", 2)]),
        ("How long channels take", [("phone", 1, 500, 500)]),
        ("What became of the attempts", [("phone", "delivered", 1)]),
        (
            "The deepest fall",
            [("2026-01-01T11:00:04.000Z", 500, 90, 0.82)],
        ),
        (
            "Readings of each day",
            [(ACCOUNT, FIRST_DAY, 8), (ACCOUNT, FIRST_DAY + 1, 24), (ACCOUNT, FIRST_DAY + 2, 3)],
        ),
        (
            "How the margin changed",
            [
                (ACCOUNT, FIRST_DAY, 488),
                (ACCOUNT, FIRST_DAY + 1, -23),
                (ACCOUNT, FIRST_DAY + 2, -2),
            ],
        ),
    ],
)
def test_what_they_find_is_right(sqlite: str, title: str, expected: Rows) -> None:
    """Reckoned by hand from the two days."""
    assert rounded(rows(sqlite, query(title))) == rounded(expected)
