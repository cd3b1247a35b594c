"""docs/database.md: every table and column, and queries that run on a real database."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.app import App
from daemon.clock import SystemClock
from daemon.config import Account, Channel, Config, Daemon, Secret
from daemon.dependencies import Dependencies
from daemon.rules.language.parse import parse_condition
from daemon.rules.rule import Rule
from daemon.simulator import SimulatedBalances, Simulator, by_request
from daemon.store.schema import metadata
from daemon.types import Record, State
from tests.docs.markdown import DATABASE, OPERATIONS, code
from tests.fakes import ScriptedNotifier


class _Ended:
    """A watcher that notices when the alert has ended and everything is delivered."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self._ended = False

    def judged(self, record: Record) -> None:
        self._ended |= any(moved.to_state is State.RESOLVED for moved in record.transitions)

    def attempted(self, *_: object) -> None:
        if self._ended:
            self.over.set()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a short life: an alert and its end, a failed reading, messages."""
    folder = tmp_path_factory.mktemp("docs")
    asyncio.run(_live(folder))
    return folder / "marginwatch.db"


async def _live(folder: Path) -> None:
    clock, ended = SystemClock(), _Ended()
    exchange = Simulator(clock)
    margins = ("500", "90", "80", "500")
    sheets = [
        SimulatedBalances(available_margin=margin, available_usdt=margin) for margin in margins
    ]
    main = exchange.account("main", story=by_request(sheets))
    main.fault("http_500", times=1)
    await exchange.start()
    config = Config(
        path=folder / "rules.toml",
        daemon=Daemon(Secret(f"sqlite:///{folder}/marginwatch.db"), web=None),
        accounts=(
            Account(
                "main",
                Secret("main-key"),
                Secret("main-secret"),
                every=100,
                rest_url=exchange.rest_url,
                ws_url="",
            ),
        ),
        channels=(Channel("phone", Secret("phone"), group_wait=0),),
        rules=(Rule("low-margin", parse_condition("available_margin < 100")),),
    )
    app = App(
        config,
        Dependencies(notifier=lambda _channel, _clock: ScriptedNotifier(), observers=[ended]),
    )
    await app.start()
    async with asyncio.timeout(60):
        await ended.over.wait()
    await app.stop()
    await exchange.stop()


@pytest.fixture
def query(recorded: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{recorded}?mode=ro", uri=True)) as connection:
        yield connection


QUERIES = [*DATABASE.blocks("sql", "Queries"), *OPERATIONS.blocks("sql")]


@pytest.mark.parametrize("sql", QUERIES, ids=lambda sql: " ".join(sql.split())[:60])
def test_queries_give_rows(query: sqlite3.Connection, sql: str) -> None:
    """Each example query finds rows in a real database, once its span is a recorded one."""
    now = query.execute("SELECT min(time), max(time) FROM balances").fetchone()
    there = sql.replace("2026-01-01T03:00", now[0]).replace("2026-01-01T03:30", now[1])
    rows = query.execute(there).fetchall()
    assert rows
    assert all(any(value is not None for value in row) for row in rows)


def test_every_table_and_column_is_explained(query: sqlite3.Connection) -> None:
    """The page has the tables and columns of the schema, in order, and those of the view."""
    shown = {
        table.heading: [code(cell) for cell in table.column("column")]
        for table in DATABASE.tables()
    }
    view = [row[1] for row in query.execute("PRAGMA table_info(balances)")]
    assert shown.pop("The view balances") == view
    assert shown == {
        table.name: [column.name for column in table.columns] for table in metadata.tables.values()
    }
