"""Reports that are due: waiting in the store until they are delivered or superseded."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from daemon.store import Store, upgrade
from daemon.store.database.engine import parse, reading, writing
from daemon.store.database.migrate import HEAD, revision
from daemon.store.operations import (
    Claim,
    MessageKey,
    RecordAttempt,
    ReportKey,
    ScheduleReports,
    Withdraw,
)
from daemon.store.write.reports import OpenReport
from daemon.types import DAY, AttemptResult, Message, Outcome, Severity
from tests.store.records import epoch
from tests.values import T0

Write = Callable[..., None]
DAILY, MAILED = ReportKey("daily", T0, "phone"), ReportKey("daily", T0, "mail")
NEXT = ReportKey("daily", T0 + DAY, "phone")
FIRST, SECOND = MessageKey("phone", T0 + 1_000), MessageKey("phone", T0 + 60_000)
TEXT = Message("REPORT daily: all quiet", "all quiet", Severity.INFO)


def rows(url: str, columns: str) -> list[tuple[Any, ...]]:
    engine = reading(parse(url))
    with engine.connect() as connection:
        found = [
            tuple(row)
            for row in connection.execute(text(f"SELECT {columns} FROM reports ORDER BY id"))
        ]
    engine.dispose()
    return found


def ended(outcome: Outcome, message: MessageKey = FIRST) -> RecordAttempt:
    return RecordAttempt(message, message.at + 500, AttemptResult(outcome), {}, report=DAILY)


def test_a_report_waits_from_when_it_is_issued(store: Store, write: Write) -> None:
    """Promise 2: once for each of its channels, however often it is issued."""
    write(ScheduleReports(T0, (DAILY, MAILED)), ScheduleReports(T0 + 5, (DAILY,)))
    assert store.open_reports() == [
        OpenReport(DAILY, maybe_repeat=False),
        OpenReport(MAILED, maybe_repeat=False),
    ]


def test_an_attempt_stands_before_its_outcome(store: Store, write: Write, url: str) -> None:
    """F7: claimed before the call, with its text; delivered after it."""
    write(ScheduleReports(T0, (DAILY,)), Claim(FIRST, (), TEXT, DAILY))
    assert rows(url, "state, attempts, done_at") == [("sending", 1, None)]
    write(ended(Outcome.DELIVERED))
    assert rows(url, "state, attempts, done_at, told_at") == [
        ("delivered", 1, T0 + 1_500, T0 + 1_500)
    ]
    assert store.open_reports() == []


def test_what_did_not_arrive_waits_again(store: Store, write: Write, url: str) -> None:
    """F1: after `later` as if nothing had been tried, after `unknown` as what may have arrived."""
    write(ScheduleReports(T0, (DAILY,)), Claim(FIRST, (), TEXT, DAILY), ended(Outcome.LATER))
    assert [each.maybe_repeat for each in store.open_reports()] == [False]
    write(Claim(SECOND, (), TEXT, DAILY), ended(Outcome.UNKNOWN, SECOND))
    assert [each.maybe_repeat for each in store.open_reports()] == [True]
    assert rows(url, "state, attempts") == [("queued", 2)]


def test_strict_1_a_report_that_is_withdrawn_waits_as_if_nothing_had_been_claimed(
    store: Store, write: Write, url: str
) -> None:
    """Strict 1: unless it was superseded or delivered meanwhile."""
    never = Withdraw(FIRST, FIRST.at)
    write(ScheduleReports(T0, (DAILY,)), Claim(FIRST, (), TEXT, DAILY), never)
    assert rows(url, "state, attempts, message_id, told_at") == [("queued", 0, None, None)]
    assert [each.maybe_repeat for each in store.open_reports()] == [False]
    write(
        Claim(SECOND, (), TEXT, DAILY),
        ScheduleReports(T0 + 5_000, (), (DAILY,)),
        Withdraw(SECOND, SECOND.at),
    )
    assert rows(url, "state") == [("superseded",)]


def test_a_crash_in_between_leaves_a_doubt(store: Store, write: Write) -> None:
    """Promise 2: a report being sent at the crash is sent again, as a possible repeat."""
    write(ScheduleReports(T0, (DAILY,)), Claim(FIRST, (), TEXT, DAILY), epoch(at=T0 + 9_000, seq=2))
    assert store.open_reports() == [OpenReport(DAILY, maybe_repeat=True)]
    write(
        Claim(SECOND, (), TEXT, DAILY), ended(Outcome.LATER, SECOND), epoch(at=T0 + 99_000, seq=3)
    )
    assert store.open_reports() == [OpenReport(DAILY, maybe_repeat=True)]


def test_a_later_one_takes_the_place(store: Store, write: Write, url: str) -> None:
    """Only the newest is sent; one being sent is still delivered, or not tried again."""
    write(
        ScheduleReports(T0, (DAILY,)),
        Claim(FIRST, (), TEXT, DAILY),
        ScheduleReports(T0 + DAY, (NEXT,), (DAILY,)),
    )
    assert [each.key for each in store.open_reports()] == [NEXT]
    write(ended(Outcome.LATER))
    assert rows(url, "state") == [("superseded",), ("queued",)]
    write(Claim(SECOND, (), TEXT, DAILY), ended(Outcome.DELIVERED, SECOND))
    assert rows(url, "state") == [("delivered",), ("queued",)]


def test_what_is_delivered_is_not_issued_again(store: Store, write: Write) -> None:
    """A clock that is set back brings the same instant once more, not the same report."""
    write(
        ScheduleReports(T0, (DAILY,)),
        Claim(FIRST, (), TEXT, DAILY),
        ended(Outcome.DELIVERED),
        ScheduleReports(T0 + 60_000, (DAILY,)),
    )
    assert store.open_reports() == []


def test_reports_come_with_a_migration(url: str) -> None:
    """A database of 0.1.0 keeps its rows and gets the table, and what came after it."""
    store = Store.open(url)
    store.submit(epoch()).result(10)
    store.close()
    engine = writing(parse(url))
    with engine.begin() as connection:
        for table in ("reports", "rule_values", "miss_rollups", "pending_hours", "upkeep"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("ALTER TABLE attempts DROP COLUMN retry_after"))
        for column in ("sum", "covered_ms", "gap_ms", "exact"):
            connection.execute(text(f"ALTER TABLE rollups DROP COLUMN {column}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    upgrade(url)
    with engine.connect() as connection:
        assert revision(connection) == HEAD
        assert connection.scalar(text("SELECT count(*) FROM accounts")) == 1
    engine.dispose()
    assert rows(url, "id") == []
