"""The past, by the page (daemon/store/history.py, past.py, status.py)."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import make_url

from daemon.store import History, Store
from daemon.store import history as history_module
from daemon.store.operations import (
    Claim,
    MessageKey,
    NoticeState,
    RecordAttempt,
    Reroute,
    SetUserId,
)
from daemon.store.read import replay as streaming_module
from daemon.store.read.recorded import PastAlert, PastGap
from daemon.store.read.replay import Replayed
from daemon.types import (
    AttemptResult,
    ClockStep,
    Gap,
    GapReason,
    Message,
    Millis,
    Outcome,
    Quality,
    Record,
    Severity,
    State,
    Unconfirmed,
)
from tests.store.records import ACCOUNT, alert, clears, epoch, fires, key, notice, read, transition
from tests.values import T0, ending, miss, reading

Write = Callable[..., None]
LATER = T0 + 100_000


@pytest.fixture
def history(store: Store, url: str) -> Iterator[History]:
    with History.open(url) as opened:
        yield opened


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "PAGE", 2)
    monkeypatch.setattr(streaming_module, "PAGE", 2)


def test_readings_come_in_the_order_of_time(
    history: History, write: Write, small_pages: None
) -> None:
    """For several accounts, across pages, of any quality, in a half-open span."""
    write(epoch("main", "other", at=T0, seq=1, reason="reload"))
    write(
        *(read(seq) for seq in range(2, 9)),
        *(read(seq, T0 + 500 + seq * 1_000, "other") for seq in range(2, 6)),
    )
    write(Record(ACCOUNT, reading(9, T0 + 8_000, Quality.STALE)))
    found = [
        (name, one.seq)
        for name, one in history.readings(["main", "other", "ghost"], T0 + 3_000, T0 + 8_000)
    ]
    main, other = [("main", seq) for seq in range(3, 8)], [("other", seq) for seq in range(3, 6)]
    assert found == [main[0], other[0], main[1], other[1], main[2], other[2], *main[3:]]
    assert [one.seq for _, one in history.readings(["main"], T0 + 8_000, LATER)] == [8, 9]


def test_readings_of_one_instant_are_all_found(
    history: History, write: Write, small_pages: None
) -> None:
    """A page that ends between two readings of one instant loses none."""
    write(*(read(seq, T0 + 1_000) for seq in range(2, 9)))
    assert [one.seq for _, one in history.readings([ACCOUNT], T0, LATER)] == list(range(2, 9))


def test_a1_inputs_come_in_the_order_of_replay(
    history: History, write: Write, small_pages: None
) -> None:
    """A1: readings, misses, unconfirmed readings and clock steps, by their counter."""
    suspect = reading(4, T0 + 4_000, Quality.SUSPECT)
    inputs: list[Replayed] = [
        reading(2, T0 + 2_000),
        miss(3, T0 + 3_000),
        suspect,
        Unconfirmed(5, T0 + 7_000, suspect),
        ClockStep(6, T0 + 1_000, -6_000),
        reading(7, T0 + 2_000),
    ]
    write(*(Record(ACCOUNT, each) for each in inputs))
    write(ending(Gap(ACCOUNT, 7, T0 + 1_000, T0 + 2_000, GapReason.SUSPENDED)))
    assert list(history.inputs(ACCOUNT, after=0)) == inputs
    assert list(history.inputs(ACCOUNT, after=3, until=6)) == inputs[2:5]
    assert list(history.inputs("ghost", after=0)) == []


def test_a_pruned_suspect_is_rebuilt(history: History, write: Write) -> None:
    """An unconfirmed row has its suspect's values, should the suspect's own row be gone."""
    suspect = reading(2, T0 + 2_000, Quality.SUSPECT, available_margin="0")
    write(Record(ACCOUNT, Unconfirmed(3, T0 + 5_000, suspect)))
    expected = replace(suspect, seq=3, at=T0 + 5_000)
    assert list(history.inputs(ACCOUNT, after=0)) == [Unconfirmed(3, T0 + 5_000, expected)]


def test_alerts_come_with_their_transitions(
    history: History, write: Write, small_pages: None
) -> None:
    """Alerts that had not ended before the span, in order."""
    write(fires(2), clears(3), fires(4), clears(5, 4), fires(6))
    ended = transition(4, T0 + 5_000, "120", State.RESOLVED)
    second = PastAlert(
        ACCOUNT, alert(4, State.RESOLVED, ended_at=T0 + 5_000), (transition(4, T0 + 4_000), ended)
    )
    third = PastAlert(ACCOUNT, alert(6), (transition(6, T0 + 6_000),))
    assert list(history.alerts(T0 + 4_000, LATER)) == [second, third]
    assert list(history.alerts(T0 + 4_000, T0 + 6_000)) == [second]


def test_notifications_tell_how_they_fared(
    history: History, write: Write, small_pages: None
) -> None:
    """State, attempts, and of the last attempt its message, its outcome and what it said."""
    message, text = MessageKey("phone", T0 + 3_000), Message("title", "body", Severity.WARNING)
    refused = RecordAttempt(
        message,
        T0 + 4_000,
        AttemptResult(Outcome.REFUSED, "chat not found"),
        {key(): NoticeState.REFUSED},
    )
    write(fires(2, ("phone", "mail", "desk")), Claim(message, (key(),), text), refused)
    first, *others = history.notifications(T0, LATER)
    assert (first.notice, first.state, first.done_at) == (notice(), NoticeState.REFUSED, T0 + 4_000)
    assert (first.attempts, first.detail, first.tried_at) == (1, "chat not found", T0 + 3_000)
    assert (first.outcome, first.message, first.title, first.told_at) == (
        Outcome.REFUSED,
        1,
        "title",
        None,
    )
    assert [(each.notice.key.channel, each.attempts, each.detail) for each in others] == [
        ("mail", 0, ""),
        ("desk", 0, ""),
    ]


def test_the_last_moves_and_notifications_of_a_rule(history: History, write: Write) -> None:
    """A number of them up to an instant, in order of recording, of this account and these rules."""
    write(epoch("main", "other", at=T0, seq=1, reason="reload"))
    write(fires(2), clears(3), fires(4), clears(5, 4), fires(6), read(2, account="other"))
    moves = history.last_moves(ACCOUNT, ("low", "low:flapping"), T0 + 5_000, 3)
    assert [(each.transition.at - T0, each.transition.to_state) for each in moves] == [
        (3_000, State.RESOLVED),
        (4_000, State.FIRING),
        (5_000, State.RESOLVED),
    ]
    assert [each.alert.judged for each in moves] == [alert().judged] * 3
    told = history.last_notifications(ACCOUNT, ("low",), T0 + 5_000, 1)
    assert [(each.notice.key, each.tried_at) for each in told] == [(key(seq=4, alert_seq=4), None)]
    for account, rule in (("other", "low"), ("ghost", "low"), (ACCOUNT, "high"), ("", "low")):
        assert history.last_moves(account, (rule,), LATER, 3) == []
        assert history.last_notifications(account, (rule,), LATER, 3) == []


def test_gaps_that_touch_the_span(history: History, write: Write) -> None:
    """Downtime and clock steps, with what they missed."""
    gap = Gap(ACCOUNT, 2, T0 + 1_000, T0 + 9_000, GapReason.DAEMON_DOWN, 2)
    write(ending(gap), Record(ACCOUNT, ClockStep(3, T0 + 20_000, 10_000)))
    down = PastGap(ACCOUNT, 2, T0 + 1_000, T0 + 9_000, GapReason.DAEMON_DOWN, 2, None)
    step = PastGap(ACCOUNT, 3, T0 + 20_000, T0 + 20_000, GapReason.CLOCK_STEP, 0, 10_000)
    assert list(history.gaps(T0, LATER)) == [down, step]
    assert list(history.gaps(T0 + 10_000, LATER)) == [step]


def test_status_tells_the_last_of_everything(history: History, write: Write) -> None:
    """An account's state: last reading and miss, counts of a day, open alerts."""
    write(epoch("main", "other", at=T0, seq=1, reason="reload"), SetUserId(ACCOUNT, "1162061"))
    write(read(2, at=T0 - 86_400_001), fires(3), Record(ACCOUNT, miss(4, T0 + 4_000)))
    main, other = history.status(T0)
    assert (main.account, main.exchange, main.user_id) == (ACCOUNT, "coinw", "1162061")
    assert (main.reading, main.miss) == (reading(3, T0 + 3_000), miss(4, T0 + 4_000))
    assert (main.readings, main.misses, main.alerts) == (1, 1, {"low": alert(3)})
    assert (other.account, other.user_id, other.reading, other.miss, other.readings) == (
        "other",
        "",
        None,
        None,
        0,
    )


