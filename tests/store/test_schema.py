"""Migrations build the expected tables; and the view for people."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from daemon.store import Store, upgrade
from daemon.store.database.engine import parse, reading, writing
from daemon.store.schema import metadata
from tests.store.records import read
from tests.values import T0

DESIGNED = {
    "accounts": "id name exchange user_id",
    "snapshots": (
        "account_id seq at exchange_at source quality available_margin available_usdt almighty_gold"
        " al_margin al_freeze cross_un_pnl extra"
    ),
    "misses": "account_id seq at reason detail",
    "gaps": "account_id seq started_at ended_at reason missed step_ms",
    "alerts": "id code account_id rule severity state started_at ended_at",
    "transitions": "id alert_id at from_state to_state reason value",
    "notifications": "id alert_id channel kind state",
    "epochs": "id started_at ended_at reason version rules state",
}


@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_migrations_build_the_schema(url: str) -> None:
    """Autogeneration finds nothing to do: tables, types, keys and indexes agree."""
    upgrade(url)
    engine = writing(parse(url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [
            each for each in compare_metadata(context, metadata) if "coalesce" not in str(each)
        ]
    engine.dispose()
    assert found == []


def test_keys_agree(url: str) -> None:
    """Autogeneration does not compare primary keys and the index over an expression."""
    upgrade(url)
    engine = writing(parse(url))
    built = inspect(engine)
    for name, table in metadata.tables.items():
        expected = [column.name for column in table.primary_key]
        assert built.get_pk_constraint(name)["constrained_columns"] == expected
    with engine.connect() as connection:
        clash = text(
            "INSERT INTO alerts (code, rule, seq, severity, state, started_at, data)"
            " VALUES ('2222', 'low', 1, 'info', 'ok', 0, '{}') ON CONFLICT DO NOTHING",
        )
        added = [connection.execute(clash).rowcount for _ in range(2)]
    engine.dispose()
    assert added == [1, 0]


@pytest.mark.parametrize(("table", "columns"), DESIGNED.items())
def test_documented_columns_exist(table: str, columns: str) -> None:
    """People query these tables: the documented columns are an interface."""
    assert set(columns.split()) <= {column.name for column in metadata.tables[table].columns}


def test_snapshots_lie_in_the_order_of_their_key(sqlite: str) -> None:
    """The table has no rowid: readings of an account lie together, in the order of replay."""
    upgrade(sqlite)
    engine = reading(parse(sqlite))
    with engine.connect() as connection:
        sql = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'snapshots'"))
    engine.dispose()
    assert "WITHOUT ROWID" in str(sql)


def test_the_view_is_for_people(store: Store, write: Callable[..., None], url: str) -> None:
    """`balances` shows names, ISO time, the fields and those derived from them."""
    write(
        read(2, at=1_767_265_200_007, available_margin="200.5"),
        read(3, at=T0, available_margin="0"),
    )
    engine = reading(parse(url))
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM balances ORDER BY seq")).all()
        types = {type(row.available_margin) for row in rows}
    engine.dispose()
    row: Any = rows[0]
    assert (row.account, row.time, row.source, row.quality) == (
        "main",
        "2026-01-01T11:00:00.007Z",
        "rest",
        "ok",
    )
    assert row.equity == row.available_usdt + row.al_margin + row.al_freeze
    assert (row.free_margin, row.margin_usage, row.freeze_ratio) == (Decimal("200.5"), 0, 0)
    assert (rows[1].margin_usage, types) == (0, {float} if url.startswith("sqlite") else {Decimal})


@pytest.mark.parametrize(
    ("margin", "used", "expected"), [("0", "1", "inf"), ("-5", "1", "inf"), ("8", "2", "0.25")]
)
def test_the_view_divides_as_rules_do(url: str, margin: str, used: str, expected: str) -> None:
    """C4: any use of an amount of zero or less is infinite."""
    upgrade(url)
    engine = writing(parse(url))
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO accounts (id, name, exchange) VALUES (1, 'a', 'coinw')")
        )
        connection.execute(
            text(
                "INSERT INTO snapshots (account_id, seq, at, source, quality, available_margin,"
                f" al_margin) VALUES (1, 1, 0, 'rest', 'ok', {margin}, {used})",
            ),
        )
        row = connection.execute(text("SELECT margin_usage, freeze_ratio FROM balances")).one()
    engine.dispose()
    assert (float(row.margin_usage), row.freeze_ratio) == (float(expected), None)
