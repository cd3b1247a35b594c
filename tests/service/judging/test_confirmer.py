"""Asking again, and the patience that ends (B5)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from daemon.readings.plausibility import Doubt, PendingSuspect
from daemon.service.judging.confirmer import APART, PATIENCE, Confirmer, Overdue
from daemon.types import Millis
from tests.fakes import ManualClock
from tests.values import reading


class Scene:
    """A confirmer, the calls it made, and its messages, each with its time since the start."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.confirmer = Confirmer(self.clock)
        self.began = self.clock.elapsed()
        self.asked: list[Millis] = []
        self.posted: list[tuple[int, Millis]] = []
        self.takes: Millis = 0

    async def ask(self) -> None:
        self.asked.append(self.clock.elapsed() - self.began)
        await self.clock.sleep(self.takes)

    def post(self, overdue: Overdue) -> None:
        self.posted.append((overdue.first, self.clock.elapsed() - self.began))

    async def doubt(self, seq: int, first: int | None = None) -> None:
        self.confirmer.doubted(suspicion(seq, first))
        await self.clock.advance(0)


def suspicion(seq: int, first: int | None = None) -> PendingSuspect:
    return PendingSuspect(seq if first is None else first, reading(seq), frozenset({Doubt.ZEROS}))


@asynccontextmanager
async def snapshot() -> AsyncIterator[Scene]:
    made = Scene()
    task = asyncio.create_task(made.confirmer.run(made.ask, made.post))
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_b5_a_confirming_read_follows_at_once_and_patience_ends_after_3_s() -> None:
    """B5: the word comes also while the call still hangs."""
    async with snapshot() as it:
        it.takes = 10_000
        await it.doubt(7)
        await it.clock.advance(PATIENCE - 1)
        assert (it.asked, it.posted) == ([0], [])
        await it.clock.advance(1)
        assert it.posted == [(7, 3_000)]


async def test_b5_at_most_one_confirming_read_in_10_s() -> None:
    """B5: meanwhile a suspect is settled by polls, or by PATIENCE."""
    async with snapshot() as it:
        for seq in (7, 9, 11):
            await it.doubt(seq)
            await it.clock.advance(APART // 2)
        assert it.asked == [0, APART]
        assert it.posted == [(7, 3_000), (9, 8_000), (11, 13_000)]


async def test_b5_suspects_in_a_row_have_one_patience() -> None:
    """B5: the third second after the first of them ends it, however many follow."""
    async with snapshot() as it:
        for seq in (7, 8, 9):
            await it.doubt(seq, first=7)
            await it.clock.advance(1_000)
        assert it.posted == [(7, 3_000)]


async def test_a4_what_a_life_left_waits_for_the_end_of_the_first_attempt() -> None:
    """A4, B5: nothing is judged before, however long it takes; where none may be made, at once."""
    async with snapshot() as it:
        it.takes = 9_000
        it.confirmer.left(suspicion(7))
        await it.clock.advance(8_999)
        assert (it.asked, it.posted) == ([0], [])
        await it.clock.advance(1)
        assert it.posted == [(7, 9_000)]


async def test_a_stopping_daemon_asks_no_more() -> None:
    """Suspects are left to the next instance."""
    async with snapshot() as it:
        it.confirmer.stop()
        await it.doubt(7)
        assert it.asked == []
