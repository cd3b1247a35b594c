"""When a connection is worth keeping: the policy of a push stream, without any connection."""

import pytest

from daemon.exchanges.common.stream_protocol import (
    Accepted,
    Ignored,
    Malformed,
    Pong,
    Pushed,
    StreamEvent,
    Subscribed,
)
from daemon.exchanges.common.stream_session import (
    ANSWER_WITHIN,
    PING_EVERY,
    PONG_WITHIN,
    STEADY,
    Send,
    SessionStage,
    StreamSession,
    Wait,
    after_event,
    after_send,
    next_action,
    start_session,
)
from daemon.types import SECOND, Millis, MissReason, NoAnswer

T: Millis = 1_000_000
PUSH = Pushed(())


def line(*steps: StreamEvent | Send, now: Millis = T) -> StreamSession:
    found = start_session(now)
    for step in steps:
        found = (
            after_send(found, step, now)
            if isinstance(step, Send)
            else after_event(found, step, now)
        )
    return found


UP = (Accepted(), Send.SUBSCRIBE, Subscribed())


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), Wait(ANSWER_WITHIN)),
        ((Accepted(),), Send.SUBSCRIBE),
        ((PUSH,), Send.SUBSCRIBE),
        ((Accepted(), Send.SUBSCRIBE), Wait(ANSWER_WITHIN)),
        (UP, Wait(PING_EVERY)),
        ((Accepted(), Send.SUBSCRIBE, PUSH), Wait(PING_EVERY)),
        ((*UP, Send.PING), Wait(PONG_WITHIN)),
        ((*UP, Send.PING, Pong()), Wait(PING_EVERY)),
        ((*UP, Malformed("x"), Ignored()), Wait(PING_EVERY)),
    ],
)
def test_what_is_next(steps: tuple[StreamEvent | Send, ...], expected: object) -> None:
    """Login, then subscription, then pings; what is no answer to them changes nothing."""
    assert next_action(line(*steps), T) == expected


def test_a_login_that_nobody_answers_is_followed_by_the_subscription() -> None:
    """Its answer may have a shape that nobody has seen: the first push will tell."""
    assert next_action(line(), T + ANSWER_WITHIN) is Send.SUBSCRIBE


def test_a_subscription_that_nobody_answers_ends_it() -> None:
    """Neither confirmed nor anything pushed."""
    lost = next_action(line(Accepted(), Send.SUBSCRIBE), T + ANSWER_WITHIN)
    assert isinstance(lost, NoAnswer)
    assert lost.reason is MissReason.TIMEOUT


def test_a_ping_every_fifteen_seconds() -> None:
    """Pushes do not replace a pong: they do not prove that the exchange hears us."""
    up = line(*UP)
    assert next_action(up, T + PING_EVERY - 1) == Wait(1)
    assert next_action(after_event(up, PUSH, T + PING_EVERY), T + PING_EVERY) is Send.PING


def test_a_missing_pong_ends_it() -> None:
    """Even where balances are still pushed."""
    waiting = after_event(line(*UP, Send.PING), PUSH, T)
    assert next_action(waiting, T + PONG_WITHIN - 1) == Wait(1)
    lost = next_action(waiting, T + PONG_WITHIN)
    assert isinstance(lost, NoAnswer)
    assert lost.reason is MissReason.TIMEOUT


def test_pings_begin_before_the_login_is_answered() -> None:
    """A half-open connection is found out whatever it was doing."""
    assert next_action(line(Accepted(), Send.SUBSCRIBE, now=T), T + 5 * SECOND) == Wait(5 * SECOND)
    assert next_action(line(Send.PING), T + PONG_WITHIN) != Send.SUBSCRIBE


def test_what_is_known_to_work() -> None:
    """A push is the proof; without one it has to last. Before it is up, nothing is known."""
    quiet, told = line(*UP), line(*UP, PUSH)
    assert [quiet.works(T), quiet.works(T + STEADY), told.works(T), line(PUSH).works(T)] == [
        False,
        True,
        True,
        False,
    ]
    assert [told.steady(T), told.steady(T + STEADY), line().steady(T + STEADY)] == [
        False,
        True,
        False,
    ]


def test_a_confirmation_that_nobody_asked_for_is_none() -> None:
    """The stages come in order."""
    assert line(Subscribed()).stage is SessionStage.LOGIN
    assert line(*UP, Accepted()).stage is SessionStage.UP
