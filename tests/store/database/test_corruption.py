"""Rows that marginwatch never wrote, met by the daemon and its commands."""

from collections.abc import Callable
from contextlib import closing

import pytest
from sqlalchemy import text

from daemon.errors import StoreError
from daemon.store import History, Store, upgrade
from daemon.store.database import engine as engines
from daemon.store.database.corruption import UNREADABLE, decode_json
from daemon.types import ClockStep, Record
from tests.store.records import ACCOUNT, clears, epoch, fires
from tests.values import T0, miss, reading

Write = Callable[..., None]


def change(url: str, *statements: str) -> None:
    engine = engines.writing(engines.parse(url))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def filled(store: Store, write: Write) -> Store:
    step = Record(ACCOUNT, ClockStep(5, T0 + 5_000, 1_000))
    write(
        fires(2),
        clears(3),
        Record(ACCOUNT, miss(4, T0 + 4_000)),
        step,
        fires(6),
        epoch(at=T0 + 7_000, seq=7),
    )
    return store


@pytest.mark.parametrize(
    ("statement", "read", "place"),
    [
        (
            "UPDATE epochs SET state = '[7]'",
            lambda store: store.load(ACCOUNT),
            "epochs .* with id 2",
        ),
        (
            "UPDATE alerts SET data = '[]' WHERE seq = 6",
            lambda store: store.load(ACCOUNT),
            r"alerts .* with id \d+",
        ),
        (
            "UPDATE alerts SET data = '[]' WHERE id = 1",
            lambda store: store.load(ACCOUNT),
            "alerts .* with id 1",
        ),
        (
            "UPDATE snapshots SET source = 'weird' WHERE seq = 3",
            lambda store: list(store.recent(ACCOUNT, 0)),
            "snapshots .* of account main with account_id 1 and seq 3",
        ),
        (
            "UPDATE notifications SET facts = '[]' WHERE id = 1",
            lambda store: store.episode_deliveries(),
            "notifications .* id 1",
        ),
        (
            "UPDATE notifications SET kind = 'x' WHERE id = 2",
            lambda store: store.open_notices(),
            "notifications .* id 2",
        ),
    ],
)
def test_a_daemon_is_told_of_it(
    url: str, filled: Store, statement: str, read: Callable[[Store], object], place: str
) -> None:
    """A start ends with a sentence that names the row; a running daemon continues from memory."""
    change(url, statement)
    with pytest.raises(StoreError, match=f"the table {place}: mend it"):
        read(filled)


@pytest.mark.parametrize(
    ("statement", "read", "place"),
    [
        (
            "UPDATE misses SET reason = 'weird'",
            lambda past: list(past.inputs(ACCOUNT, 0)),
            "misses .* seq 4",
        ),
        ("UPDATE misses SET reason = 'weird'", lambda past: past.status(T0), "misses .* seq 4"),
        (
            "UPDATE snapshots SET quality = 'x' WHERE seq = 3",
            lambda past: list(past.inputs(ACCOUNT, 0)),
            "snapshots .* 3",
        ),
        (
            "UPDATE gaps SET reason = 'weird'",
            lambda past: list(past.gaps(0, 2 * T0)),
            "gaps .* seq 5",
        ),
        (
            "UPDATE notifications SET facts = '[]'",
            lambda past: [*past.notifications(0, 2 * T0)],
            "notifications .* with id 1",
        ),
        (
            "UPDATE transitions SET from_state = 'x'",
            lambda past: list(past.transitions(ACCOUNT)),
            "transitions .* id 1",
        ),
        (
            "UPDATE epochs SET state = '{\"main\": 1}' WHERE id = 2",
            lambda past: past.last_epoch(),
            "epochs .* with id 2",
        ),
    ],
)
def test_a_command_is_told_of_it(
    url: str, filled: Store, statement: str, read: Callable[[History], object], place: str
) -> None:
    """On either database; the row that is read first is named."""
    assert filled.down is None
    change(url, statement)
    with History.open(url) as past, pytest.raises(StoreError, match=f"the table {place}"):
        read(past)


KEPT = "INSERT INTO rule_values VALUES (1, 'fallen', 'peak(equity)', '{}')"


@pytest.mark.parametrize("value", ["NaN", "sNaN", "-nan", "much", "1e2024"])
def test_a_kept_value_that_is_no_number_is_refused(url: str, filled: Store, value: str) -> None:
    """The account could not be judged with it; the row is named by its key."""
    change(url, KEPT.format(value))
    row = "account main with account_id 1, rule fallen and expression peak\\(equity\\)"
    with pytest.raises(StoreError, match=f"the table rule_values .* in the row of {row}: mend it"):
        filled.load(ACCOUNT)


@pytest.mark.parametrize("value", ["Infinity", "-Infinity", "0.10"])
def test_a_kept_value_may_be_infinite(url: str, filled: Store, value: str) -> None:
    """As of a ratio to nothing."""
    change(url, KEPT.format(value))
    [kept] = filled.load(ACCOUNT).values
    assert str(kept.value) == value


def test_a_damaged_rollup_is_named_by_its_key(url: str, filled: Store) -> None:
    """By account, hour and field."""
    assert filled.down is None
    change(
        url,
        "INSERT INTO rollups"
        " (account_id, at, field, readings, low, high, first, last, mean, sum, covered_ms, gap_ms,"
        """ exact) VALUES (1, 0, 'al_margin', 1, 1, 1, 1, 1, 1, 1, 0, 0, '{"sum": "much"}')""",
    )
    row = "account main with account_id 1, at 0 and field al_margin"
    with History.open(url) as past, pytest.raises(StoreError, match=f"rollups .* of {row}: mend"):
        past.rollups(ACCOUNT, "al_margin", 0, T0)


def test_a_row_with_a_value_of_another_type_is_named_by_its_key(sqlite: str) -> None:
    """SQLite keeps a blob in a column of text."""
    upgrade(sqlite)
    change(
        sqlite,
        "INSERT INTO accounts (id, name, exchange) VALUES (1, 'main', 'coinw')",
        "INSERT INTO rule_values VALUES (1, 'fallen', 'peak(equity)', x'00')",
    )
    with (
        closing(Store.open(sqlite)) as store,
        pytest.raises(
            StoreError, match=r"account_id 1, rule fallen and expression peak\(equity\):"
        ),
    ):
        store.load(ACCOUNT)


def test_one_row_of_many_is_found(url: str, store: Store, write: Write) -> None:
    """A damaged row in a page of a thousand; the rows before it are read."""
    write(*(Record(ACCOUNT, reading(seq, T0 + seq * 1_000)) for seq in range(2, 300)))
    assert store.down is None
    change(url, "UPDATE snapshots SET source = 'weird' WHERE seq IN (150, 200)")
    with History.open(url) as past:
        assert len(list(past.inputs(ACCOUNT, 0, 149))) == 148
        with pytest.raises(StoreError, match="seq 150:"):
            list(past.inputs(ACCOUNT, 0))


def test_text_that_is_no_json_is_kept_apart() -> None:
    """Invalid JSON becomes a value that valid JSON never has."""
    assert decode_json('{"a": 1}') == {"a": 1}
    assert decode_json("null") is None
    assert decode_json("{") is decode_json(b"\xff") is UNREADABLE
