"""The store as a whole: opened, written, closed, opened again."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from daemon.errors import StoreError
from daemon.store import Store, upgrade, write_once
from daemon.store.database.migrate import HEAD
from daemon.store.operations import Operation, RecordCall, SetUserId, Unwritten
from daemon.types import Quality, Record
from tests.store.records import ACCOUNT, clears, epoch, fires, read
from tests.values import T0, reading


def test_a_restart_finds_what_was_recorded(url: str) -> None:
    """Promise 4: state, windows, notifications and what was told are the same after a restart."""
    operations: list[Operation] = [
        epoch(),
        fires(2),
        read(3),
        clears(4),
        fires(5),
        SetUserId(ACCOUNT, "1"),
    ]
    first = Store.open(url)
    for operation in operations:
        first.submit(operation).result(10)

    def known(store: Store) -> list[object]:
        recent = list(store.recent(ACCOUNT, T0))
        return [
            store.load(ACCOUNT),
            recent,
            store.open_notices(),
            store.episode_deliveries(),
            store.codes(),
            store.user_ids(),
        ]

    before = known(first)
    first.close()
    second = Store.open(url)
    assert known(second) == before
    second.close()


def test_a_killed_writer_leaves_a_sound_database(tmp_path: Path) -> None:
    """Promise 1: after a kill at any moment all answered commits are there; the file is sound."""
    url = f"sqlite:///{tmp_path / 'watch.db'}"
    script = (
        "import sys\n"
        "from daemon.store import Store\n"
        "from tests.store.records import epoch, read\n"
        "store = Store.open(sys.argv[1])\n"
        "store.submit(epoch())\n"
        "for seq in range(2, 10**6):\n"
        "    store.submit(read(seq)).result()\n"
        "    print(seq, flush=True)\n"
    )
    command = [sys.executable, "-c", script, url]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        for _ in range(50):
            process.stdout.readline()
        process.kill()
        answered = [int(line) for line in process.stdout.read().split("\n")[:-1]]
    store = Store.open(url)
    recorded = [each.seq for page in store.recent(ACCOUNT, T0) for each in page]
    store.close()
    assert recorded == list(range(2, len(recorded) + 2))
    assert len(recorded) + 1 >= max(answered, default=51)
    with sqlite3.connect(tmp_path / "watch.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.decimals(allow_nan=False, allow_infinity=False, places=18), st.sampled_from(Quality)
        ),
        max_size=6,
    )
)
def test_what_is_read_back_is_what_was_judged(
    tmp_path_factory: pytest.TempPathFactory, sent: list[tuple[object, Quality]]
) -> None:
    """Promise 7, C1: the judged readings come back in order, with every digit."""
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('store') / 'watch.db'}")
    readings = [
        reading(2 + n, T0 + n, quality, available_margin=str(value))
        for n, (value, quality) in enumerate(sent)
    ]
    futures = [store.submit(epoch()), *(store.submit(Record(ACCOUNT, each)) for each in readings)]
    for future in futures:
        future.result(10)
    found = [each for page in store.recent(ACCOUNT, 0) for each in page]
    store.close()
    judged = [each for each in readings if each.quality in {"ok", "confirmed", "unconfirmed"}]
    assert found == judged


def test_a_single_row_makes_no_database(sqlite: str) -> None:
    """`check` books its call where there is a record, and makes none for it."""
    with pytest.raises(StoreError, match="there is no database"):
        write_once(sqlite, RecordCall(T0, "assets"))
    assert not Path(str(make_url(sqlite).database)).exists()


def test_a_failed_opening_lets_go(sqlite: str) -> None:
    """A database that could not be opened is not left locked."""
    upgrade(sqlite)
    path = Path(str(make_url(sqlite).database))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer"):
        Store.open(sqlite)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (HEAD,))
    connection.close()
    assert Store.open(sqlite).close() == Unwritten()
