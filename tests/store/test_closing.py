"""Closing a store in time: reported losses are true; the lock is held until the writer ended."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, closing, contextmanager

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, make_url

from daemon.errors import StoreError
from daemon.store import FaultInjection, Store
from daemon.store.database.failures import Refused
from daemon.store.operations import CommitFailed, Unwritten, Written
from tests.store.records import ACCOUNT, epoch, read
from tests.store.turnstile import SOON, Turnstile
from tests.values import T0


def recorded(url: str) -> list[int]:
    """The counters that a later daemon finds."""
    store = Store.open(url)
    try:
        return [each.seq for page in store.recent(ACCOUNT, T0) for each in page]
    finally:
        store.close()


def begun(url: str, fault_injection: FaultInjection | None = None, patience: int = 2_000) -> Store:
    store = Store.open(url, fault_injection=fault_injection, patience=patience)
    store.submit(epoch()).result(SOON)
    return store


@contextmanager
def locked_file(url: str) -> Iterator[None]:
    with closing(sqlite3.connect(str(make_url(url).database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def locked_table(url: str) -> Iterator[None]:
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as other:
        other.execute("LOCK TABLE snapshots IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


LOCKED: dict[str, Callable[[str], AbstractContextManager[None]]] = {
    "sqlite": locked_file,
    "postgresql": locked_table,
}


def locked(url: str) -> AbstractContextManager[None]:
    """Another program writes, and does not end."""
    return LOCKED[make_url(url).get_backend_name()](url)


def test_strict_2_a_commit_under_way_holds_the_lock(url: str, turnstile: Turnstile) -> None:
    """Strict 2: it cannot be recalled and counts as unknown; operations behind it are lost."""
    store = begun(url, turnstile.fault_injection)
    turnstile.hold()
    first = store.submit(read(2))
    turnstile.held()
    others = [store.submit(read(seq)) for seq in (3, 4)]
    assert store.close(timeout=0) == Unwritten(lost=2, unknown=1)
    assert not store.ended(timeout=0)
    with pytest.raises(StoreError, match="another marginwatch"):
        Store.open(url)
    turnstile.release()
    assert store.ended(SOON)
    assert first.result(SOON) is Written.COMMITTED
    for each in others:
        with pytest.raises(StoreError, match="closed"):
            each.result(SOON)
    assert recorded(url) == [2]


def test_strict_2_what_has_not_reached_its_commit_is_never_written(url: str) -> None:
    """Strict 2: a writer given up while it waits for another program rolls back."""
    store = begun(url, patience=60_000)
    writing = threading.Event()
    event.listen(store._writing, "before_cursor_execute", lambda *_: writing.set())
    with locked(url):
        for seq in (2, 3, 4):
            store.submit(read(seq))
        assert writing.wait(SOON)
        assert store.close(timeout=0) == Unwritten(lost=3)
        with pytest.raises(StoreError):
            Store.open(url)
        assert not store.ended(timeout=0)
    assert store.ended(SOON)
    assert recorded(url) == []


def refuse(_: Connection) -> None:
    raise Refused("no room")


def lose_answer(connection: Connection) -> None:
    connection.commit()
    raise Refused("the connection is lost", undecided=True)


@pytest.mark.parametrize(
    ("commit", "unwritten", "kept"),
    [(refuse, Unwritten(lost=3), []), (lose_answer, Unwritten(unknown=3), [2, 3, 4])],
)
def test_strict_2_a_commit_without_an_answer_is_not_told_as_lost(
    url: str,
    turnstile: Turnstile,
    commit: Callable[[Connection], None],
    unwritten: Unwritten,
    kept: list[int],
) -> None:
    """Strict 2: an operation to be written again may be on disk after a lost connection."""
    store = begun(url, turnstile.fault_injection)
    turnstile.fail = commit
    for seq in (2, 3, 4):
        assert store.submit(read(seq)).result(SOON) is Written.DEFERRED
    assert store.close() == unwritten
    assert recorded(url) == kept


def test_strict_2_closing_again_tells_the_same(url: str, turnstile: Turnstile) -> None:
    """Strict 2: the report stays true, whatever the commit under way brings."""
    store = begun(url, turnstile.fault_injection)
    turnstile.hold()
    store.submit(read(2))
    turnstile.held()
    first = store.close(timeout=0)
    turnstile.release()
    assert store.ended(SOON)
    assert store.close() == first == Unwritten(unknown=1)


def test_flushing_waits_for_what_was_submitted(url: str, turnstile: Turnstile) -> None:
    """It returns whether the database answered in time, also when it refused."""
    store = begun(url, turnstile.fault_injection)
    assert store.flush(0)
    turnstile.hold()
    store.submit(read(2))
    assert not store.flush(0)
    turnstile.fail = refuse
    turnstile.release()
    assert store.flush(SOON)
    assert store.down == "no room"
    turnstile.fail = None
    assert store.close() == Unwritten()


def make(connection: Connection) -> None:
    connection.commit()


def fail(_: Connection) -> None:
    raise OSError("nobody knows")


def fail_after(connection: Connection) -> None:
    connection.commit()
    raise OSError("nobody knows")


class Commits:
    """Each commit goes as drawn; those beyond the list are made."""

    def __init__(self, drawn: list[Callable[[Connection], None]]) -> None:
        self._drawn = iter(drawn)

    def __call__(self, connection: Connection) -> None:
        next(self._drawn, make)(connection)


def told_failed(future: Future[Written]) -> bool:
    return isinstance(future.exception(SOON), CommitFailed)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from([make, refuse, lose_answer, fail, fail_after]), max_size=6),
    st.lists(st.booleans(), min_size=1, max_size=6),
    st.sampled_from([0, 0.001, 0.01, 1]),
)
def test_strict_2_every_operation_is_recorded_lost_or_unknown(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[Callable[[Connection], None]],
    awaited: list[bool],
    timeout: float,
) -> None:
    """Strict 2: after any close the next daemon finds no operation reported as lost."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'watch.db'}"
    begun(url).close()
    fault_injection = FaultInjection(
        Commits(drawn), wait=lambda stop, _: threading.Event.wait(stop, 0.001)
    )
    store = Store.open(url, fault_injection=fault_injection)
    futures = []
    for seq, wait in enumerate(awaited, start=2):
        futures.append(store.submit(read(seq)))
        if wait:
            futures[-1].exception(SOON)
    unwritten = store.close(timeout)
    assert store.ended(SOON)
    found, count = recorded(url), len(awaited)
    uncertain = unwritten.unknown + sum(map(told_failed, futures))
    assert count - unwritten.lost - uncertain <= len(found) <= count - unwritten.lost
    committed = {
        seq
        for seq, each in enumerate(futures, start=2)
        if each.exception() is None and each.result() is Written.COMMITTED
    }
    assert committed <= set(found)
