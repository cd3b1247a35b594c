"""Attempts are recorded before the call, and marked after it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from daemon.store import History, Store
from daemon.store.database.engine import parse, reading
from daemon.store.operations import (
    Claim,
    MessageKey,
    NoticeState,
    RecordAttempt,
    Reroute,
    Supersede,
    Withdraw,
)
from daemon.types import HOUR, AttemptResult, ClockStep, Message, Outcome, Record, Severity
from tests.store.records import ACCOUNT, fires, key, notice
from tests.values import T0

Write = Callable[..., None]
MESSAGE = MessageKey("phone", T0 + 3_000)


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    engine = reading(parse(url))
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(sql))]
    engine.dispose()
    return found


def test_an_attempt_stands_before_its_outcome(write: Write, url: str) -> None:
    """Promise 2: the attempt is recorded before the call, its outcome unknown until marked."""
    write(fires(2), Claim(MESSAGE, (key(),), Message("low", "margin 90", Severity.WARNING)))
    attempts = (
        "SELECT attempts.at, outcome, title, body FROM attempts JOIN messages ON messages.id ="
        " message_id"
    )
    assert query(url, attempts) == [(T0 + 3_000, None, "low", "margin 90")]
    write(
        RecordAttempt(
            MESSAGE, T0 + 4_000, AttemptResult(Outcome.LATER, "busy"), {key(): NoticeState.QUEUED}
        )
    )
    assert query(url, "SELECT done_at, outcome, detail FROM attempts") == [
        (T0 + 4_000, "later", "busy")
    ]


def test_each_attempt_is_a_message_of_its_own(store: Store, write: Write) -> None:
    """A retry joined with news is another message, and the notification counts its attempts."""
    write(fires(2))
    for n in range(3):
        message = MessageKey("phone", T0 + 3_000, n)
        write(Claim(message, (key(),)))
        write(
            RecordAttempt(
                message, T0 + 4_000, AttemptResult(Outcome.LATER), {key(): NoticeState.QUEUED}
            )
        )
    assert [kept.attempts for kept in store.open_notices()] == [3]


def test_a_crash_between_is_claimed_again(store: Store, write: Write) -> None:
    """F1: a message being sent when the daemon ended is sent again, as a new message."""
    again = MessageKey("phone", T0 + 60_000)
    delivered = RecordAttempt(
        again, T0 + 61_000, AttemptResult(Outcome.DELIVERED), {key(): NoticeState.DELIVERED}
    )
    write(fires(2), Claim(MESSAGE, (key(),)), Claim(again, (key(),)))
    assert [(kept.state, kept.told_at) for kept in store.open_notices()] == [
        (NoticeState.SENDING, T0 + 60_000)
    ]
    write(delivered)
    assert store.open_notices() == []


def test_a_hand_over_is_one_transaction(store: Store, write: Write) -> None:
    """F3: the refusal and the notifications for other channels commit together."""
    handed = notice(key("mail"), handed_over_by="phone")
    refused = RecordAttempt(
        MESSAGE, T0 + 4_000, AttemptResult(Outcome.REFUSED), {key(): NoticeState.REFUSED}, (handed,)
    )
    write(fires(2), Claim(MESSAGE, (key(),)), refused)
    assert [kept.notice for kept in store.open_notices()] == [handed]


def test_giving_up_without_an_attempt(store: Store, write: Write) -> None:
    """F3: news of a parked channel goes to the others at once."""
    handed = notice(key("mail"), handed_over_by="phone")
    write(fires(2), Reroute(T0 + 4_000, (handed,), refused=(key(),)))
    assert [kept.notice for kept in store.open_notices()] == [handed]


def test_f7_what_was_superseded_on_its_way_to_the_call_is_being_sent(
    store: Store, write: Write, url: str
) -> None:
    """Promise 3: the message leaves, so after a crash its channel may know."""
    write(fires(2), Supersede(T0 + 2_500, (key(),)), Claim(MESSAGE, (key(),)))
    with History.open(url) as history:
        assert [past.state for past in history.notifications(T0, T0 + 9_000)] == [
            NoticeState.SENDING
        ]
    assert [each.told.told_at for each in store.episode_deliveries()] == [MESSAGE.at]


def test_what_is_final_is_not_claimed(write: Write, url: str) -> None:
    """A notification given up stays so."""
    write(fires(2), Reroute(T0 + 2_500, (), refused=(key(),)), Claim(MESSAGE, (key(),)))
    with History.open(url) as history:
        assert [past.state for past in history.notifications(T0, T0 + 9_000)] == [
            NoticeState.REFUSED
        ]


def test_promise_2_what_a_channel_gave_up_it_gets_again(write: Write, url: str) -> None:
    """If no other channel has it; a hand-over written again changes nothing since."""
    there = Reroute(T0 + 2_500, (notice(key("mail"), handed_over_by="phone"),), refused=(key(),))
    back = Reroute(T0 + 4_000, (notice(key(), handed_over_by="mail"),), refused=(key("mail"),))
    write(fires(2), there, back)
    assert states(url) == {"phone": NoticeState.QUEUED, "mail": NoticeState.REFUSED}
    write(Supersede(T0 + 5_000, (key(),)), back)
    assert states(url) == {"phone": NoticeState.SUPERSEDED, "mail": NoticeState.REFUSED}


def states(url: str) -> dict[str, NoticeState]:
    """The state of each channel's notification."""
    with History.open(url) as history:
        return {
            past.notice.key.channel: past.state for past in history.notifications(T0, T0 + 9_000)
        }


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_mark_without_a_claim_is_passed_over(
    store: Store, write: Write, outcome: Outcome
) -> None:
    """A sent message is a fact even if nothing of it is recorded."""
    write(RecordAttempt(MESSAGE, T0, AttemptResult(outcome), {key(): NoticeState.DELIVERED}))
    assert store.open_notices() == []


