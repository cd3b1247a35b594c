"""How long to wait before the next connection, and the iterator that does."""

import asyncio
import itertools
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from daemon.exchanges.common.penalties import LONGEST as LONGEST_PAUSE
from daemon.exchanges.common.reconnect import LONGEST, SHORTEST, ReconnectingConnections, delays
from daemon.types import MINUTE, SECOND, Millis, MissReason, NoAnswer
from tests.fakes import ManualClock

CLOSED = NoAnswer(MissReason.NETWORK, "closed")
REFUSED = NoAnswer(MissReason.AUTH, "refused")


def test_delays_double_from_a_second_to_a_minute() -> None:
    """At most: with less jitter they are shorter, never below a second."""
    assert list(itertools.islice(delays(lambda: 1.0), 8)) == [
        2_000,
        4_000,
        8_000,
        16_000,
        32_000,
        *[60_000] * 3,
    ]
    assert list(itertools.islice(delays(lambda: 0.0), 8)) == [SHORTEST] * 8


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_delays_stay_within_their_bounds(luck: list[float]) -> None:
    """Whatever the jitter."""
    drawn = iter(luck)
    assert all(
        SHORTEST <= delay <= LONGEST
        for delay in itertools.islice(delays(lambda: next(drawn)), len(luck))
    )


class Door:
    """Opens as told; keeps when it was tried."""

    def __init__(self, clock: ManualClock, *script: NoAnswer | str) -> None:
        self.tried: list[Millis] = []
        self._clock = clock
        self._script = iter(script)
        self._began = clock.elapsed()

    async def connect(self) -> NoAnswer | str:
        self.tried.append(self._clock.elapsed() - self._began)
        return next(self._script, CLOSED)


def seconds() -> Iterator[Millis]:
    return (SECOND * number for number in itertools.count(1))


async def test_it_goes_on_until_there_is_one_and_again_when_that_is_lost() -> None:
    """The first try is made at once, each further one after the next delay."""
    clock = ManualClock()
    door = Door(clock, CLOSED, CLOSED, "one", "two")
    connections = ReconnectingConnections[str](door.connect, seconds, clock)
    found: list[str] = []

    async def listen() -> None:
        async for connection in connections:
            found.append(connection)
            connections.lost(CLOSED, accepted=True)

    task = asyncio.create_task(listen())
    await clock.advance(6 * SECOND)
    task.cancel()
    assert (found, door.tried) == (["one", "two"], [0, SECOND, 3 * SECOND, 6 * SECOND])


async def waits(*losses: tuple[NoAnswer, bool, bool]) -> list[Millis]:
    """How long it waits after each of these ends."""
    clock, found = ManualClock(), list[Millis]()
    connections = ReconnectingConnections[str](Door(clock, *["one"] * 99).connect, seconds, clock)
    await anext(connections)
    for why, accepted, steady in losses:
        before = clock.elapsed()
        connections.lost(why, accepted=accepted, steady=steady)
        task = asyncio.ensure_future(anext(connections))
        while not task.done():
            await clock.advance(SECOND)
        found.append(clock.elapsed() - before)
    return found


async def test_only_what_has_lasted_begins_the_delays_anew() -> None:
    """A connection that breaks as soon as it is up must not be made every second for ever."""
    short, lasting = (CLOSED, True, False), (CLOSED, True, True)
    assert await waits(short, short, short, lasting, short) == [1_000, 2_000, 3_000, 1_000, 2_000]


async def test_b2_a_refused_login_is_tried_as_a_refused_key() -> None:
    """B2: every 30 s for five minutes, then every five minutes; a login that is taken ends that."""
    refused = (REFUSED, False, False)
    found = await waits(*[refused] * 12, (CLOSED, True, True), refused)
    assert found == [*[30 * SECOND] * 10, *[LONGEST_PAUSE] * 2, SECOND, 30 * SECOND]


async def test_b2_an_exchange_that_has_enough_is_left_alone() -> None:
    """B2: 30 s, then a minute after a block; the delays go on beside."""
    blocked = (NoAnswer(MissReason.BLOCKED, "403"), False, False)
    assert await waits(blocked, blocked, (CLOSED, False, False)) == [
        30 * SECOND,
        MINUTE,
        3 * SECOND,
    ]
