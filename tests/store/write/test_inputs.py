"""An input commits with all it causes, once."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select

from daemon.store import History, Store
from daemon.store.database.engine import parse, reading
from daemon.store.operations import (
    Claim,
    EndEpoch,
    MessageKey,
    NoticeState,
    Operation,
    RecordAttempt,
    RecordCall,
    Rejected,
    Reroute,
    SetUserId,
    StoreDownGap,
    Supersede,
)
from daemon.store.schema import metadata
from daemon.store.write.apply import apply
from daemon.types import (
    Alert,
    AttemptResult,
    ClockStep,
    ConfigChange,
    Gap,
    GapReason,
    Message,
    Outcome,
    Quality,
    Record,
    Severity,
    State,
    Unconfirmed,
)
from tests.store.records import ACCOUNT, alert, clears, epoch, fires, key, notice, read, transition
from tests.values import T0, ending, miss
from tests.values import reading as a_reading

Write = Callable[..., None]

MESSAGE = MessageKey("phone", T0 + 3_000, 1)
SUSPECT = a_reading(6, T0 + 6_000, Quality.SUSPECT)

EVERYTHING: list[Operation] = [
    epoch("main", "other", at=T0 + 1, seq=1, reason="reload"),
    fires(2, ("phone", "mail", "desk")),
    Claim(MESSAGE, (key(),), Message("low-margin", "margin 90", Severity.WARNING)),
    RecordAttempt(
        MESSAGE,
        T0 + 4_000,
        AttemptResult(Outcome.REFUSED, "no"),
        {key(): NoticeState.REFUSED},
        (notice(key("sms")),),
    ),
    Reroute(T0 + 4_000, (notice(key("pager")),), (key("mail"),)),
    Supersede(T0 + 4_000, (key("desk"),)),
    Record(ACCOUNT, miss(3, T0 + 5_000)),
    Record(ACCOUNT, ClockStep(5, T0 + 5_000, 250)),
    Record(ACCOUNT, SUSPECT),
    Record(ACCOUNT, Unconfirmed(7, T0 + 9_000, SUSPECT)),
    Record(ACCOUNT, a_reading(10, T0 + 9_000, Quality.SUSPECT)),
    Record(ACCOUNT, a_reading(11, T0 + 9_000), contradicts=10),
    replace(clears(8), superseded=(key("pager"),)),
    ending(Gap(ACCOUNT, 9, T0 + 9_000, T0 + 60_000, GapReason.SUSPENDED, 10)),
    StoreDownGap("other", 30, T0 + 9_000, T0 + 60_000, 10, (alert(20),)),
    SetUserId(ACCOUNT, "1162061"),
    RecordCall(T0 + 9_000, "assets", "1162061"),
    EndEpoch(T0 + 90_000),
]
"""One of each, building on each other."""


def rows(url: str) -> dict[str, list[object]]:
    """Everything in the database."""
    engine = reading(parse(url))
    with engine.connect() as connection:
        found = {
            name: [
                tuple(map(str, row))
                for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            for name, table in metadata.tables.items()
        }
    engine.dispose()
    return {name: list(content) for name, content in found.items()}


def test_each_operation_leaves_its_rows(write: Write, url: str) -> None:
    """No table that the daemon writes is forgotten."""
    write(*EVERYTHING)
    counts = {name: len(content) for name, content in rows(url).items() if content}
    assert counts == {
        "accounts": 2,
        "snapshots": 6,
        "misses": 1,
        "gaps": 3,
        "alerts": 2,
        "transitions": 2,
        "notifications": 5,
        "messages": 1,
        "attempts": 1,
        "epochs": 2,
        "budget": 1,
    }


@pytest.mark.parametrize("operation", EVERYTHING, ids=lambda operation: type(operation).__name__)
def test_twice_is_once(write: Write, url: str, operation: Operation) -> None:
    """Each operation is idempotent: at once again, and after everything that followed."""
    for each in EVERYTHING:
        write(each)
        if each is operation:
            write(each)
    once = rows(url)
    write(operation)
    assert rows(url) == once


def test_all_twice_is_all_once(write: Write, url: str) -> None:
    """A whole backlog that was committed after all changes nothing when it is written again."""
    write(*EVERYTHING)
    once = rows(url)
    write(*EVERYTHING)
    assert rows(url) == once


def test_an_input_that_fails_halfway_leaves_nothing(store: Store, write: Write, url: str) -> None:
    """Promise 1: a reading whose notification cannot be stored is not stored either."""
    before = rows(url)
    half = replace(fires(2), notices=(notice(key(alert_seq=99)),))
    with pytest.raises(Rejected, match="knows no alert of rule low that began with input 99"):
        store.submit(half).result(10)
    assert rows(url) == before


def test_an_unknown_account_is_refused(store: Store) -> None:
    """An account appears with an epoch, never by the way."""
    with pytest.raises(Rejected, match="knows no account ghost"):
        store.submit(read(2, account="ghost")).result(10)


def test_alerts_of_the_daemon_itself_have_no_account(write: Write, url: str) -> None:
    """D7: an alert about a channel or the disk belongs to no account, and is one all the same."""
    ours = alert(1, rule="disk-full")
    record = Record("", ConfigChange(1, T0), (ours,))
    write(record, replace(record, alerts=(replace(ours, state=State.RESOLVED, ended_at=T0 + 1),)))
    with History.open(url) as history:
        [found] = history.alerts(T0, T0 + 10_000)
    assert (found.account, found.alert.state) == ("", State.RESOLVED)


def test_transitions_keep_their_digits(write: Write, url: str) -> None:
    """Promise 6: verification compares values exactly."""
    value = "0.1234567890123456789012345678"
    write(
        replace(
            fires(2),
            transitions=(transition(value=value), transition(value="Infinity", to=State.RESOLVED)),
        )
    )
    with History.open(url) as history:
        [found] = history.alerts(T0, T0 + 10_000)
    assert [each.value for each in found.transitions] == [Decimal(value), Decimal("Infinity")]


def test_an_alert_changes_in_place(write: Write, url: str) -> None:
    """One episode is one row, whose column `state` people can query."""
    worse: Alert = replace(alert(2), worst=Decimal(1))
    write(fires(2), replace(read(3), alerts=(worse,)))
    with History.open(url) as history:
        assert [each.alert for each in history.alerts(T0, T0 + 10_000)] == [worse]


def test_every_operation_is_known() -> None:
    """The one entry refuses what it does not know, instead of dropping it."""
    with pytest.raises(AssertionError):
        apply(None, None, "something")  # type: ignore[arg-type]


def test_b3_bookings_last_a_minute(store: Store, write: Write) -> None:
    """B3: calls that cannot matter any more are dropped."""
    write(RecordCall(T0, "assets"), RecordCall(T0 + 61_000, "assets"))
    assert store.external_calls(0) == [RecordCall(T0 + 61_000, "assets")]


def test_strict_7_a_booking_keeps_its_host(write: Write, store: Store) -> None:
    """Strict 7: and is read without one where an earlier version booked it."""
    booked = [RecordCall(T0, "assets", "7"), RecordCall(T0, "assets", "7", 0, "api.coinw.com:8443")]
    write(*booked)
    assert sorted(store.external_calls(0), key=lambda each: each.host) == booked


def test_b5_what_a_reading_contradicts_is_marked(store: Store, write: Write) -> None:
    """B5: only suspects of the present run; confirmed or judged ones stay as they were."""
    qualities = ("suspect", "confirmed", "suspect", "suspect", "ok")
    records = [
        Record(ACCOUNT, a_reading(seq, T0 + seq, Quality(each)))
        for seq, each in enumerate(qualities, 2)
    ]
    write(*records[:-1], replace(records[-1], contradicts=4))
    found = [each.quality for each in store.latest(ACCOUNT)]
    assert found == ["suspect", "confirmed", "contradicted", "contradicted", "ok"]
    assert store.latest("never seen") == []
