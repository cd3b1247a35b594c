"""Records that cause notifications: refused if the silences changed (SEMANTICS F7, E2)."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from daemon.store import Store
from daemon.store.operations import (
    Claim,
    MessageKey,
    NoticeState,
    RecordAttempt,
    RecordWithClaims,
    Rejected,
    StaleSilences,
    Supersede,
    Written,
)
from daemon.store.write.silence_commands import Quiet
from daemon.types import (
    AttemptResult,
    Check,
    Kind,
    Message,
    Notice,
    NoticeKey,
    Outcome,
    Record,
    Severity,
    Silence,
)
from tests.store.records import ACCOUNT, alert, clears, epoch, fires, key, notice, read
from tests.values import T0

Write = Callable[..., None]
CLAIM = Claim(
    MessageKey("phone", T0 + 2_000), (key(),), Message("low", "margin 90", Severity.WARNING)
)
ASLEEP = Silence(
    1,
    ack=False,
    rule="low",
    account="*",
    code="",
    started_at=T0,
    ended_at=T0 + 60_000,
    comment="asleep",
)
KNOWN = Silence(1, ack=True, rule="low", account=ACCOUNT, code="k7m2", started_at=T0, ended_at=None)


def announced(
    store: Store, record: Record, *silences: Silence, claims: tuple[Claim, ...] = ()
) -> Written:
    future: Future[Written] = store.submit(RecordWithClaims(record, silences, claims))
    return future.result(10)


def test_f7_the_first_attempt_commits_with_what_causes_it(store: Store) -> None:
    """F7: the news is `sending`, its attempt has no outcome, and one commit did both."""
    assert announced(store, fires(2, ("phone", "mail")), claims=(CLAIM,)) is Written.COMMITTED
    kept = [(each.notice.key.channel, each.state, each.attempts) for each in store.open_notices()]
    assert kept == [("phone", NoticeState.SENDING, 1), ("mail", NoticeState.QUEUED, 0)]


@pytest.mark.parametrize(
    "known", [(), (ASLEEP, replace(ASLEEP, id=2)), (replace(ASLEEP, rule="*"),)]
)
def test_e2_nothing_is_written_by_silences_of_before(
    store: Store, url: str, known: tuple[Silence, ...]
) -> None:
    """E2: a silence added before the commit counts: the decision is made again."""
    Quiet(url).add(ASLEEP, T0)
    with pytest.raises(StaleSilences):
        announced(store, fires(2), *known, claims=(CLAIM,))
    assert (list(store.recent(ACCOUNT, T0)), store.open_notices()) == ([], [])
    assert announced(store, fires(2), ASLEEP) is Written.COMMITTED


@pytest.mark.parametrize("value", ["x'ff00'", "CAST(x'ff' AS TEXT)"])
@pytest.mark.parametrize("column", ["rule", "account", "comment", "started_at"])
def test_s12_a_damaged_silence_holds_no_alert_back(
    store: Store, url: str, column: str, value: str
) -> None:
    """S12: it is skipped, as its target is unknown; others hold, and the reading is recorded."""
    if not url.startswith("sqlite"):
        pytest.skip("PostgreSQL keeps no such value")
    for _ in range(2):
        Quiet(url).add(ASLEEP, T0)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute(f"UPDATE silences SET {column} = {value} WHERE id = 2")
    assert store.silences(T0) == [ASLEEP]
    assert announced(store, fires(2), ASLEEP, claims=(CLAIM,)) is Written.COMMITTED


def test_e2_silences_that_are_over_are_none(store: Store, url: str) -> None:
    """One that ended, by time or by hand, holds nothing back and is expected by nobody."""
    quiet = Quiet(url)
    quiet.add(replace(ASLEEP, ended_at=T0 + 1_000), T0)
    quiet.end([quiet.add(ASLEEP, T0)], T0 + 1_500)
    assert announced(store, fires(2)) is Written.COMMITTED


def test_what_was_written_is_not_overtaken_afterwards(store: Store, write: Write, url: str) -> None:
    """Writing twice is writing once, whatever was silenced between; its claim stands as it was."""
    announced(store, fires(2), claims=(CLAIM,))
    Quiet(url).add(ASLEEP, T0)
    assert announced(store, fires(2), claims=(CLAIM,)) is Written.COMMITTED
    assert [kept.attempts for kept in store.open_notices()] == [1]


def test_the_end_of_an_alert_is_decided_by_its_own_silence(
    store: Store, write: Write, url: str
) -> None:
    """A silence or an ack of one alert ends with it, and not before its end is written."""
    write(fires(2))
    Quiet(url).add(KNOWN, T0)
    assert announced(store, clears(3), KNOWN) is Written.COMMITTED
    assert announced(store, read(4)) is Written.COMMITTED


@pytest.mark.parametrize("unfit", [read(3, account="unknown"), replace(fires(3), alerts=())])
def test_one_that_fails_alone_leaves_nothing(store: Store, url: str, unfit: Record) -> None:
    """Half of it is not written either, and the next one is."""
    with pytest.raises(Rejected, match="this was not recorded"):
        announced(store, unfit)
    assert announced(store, fires(3)) is Written.COMMITTED
    assert [len(page) for page in store.recent(ACCOUNT, T0)] == [1]


def test_an_account_that_is_unknown_is_not_the_daemon(store: Store, write: Write) -> None:
    """Daemon alerts have no account: the name of an unrecorded account must not match them."""
    mine = NoticeKey("", "low", 2, "phone", Kind.FIRING, 2)
    told = Notice(mine, T0 + 2_000, notice().facts)
    write(Record("", Check(2, T0 + 2_000), (alert(2),), (), (told,)))
    write(Claim(MessageKey("phone", T0 + 3_000), (replace(mine, account="ghost"),)))
    assert [each.state for each in store.open_notices()] == [NoticeState.QUEUED]
    write(Claim(MessageKey("phone", T0 + 4_000), (mine,)))
    assert [each.state for each in store.open_notices()] == [NoticeState.SENDING]


@pytest.fixture
def executed() -> Iterator[list[tuple[str, Any]]]:
    """The executed statements, with their parameters."""
    found: list[tuple[str, Any]] = []

    def keep(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        found.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", keep)
    yield found
    event.remove(Engine, "before_cursor_execute", keep)


def test_no_alert_is_searched_for_among_all(
    tmp_path: Path, executed: list[tuple[str, Any]]
) -> None:
    """However many there were: what is told, claimed and marked finds its alert by an index."""
    store = Store.open(f"sqlite:///{tmp_path}/watch.db")
    store.submit(epoch()).result(10)
    executed.clear()
    mark = RecordAttempt(
        CLAIM.message, T0 + 3_000, AttemptResult(Outcome.DELIVERED), {key(): NoticeState.DELIVERED}
    )
    for operation in (
        fires(2),
        CLAIM,
        mark,
        Supersede(T0, (key(),)),
        replace(clears(3), alerts=()),
    ):
        store.submit(operation).result(10)
    store.close()
    connection = sqlite3.connect(tmp_path / "watch.db")
    steps = [
        step
        for statement, parameters in executed
        if statement.startswith(("SELECT", "UPDATE"))
        for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
    ]
    connection.close()
    assert len(steps) > 10
    assert [step for step in steps if step.startswith("SCAN")] == []
