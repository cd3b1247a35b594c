"""The writer: grouped commits, a savepoint for each, and what happens while the store refuses."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, event, make_url

from daemon.errors import StoreError
from daemon.readings.rollups import HourRollup
from daemon.store import History, Store
from daemon.store.database.failures import Refused
from daemon.store.operations import (
    Claim,
    CommitFailed,
    MessageKey,
    NoticeState,
    RecordAttempt,
    Rejected,
    Supersede,
    Unwritten,
    WriteRollups,
    Written,
)
from daemon.types import AttemptResult, Outcome
from tests.store.records import ACCOUNT, clears, epoch, fires, key, read
from tests.store.turnstile import SOON, Turnstile
from tests.values import T0


@pytest.fixture
def watched(url: str, turnstile: Turnstile) -> Iterator[Store]:
    """A store whose commits go through the turnstile."""
    opened = Store.open(
        url, hooks=turnstile.hooks, fault_injection=turnstile.fault_injection, patience=50
    )
    opened.submit(epoch()).result(SOON)
    turnstile.commits = 0
    yield opened
    turnstile.release()
    opened.close()


def seqs(store: Store) -> list[int]:
    return [each.seq for page in store.recent(ACCOUNT, T0) for each in page]


def answers(futures: list[Future[Written]]) -> list[Written]:
    return [future.result(SOON) for future in futures]


def refuse(_: Connection) -> None:
    raise Refused("no room")


def lose_answer(connection: Connection) -> None:
    connection.commit()
    raise OSError("nobody knows")


def fail_before(_: Connection) -> None:
    raise OSError("nobody knows")


def test_what_waits_shares_a_commit(watched: Store, turnstile: Turnstile) -> None:
    """Promise 1: readings that wait while a commit runs share the next one."""
    turnstile.hold()
    first = watched.submit(read(2))
    turnstile.held()
    others = [watched.submit(read(seq)) for seq in range(3, 40)]
    turnstile.release()
    assert set(answers([first, *others])) == {Written.COMMITTED}
    assert turnstile.commits == 2


ROLLUPS = WriteRollups(ACCOUNT, (HourRollup(T0),), {T0: 1})


def test_upkeep_never_shares_a_readings_commit(watched: Store, turnstile: Turnstile) -> None:
    """It has a transaction of its own, whatever waits with it."""
    turnstile.hold()
    first = watched.submit(read(2))
    turnstile.held()
    others = [
        watched.submit(each) for each in (read(3), read(4), ROLLUPS, read(5), ROLLUPS, read(6))
    ]
    turnstile.release()
    assert set(answers([first, *others])) == {Written.COMMITTED}
    assert turnstile.commits == 6


def test_upkeep_does_not_wait_for_a_store_that_refuses(
    watched: Store, turnstile: Turnstile
) -> None:
    """What it derives is derived again, so none of it counts as lost."""
    turnstile.fail = refuse
    for _ in range(2):
        with pytest.raises(StoreError, match="no room"):
            watched.submit(ROLLUPS).result(SOON)
    assert watched.down == "no room"
    assert watched.close(0) == Unwritten()


def test_one_that_fails_takes_nothing_with_it(watched: Store, turnstile: Turnstile) -> None:
    """Each operation has its own savepoint: an unfit one fails alone and leaves nothing behind."""
    turnstile.hold()
    first = watched.submit(read(2))
    turnstile.held()
    bad = watched.submit(read(3, account="unknown"))
    half = watched.submit(replace(fires(4), alerts=()))
    good = watched.submit(read(5))
    turnstile.release()
    assert answers([first, good]) == [Written.COMMITTED] * 2
    for unfit in (bad, half):
        with pytest.raises(Rejected, match="this was not recorded"):
            unfit.result(SOON)
    assert seqs(watched) == [2, 5]


def test_a1_a_counter_is_used_once(watched: Store) -> None:
    """A1: another input with a counter that is taken is refused, never silently dropped."""
    answers([watched.submit(read(2))])
    with pytest.raises(Rejected, match="another input 2"):
        watched.submit(read(2, at=T0 + 1)).result(SOON)


def test_refused_writes_wait_in_order(watched: Store, turnstile: Turnstile) -> None:
    """Promise 1: while the store refuses, all is deferred at once, then committed in order."""
    turnstile.fail = refuse
    assert watched.submit(fires(2)).result(SOON) is Written.DEFERRED
    assert (turnstile.hear(), watched.down) == ("no room", "no room")
    message = MessageKey("phone", T0 + 2_000)
    delivered = RecordAttempt(
        message, T0 + 3_000, AttemptResult(Outcome.DELIVERED), {key(): NoticeState.DELIVERED}
    )
    later = [
        watched.submit(operation) for operation in (Claim(message, (key(),)), delivered, clears(3))
    ]
    assert answers(later) == [Written.DEFERRED] * 3
    assert seqs(watched) == []
    turnstile.fail = None
    turnstile.retry()
    assert (turnstile.hear(), watched.down) == ("recovered", None)
    assert (seqs(watched), watched.load(ACCOUNT).alerts, watched.open_notices()) == ([2, 3], {}, [])
    assert watched.submit(read(4)).result(SOON) is Written.COMMITTED


def test_being_down_is_told_once(watched: Store, turnstile: Turnstile) -> None:
    """The same failure is told once, with its end, however often it is tried."""
    turnstile.fail = refuse
    watched.submit(read(2)).result(SOON)
    for _ in range(3):
        turnstile.retry()
    turnstile.fail = None
    turnstile.retry()
    assert [turnstile.hear(), turnstile.hear()] == ["no room", "recovered"]
    assert turnstile.told.empty()


@pytest.mark.parametrize(("lose", "kept"), [(lose_answer, [2, 3]), (fail_before, [])])
def test_an_unknown_outcome_is_told_to_all(
    watched: Store,
    turnstile: Turnstile,
    lose: Callable[[Connection], None],
    kept: list[int],
) -> None:
    """Promise 4: after a commit without an answer, the recorded state shows whether it happened."""
    turnstile.hold()
    first = watched.submit(read(2))
    turnstile.held()
    turnstile.fail = lose
    second = watched.submit(read(3))
    turnstile.release()
    for future in (first, second):
        with pytest.raises(CommitFailed, match="nobody knows"):
            future.result(SOON)
    turnstile.fail = None
    assert (seqs(watched), watched.down) == (kept, None)
    assert answers([watched.submit(read(2)), watched.submit(read(3))]) == [Written.COMMITTED] * 2
    assert seqs(watched) == [2, 3]


def test_a_refusal_after_the_commit_writes_nothing_twice(
    watched: Store, turnstile: Turnstile
) -> None:
    """A possible commit is committed again without harm."""

    def lost(connection: Connection) -> None:
        connection.commit()
        raise Refused("the connection is lost")

    turnstile.fail = lost
    watched.submit(fires(2)).result(SOON)
    turnstile.fail = None
    turnstile.retry()
    assert [turnstile.hear(), turnstile.hear()] == ["the connection is lost", "recovered"]
    assert seqs(watched) == [2]
    assert [kept.notice.key for kept in watched.open_notices()] == [key()]


def test_what_turns_out_unfit_is_reported(watched: Store, turnstile: Turnstile) -> None:
    """An operation that waited and cannot be written does not hold up the others."""
    turnstile.fail = refuse
    unfit = read(3, account="unknown")
    for operation in (read(2), unfit, read(4)):
        watched.submit(operation).result(SOON)
    turnstile.fail = None
    turnstile.retry()
    assert [turnstile.hear(), turnstile.hear()] == ["no room", "recovered"]
    assert (seqs(watched), turnstile.rejected) == ([2, 4], [unfit])


def test_an_overflow_is_a_gap(watched: Store, turnstile: Turnstile, url: str) -> None:
    """Promise 1: beyond the bound, readings become a gap `store_down`; alerts and news are kept."""
    turnstile.fail = refuse
    for operation in (*map(read, range(2, 15)), fires(15), read(16), read(17)):
        watched.submit(operation).result(SOON)
    turnstile.fail = None
    turnstile.retry()
    assert [turnstile.hear(), turnstile.hear()] == ["no room", "recovered"]
    assert seqs(watched) == [2, 3, 4, 5, 6, 7, 8, 9, 15]
    with History.open(url) as history:
        gaps = [(gap.seq, gap.reason, gap.missed) for gap in history.gaps(T0, T0 + 100_000)]
    assert gaps == [(14, "store_down", 5), (17, "store_down", 2)]
    assert watched.load(ACCOUNT).seq == 17


def test_a_failing_listener_ends_nothing(url: str, turnstile: Turnstile) -> None:
    """A listener may fail: writing goes on."""

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    store = Store.open(
        url,
        hooks=replace(turnstile.hooks, on_down=broken),
        fault_injection=turnstile.fault_injection,
    )
    turnstile.fail = refuse
    assert store.submit(epoch()).result(SOON) is Written.DEFERRED
    turnstile.fail = None
    turnstile.retry()
    assert turnstile.hear() == "recovered"
    assert store.close() == Unwritten()


def test_closing_writes_what_waits(url: str) -> None:
    """An orderly stop loses nothing that was submitted."""
    store = Store.open(url)
    futures = [store.submit(epoch()), *(store.submit(read(seq)) for seq in range(2, 900))]
    assert store.close(60) == Unwritten()
    assert set(answers(futures)) == {Written.COMMITTED}


def test_closing_while_down_counts_what_is_lost(url: str, turnstile: Turnstile) -> None:
    """A stop while the store refuses tries once more, and says how much is lost."""
    store = Store.open(url, hooks=turnstile.hooks, fault_injection=turnstile.fault_injection)
    turnstile.fail = refuse
    for operation in (epoch(), read(2), read(3)):
        store.submit(operation).result(SOON)
    assert store.close() == Unwritten(lost=3)


def test_closing_while_down_writes_what_it_can(url: str, turnstile: Turnstile) -> None:
    """If the store takes writes again by then, nothing is lost."""
    store = Store.open(url, hooks=turnstile.hooks, fault_injection=turnstile.fault_injection)
    turnstile.fail = refuse
    for operation in (epoch(), read(2)):
        store.submit(operation).result(SOON)
    turnstile.fail = None
    assert store.close() == Unwritten()


def test_after_closing_nothing_is_taken(url: str) -> None:
    """A late operation is refused with that reason."""
    store = Store.open(url)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.submit(read(2)).result(SOON)


def test_an_answer_cannot_be_cancelled(watched: Store, turnstile: Turnstile) -> None:
    """A submitted operation is written, even if its caller stops waiting."""
    turnstile.hold()
    future = watched.submit(read(2))
    assert not future.cancel()
    turnstile.release()
    assert future.result(SOON) is Written.COMMITTED


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_locked_file_defers(watched: Store, turnstile: Turnstile, url: str) -> None:
    """A database that another program holds locked is a store that refuses writes."""
    other = sqlite3.connect(str(make_url(url).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert [watched.submit(read(seq)).result(SOON) for seq in (2, 3, 4)] == [Written.DEFERRED] * 3
    assert turnstile.hear() == "locked by another program"
    other.execute("COMMIT")
    other.close()
    turnstile.retry()
    assert turnstile.hear() == "recovered"
    assert seqs(watched) == [2, 3, 4]


def test_a_full_disk_defers(tmp_path: Path, turnstile: Turnstile) -> None:
    """A full disk is waited out, and the file is sound afterwards."""
    url = f"sqlite:///{tmp_path / 'small.db'}"
    store = Store.open(url, hooks=turnstile.hooks, fault_injection=turnstile.fault_injection)
    store.submit(epoch()).result(SOON)
    _limit_pages(store, extra=2)
    answered = [store.submit(fires(seq)).result(SOON) for seq in range(2, 60)]
    assert (turnstile.hear(), answered[-1]) == ("the disk is full", Written.DEFERRED)
    _limit_pages(store, extra=1_000)
    turnstile.retry()
    assert turnstile.hear() == "recovered"
    assert seqs(store) == list(range(2, 60))
    assert store.close() == Unwritten()
    with sqlite3.connect(tmp_path / "small.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def _limit_pages(store: Store, extra: int) -> None:
    """SQLite's page limit makes a real SQLITE_FULL; each new connection needs it again."""

    def limit(connection: sqlite3.Connection, _: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + extra}")

    store._writing.dispose()
    event.listen(store._writing, "connect", limit)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_lost_connection_defers(watched: Store, turnstile: Turnstile, url: str) -> None:
    """A server that drops the connection counts as refusing writes, until it takes them again."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()",
        )
    assert watched.submit(fires(2)).result(SOON) is Written.DEFERRED
    assert turnstile.hear() == "the server is stopping"
    turnstile.retry()
    assert turnstile.hear() == "recovered"
    assert watched.load(ACCOUNT).seq == 2


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_read_only_server_defers(watched: Store, turnstile: Turnstile, url: str) -> None:
    """A server that became read-only refuses writes, and takes them again when told to."""

    def set_read_only(connection: Connection, value: str) -> None:
        connection.exec_driver_sql(f"SET SESSION CHARACTERISTICS AS TRANSACTION READ {value}")
        connection.commit()

    with watched._writing.connect() as connection:
        set_read_only(connection, "ONLY")
    assert watched.submit(read(2)).result(SOON) is Written.DEFERRED
    assert turnstile.hear() == "read-only"
    with watched._writing.connect() as connection:
        set_read_only(connection, "WRITE")
    turnstile.retry()
    assert turnstile.hear() == "recovered"


def test_superseding_what_is_queued(watched: Store) -> None:
    """F7: a pass supersedes only what is queued."""
    answers([watched.submit(operation) for operation in (fires(2, ("phone", "mail")),)])
    claim = Claim(MessageKey("phone", T0 + 3_000), (key(),))
    answers([watched.submit(claim), watched.submit(Supersede(T0 + 4_000, (key(), key("mail"))))])
    assert [kept.notice.key.channel for kept in watched.open_notices()] == ["phone"]
