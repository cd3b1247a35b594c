"""When a connection is worth keeping: the policy of a push stream, without any connection."""

import pytest

from daemon.exchanges.common.stream_protocol import Accepted, Heard, Nothing, Pong, Pushed, Subscribed, Unusable
from daemon.exchanges.common.stream_session import (
    ANSWER_WITHIN,
    PING_EVERY,
    PONG_WITHIN,
    STEADY,
    Lifeline,
    Say,
    Stage,
    Wait,
    begun,
    heard,
    move,
    said,
)
from daemon.types import SECOND, Millis, MissReason, NoAnswer

T: Millis = 1_000_000
PUSH = Pushed(())


def line(*steps: Heard | Say, now: Millis = T) -> Lifeline:
    found = begun(now)
    for step in steps:
        found = said(found, step, now) if isinstance(step, Say) else heard(found, step, now)
    return found


UP = (Accepted(), Say.SUBSCRIBE, Subscribed())


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), Wait(ANSWER_WITHIN)),
        ((Accepted(),), Say.SUBSCRIBE),
        ((PUSH,), Say.SUBSCRIBE),
        ((Accepted(), Say.SUBSCRIBE), Wait(ANSWER_WITHIN)),
        (UP, Wait(PING_EVERY)),
        ((Accepted(), Say.SUBSCRIBE, PUSH), Wait(PING_EVERY)),
        ((*UP, Say.PING), Wait(PONG_WITHIN)),
        ((*UP, Say.PING, Pong()), Wait(PING_EVERY)),
        ((*UP, Unusable("x"), Nothing()), Wait(PING_EVERY)),
    ],
)
def test_what_is_next(steps: tuple[Heard | Say, ...], expected: object) -> None:
    """Login, then subscription, then pings; what is no answer to them changes nothing."""
    assert move(line(*steps), T) == expected


def test_a_login_that_nobody_answers_is_followed_by_the_subscription() -> None:
    """Its answer may have a shape that nobody has seen: the first push will tell."""
    assert move(line(), T + ANSWER_WITHIN) is Say.SUBSCRIBE


def test_a_subscription_that_nobody_answers_ends_it() -> None:
    """Neither confirmed nor anything pushed."""
    lost = move(line(Accepted(), Say.SUBSCRIBE), T + ANSWER_WITHIN)
    assert isinstance(lost, NoAnswer)
    assert lost.reason is MissReason.TIMEOUT


def test_a_ping_every_fifteen_seconds() -> None:
    """Whatever is pushed meanwhile: a silent socket is not health, and a talking one no proof that it hears us."""
    up = line(*UP)
    assert move(up, T + PING_EVERY - 1) == Wait(1)
    assert move(heard(up, PUSH, T + PING_EVERY), T + PING_EVERY) is Say.PING


def test_a_missing_pong_ends_it() -> None:
    """Even where balances are still pushed."""
    waiting = heard(line(*UP, Say.PING), PUSH, T)
    assert move(waiting, T + PONG_WITHIN - 1) == Wait(1)
    lost = move(waiting, T + PONG_WITHIN)
    assert isinstance(lost, NoAnswer)
    assert lost.reason is MissReason.TIMEOUT


def test_pings_begin_before_the_login_is_answered() -> None:
    """A half-open connection is found out whatever it was doing."""
    assert move(line(Accepted(), Say.SUBSCRIBE, now=T), T + 5 * SECOND) == Wait(5 * SECOND)
    assert move(line(Say.PING), T + PONG_WITHIN) != Say.SUBSCRIBE


def test_what_is_known_to_work() -> None:
    """A push is the proof; without one it has to last. Before it is up, nothing is known."""
    quiet, told = line(*UP), line(*UP, PUSH)
    assert [quiet.works(T), quiet.works(T + STEADY), told.works(T), line(PUSH).works(T)] == [False, True, True, False]
    assert [told.steady(T), told.steady(T + STEADY), line().steady(T + STEADY)] == [False, True, False]


def test_a_confirmation_that_nobody_asked_for_is_none() -> None:
    """The stages come in order."""
    assert line(Subscribed()).stage is Stage.LOGIN
    assert line(*UP, Accepted()).stage is Stage.UP
