"""Calls of different channels leave one after another."""

import asyncio
import threading
from collections.abc import Callable

import pytest
import requests

from daemon.notifiers.transport import answers
from daemon.notifiers.transport.bounded_calls import BoundedCalls
from daemon.notifiers.transport.send_turns import SendTurns
from tests.fakes import ManualClock, settle
from tests.notifiers.hostile import Hostile, Visit, no_call_is_left, request

LONG = 60.0
"""Longer than a test: so the turn was handed on."""


def channel(turns: SendTurns) -> BoundedCalls[bool]:
    return BoundedCalls(ManualClock(), 1000, bool, turns=turns)


async def both(first: Callable[[], bool], turns: SendTurns, began: threading.Event) -> bool:
    """Whether another channel's call ends while `first` goes on, once that has begun."""
    going_on = asyncio.ensure_future(channel(turns).run(first))
    assert await asyncio.to_thread(began.wait, LONG)
    other = await channel(turns).run(lambda: True)
    going_on.cancel()
    return other is True


async def test_a_call_begins_when_the_one_before_is_away() -> None:
    """It does not slow down the call that came first."""
    turns, going, release = SendTurns(LONG), threading.Event(), threading.Event()
    began: list[str] = []

    def work(name: str) -> bool:
        began.append(name)
        going.set()
        return release.wait(LONG)

    first = asyncio.ensure_future(channel(turns).run(lambda: work("first")))
    assert await asyncio.to_thread(going.wait, LONG)
    second = asyncio.ensure_future(channel(turns).run(lambda: work("second")))
    await settle()
    assert began == ["first"]
    release.set()
    assert [await first, await second, began] == [True, True, ["first", "second"]]


async def test_a_failure_hands_on_the_turn() -> None:
    """Whatever becomes of a call, the next one begins."""
    turns = SendTurns(LONG)
    with pytest.raises(ZeroDivisionError):
        await channel(turns).run(lambda: bool(1 / 0))
    assert await channel(turns).run(lambda: True) is True


async def test_a_call_that_waits_for_its_answer_is_away() -> None:
    """F2: a receiver that never answers holds up no other channel."""
    answers.install()
    asked = threading.Event()

    def silent(visit: Visit) -> None:
        request(visit)
        asked.set()
        visit.hang()

    with Hostile(silent).serving() as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert await both(lambda: requests.post(url, b"x", timeout=LONG).ok, SendTurns(LONG), asked)
    no_call_is_left()


async def test_a_call_that_is_never_away_holds_up_another_one_for_its_lead_only() -> None:
    """F2: its connection may hang; the next call takes over the turn."""
    began, release = threading.Event(), threading.Event()

    def hang() -> bool:
        began.set()
        return release.wait(LONG)

    assert await both(hang, SendTurns(lead=0), began)
    release.set()
    no_call_is_left()


def test_only_the_call_whose_turn_it_is_hands_it_on() -> None:
    """One that was overtaken must not let a third one in beside the second."""
    turns = SendTurns(lead=0)
    first, second, third, fourth = (object() for _ in range(4))
    assert turns.begin(first)
    assert not turns.begin(second)
    turns.away(first)
    assert not turns.begin(third)
    turns.away(third)
    assert turns.begin(fourth)