def test_the_first_outcome_counts(write: Write, url: str) -> None:
    """A mark that is written again does not overwrite what happened since."""
    later = RecordAttempt(
        MESSAGE, T0 + 4_000, AttemptResult(Outcome.LATER), {key(): NoticeState.QUEUED}
    )
    again = MessageKey("phone", T0 + 5_000)
    delivered = RecordAttempt(
        again, T0 + 6_000, AttemptResult(Outcome.DELIVERED), {key(): NoticeState.DELIVERED}
    )
    write(fires(2), Claim(MESSAGE, (key(),)), later, Claim(again, (key(),)), delivered, later)
    with History.open(url) as history:
        assert [past.state for past in history.notifications(T0, T0 + 9_000)] == [
            NoticeState.DELIVERED
        ]


AGAIN = MessageKey("phone", T0 + 5_000)
NEVER = Withdraw(MESSAGE, T0 + 4_000)
STATES = "SELECT state, attempts, message_id, told_at FROM notifications"
OUTCOMES = "SELECT outcome, done_at FROM attempts ORDER BY id"


def test_strict_1_what_is_withdrawn_waits_as_if_nothing_had_been_claimed(
    store: Store, write: Write, url: str
) -> None:
    """Strict 1, F7: the attempt is marked as not made; the next is the first, and no repeat."""
    write(fires(2), Claim(MESSAGE, (key(),)), NEVER, NEVER)
    assert query(url, STATES) == [("queued", 0, None, None)]
    assert query(url, OUTCOMES) == [("never_made", T0 + 4_000)]
    assert [kept.maybe_repeat for kept in store.open_notices()] == [False]
    write(Claim(AGAIN, (key(),)))
    assert query(url, "SELECT state, attempts FROM notifications") == [("sending", 1)]


def test_strict_1_a_claim_that_is_withdrawn_unrecorded_changes_nothing(
    write: Write, url: str
) -> None:
    """Strict 1: its commit failed; a later claim of the same news and outcomes stay untouched."""
    write(fires(2), NEVER, Claim(MESSAGE, (key(),)), Claim(AGAIN, (key(),)), NEVER)
    assert query(url, "SELECT state, attempts FROM notifications") == [("sending", 2)]
    assert query(url, OUTCOMES) == [("never_made", T0 + 4_000), (None, None)]
    write(
        RecordAttempt(
            AGAIN, T0 + 6_000, AttemptResult(Outcome.DELIVERED), {key(): NoticeState.DELIVERED}
        ),
        Withdraw(AGAIN, T0),
    )
    assert query(url, "SELECT state FROM notifications") == [("delivered",)]


@pytest.mark.parametrize("recorded", ["before", "after", "never"])
def test_a5_an_instant_that_is_told_by_its_alert_moves_with_every_step(
    write: Write, url: str, recorded: str
) -> None:
    """A5, Strict 1: a clock step before or after the commit of an outcome has the same effect."""
    delivered = RecordAttempt(
        MESSAGE,
        T0,
        AttemptResult(Outcome.DELIVERED),
        {key(): NoticeState.DELIVERED},
        told={key(): 1_500},
    )
    begun = fires(2)
    (first,) = begun.alerts
    moved_alert = replace(first, started_at=first.started_at + HOUR)
    step = Record(ACCOUNT, ClockStep(3, T0 + HOUR, HOUR), alerts=(moved_alert,))
    write(begun, Claim(MESSAGE, (key(),)))
    write(
        *{"before": (step, delivered), "after": (delivered, step), "never": (delivered,)}[recorded]
    )
    moved = 0 if recorded == "never" else HOUR
    assert query(url, "SELECT told_at FROM notifications") == [(first.started_at + 1_500 + moved,)]