def test_what_waits_is_found_by_itself(history: History, write: Write, small_pages: None) -> None:
    """Queued or sending notifications of any age, without delivered ones."""
    message = MessageKey("mail", T0 + 3_000)
    mail = key("mail")
    delivered = RecordAttempt(
        message, T0 + 4_000, AttemptResult(Outcome.DELIVERED), {mail: NoticeState.DELIVERED}
    )
    write(
        fires(2, ("phone", "mail")),
        Claim(message, (mail,)),
        delivered,
        clears(3),
        fires(4, ("phone",)),
    )
    write(Claim(MessageKey("phone", T0 + 5_000), (key(),)))
    found = [
        (each.notice.key, each.state) for each in history.notifications(T0, LATER, waiting=True)
    ]
    again = key(seq=4, alert_seq=4)
    assert found == [(key(), NoticeState.SENDING), (again, NoticeState.QUEUED)]


def test_f3_what_was_handed_over_says_to_whom(history: History, write: Write) -> None:
    """F3, F4: channels given this news instead; delivered news was given to none."""
    write(fires(2), clears(3), fires(4))
    handed = tuple(notice(key(name), handed_over_by="phone") for name in ("mail", "desk"))
    write(Reroute(T0 + 5_000, handed, refused=(key(),)))
    found = {each.notice.key: each.handed_to for each in history.notifications(T0, LATER)}
    again = key(seq=4, alert_seq=4)
    assert found == {key(): ("mail", "desk"), again: (), key("mail"): (), key("desk"): ()}


