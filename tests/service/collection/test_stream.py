"""The push stream of one account: what it hands on, what it says of itself, and when it tries
again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from daemon.exchanges.common.stream_protocol import (
    Ignored,
    Malformed,
    Pong,
    Pushed,
    StreamEvent,
    Subscribed,
)
from daemon.exchanges.common.stream_session import STEADY, SessionStage, StreamSession
from daemon.log import FailureLog
from daemon.service.collection.stream import StreamCallbacks, StreamWorker
from daemon.types import SECOND, Answer, MissReason, NoAnswer
from tests.fakes import ManualClock
from tests.values import answer

CLOSED = NoAnswer(MissReason.NETWORK, "127.0.0.1 closed its push stream: reconnecting")
REFUSED = NoAnswer(MissReason.AUTH, "CoinW refused the login")
MINE = answer("7")
FOREIGN = answer("8")


class Told:
    """A connection on which this is heard, one thing a second; then nothing more."""

    def __init__(
        self, clock: ManualClock, heard: Sequence[StreamEvent], proven: bool = False
    ) -> None:
        self.line = StreamSession(clock.elapsed(), clock.elapsed(), SessionStage.UP, proven=proven)
        self.closed = False
        self._clock = clock
        self._heard = iter(heard)

    async def next(self) -> StreamEvent:
        await self._clock.sleep(SECOND)
        if (heard := next(self._heard, None)) is None:
            await asyncio.Event().wait()
            raise AssertionError
        return heard

    async def close(self) -> None:
        self.closed = True


@dataclass
class Scene:
    """A stream, what it finds when it connects, and what came of it."""

    clock: ManualClock = field(default_factory=ManualClock)
    script: list[Any] = field(default_factory=list)
    known: asyncio.Event = field(default_factory=asyncio.Event)
    tried: list[int] = field(default_factory=list)
    pushed: list[Answer] = field(default_factory=list)
    up: int = 0
    room: asyncio.Event = field(default_factory=asyncio.Event)
    made: list[Told] = field(default_factory=list)

    async def user_id(self) -> str:
        await self.known.wait()
        return "7"

    async def connect(self, user_id: str) -> Any:
        assert user_id == "7"
        self.tried.append(self.clock.elapsed())
        found = self.script.pop(0) if self.script else ()
        if isinstance(found, NoAnswer):
            return found
        self.made.append(
            Told(self.clock, found, proven=any(isinstance(each, Pushed) for each in found))
        )
        return self.made[-1]

    def rose(self) -> None:
        self.up += 1

    async def roomy(self) -> None:
        await self.room.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        callbacks = StreamCallbacks(
            self.user_id, self.connect, self.pushed.append, self.rose, self.roomy
        )
        episodes = FailureLog(logging.getLogger("stream"), self.clock)
        stream = StreamWorker("main", callbacks, self.clock, lambda: 0.0, episodes)
        task = asyncio.create_task(stream.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def snapshot(*script: object) -> Scene:
    made = Scene(script=list(script))
    made.room.set()
    made.known.set()
    return made


async def test_b7_pushes_are_handed_on_and_a_reading_follows_each_login() -> None:
    """B7: changes while nobody listened are read, once per connection."""
    it = snapshot([Subscribed(), Pushed((MINE,)), Pong(), CLOSED], [Subscribed()])
    async with it.running():
        await it.clock.advance(10 * SECOND)
        assert (it.pushed, it.up, len(it.tried)) == ([MINE], 2, 2)
        assert [each.closed for each in it.made] == [True, False]
    assert [each.closed for each in it.made] == [True, True]


async def test_b4_what_is_another_users_is_dropped_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """B4: however often it comes; what is the account's own beside it is taken."""
    it = snapshot([Pushed((FOREIGN,)), Pushed((FOREIGN, MINE)), Pushed((FOREIGN,))])
    async with it.running():
        await it.clock.advance(10 * SECOND)
    assert it.pushed == [MINE]
    assert [record.message for record in caplog.records] == [
        "ignored pushes for user 8: the account belongs to user 7, so check whose key it is"
    ]


async def test_b4_it_listens_once_it_is_known_whose_account_it_is() -> None:
    """B4: the first answer tells; until then a push may be anybody's."""
    it = snapshot([Pushed((MINE,))])
    it.known.clear()
    async with it.running():
        await it.clock.advance(10 * SECOND)
        assert it.tried == []
        it.known.set()
        await it.clock.advance(SECOND)
    assert it.pushed == [MINE]


async def test_what_cannot_be_used_is_said_once_with_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also a push that says two things of one account: which of them is true, nobody knows."""
    caplog.set_level(logging.INFO)
    it = snapshot(
        [
            Malformed("CoinW's push cannot be used: x"),
            Pushed((MINE, answer("7", al_freeze="9"))),
            Pushed((MINE,)),
        ]
    )
    async with it.running():
        await it.clock.advance(10 * SECOND)
    assert it.pushed == [MINE]
    assert [record.message for record in caplog.records] == [
        "CoinW's push cannot be used: x: polled readings are used",
        "pushes can be used again",
    ]


async def test_a_dead_stream_is_said_once_per_reason_and_once_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A push ends the outage, not a connect; the line says that polling goes on."""
    caplog.set_level(logging.INFO)
    it = snapshot(
        CLOSED, CLOSED, REFUSED, CLOSED, [Subscribed(), CLOSED], [Subscribed(), Pushed((MINE,))]
    )
    async with it.running():
        await it.clock.advance(120 * SECOND)
    assert [record.message for record in caplog.records] == [
        (
            "no pushes from the exchange, polling goes on: 127.0.0.1 closed its push stream:"
            " reconnecting"
        ),
        "no pushes from the exchange, polling goes on: CoinW refused the login",
        "balances are pushed again",
    ]


async def test_a_quiet_stream_that_lasts_is_back(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is pushed where nothing changes."""
    caplog.set_level(logging.INFO)
    it = snapshot(CLOSED, [Pong()] * (STEADY // SECOND))
    async with it.running():
        await it.clock.advance(STEADY)
        assert len(caplog.records) == 1
        await it.clock.advance(STEADY)
    assert caplog.records[-1].message == "balances are pushed again"


async def test_b2_a_refused_login_does_not_storm() -> None:
    """B2: ten tries in five minutes, then one every five."""
    it = snapshot(*[REFUSED] * 99)
    async with it.running():
        await it.clock.advance(300 * SECOND)
        assert len(it.tried) == 11
        await it.clock.advance(900 * SECOND)
    assert len(it.tried) == 14


async def test_a_crowd_of_pushes_waits_for_room() -> None:
    """A6: none is skipped; what the daemon cannot take yet stays with the exchange."""
    it = snapshot([Pushed((MINE,)), Pushed((MINE,)), Ignored()])
    it.room.clear()
    async with it.running():
        await it.clock.advance(10 * SECOND)
        assert len(it.pushed) == 1
        it.room.set()
        await it.clock.advance(10 * SECOND)
    assert len(it.pushed) == 2