def test_accounts_in_the_order_of_their_appearance(history: History, write: Write) -> None:
    """Every account that was ever recorded."""
    write(epoch("other", at=T0 + 1, reason="reload"))
    assert history.accounts() == ["main", "other"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_reader_between_pages_holds_nothing(
    history: History, write: Write, url: str, small_pages: None
) -> None:
    """A reader that pauses does not make the WAL grow: all of it can be checkpointed meanwhile."""
    write(*(read(seq) for seq in range(2, 9)))
    paused = history.readings([ACCOUNT], T0, LATER)
    next(paused)
    write(*(read(seq) for seq in range(9, 19)))
    with sqlite3.connect(str(make_url(url).database)) as connection:
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.close()
    assert busy == 0
    assert len(list(paused)) == 16


def test_b5_of_an_unconfirmed_reading_the_suspect_that_nothing_settled_is_found(
    history: History, write: Write
) -> None:
    """B5: one that was confirmed long ago is not taken for it, where its own row was lost."""
    confirmed = reading(2, T0 + 2_000, Quality.SUSPECT, available_margin="0")
    write(Record(ACCOUNT, confirmed), Record(ACCOUNT, reading(3, T0 + 3_000, Quality.CONFIRMED)))
    lost = reading(4, T0 + 4_000, Quality.SUSPECT, available_margin="7")
    write(Record(ACCOUNT, Unconfirmed(5, T0 + 7_000, lost)))
    expected = replace(lost, seq=5, at=T0 + 7_000)
    assert list(history.inputs(ACCOUNT, after=3)) == [Unconfirmed(5, T0 + 7_000, expected)]


def test_what_a_channel_knew_of_an_alert_is_told_for_any_instant(
    history: History, write: Write
) -> None:
    """What was settled only later still waited then; other alerts add nothing."""
    write(fires(2), fires(4))
    claim = MessageKey("phone", T0 + 5_000, 1)
    message = Message("title", "body", Severity.WARNING)
    delivered = AttemptResult(Outcome.DELIVERED)
    write(Claim(claim, (key(),), message))
    write(RecordAttempt(claim, T0 + 6_000, delivered, {key(): NoticeState.DELIVERED}))

    def known(at: Millis, seq: int = 2) -> dict[str, tuple[bool, bool, Millis | None]]:
        told = history.channel_status(ACCOUNT, "low", seq, at).items()
        return {name: (each.waiting is not None, each.sure, each.told_at) for name, each in told}

    assert known(T0 + 1_000) == {}
    assert known(T0 + 5_500)["phone"] == (True, False, None)
    assert known(LATER)["phone"] == (False, True, T0 + 6_000)
    assert known(LATER, seq=4)["phone"] == (True, False, None)
    assert history.channel_status("ghost", "low", 2, LATER) == {}
