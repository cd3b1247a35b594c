"""One slot at a time; after a miss at the distance the exchange asks for."""

import asyncio
from collections.abc import Iterable

from daemon.service.collection.poller import PollCallbacks, Poller
from daemon.types import MINUTE, SECOND, Answer, MissReason, NoAnswer
from tests.fakes import ManualClock, settle
from tests.values import answer, confirming


class ScriptedExchange:
    def __init__(
        self, answers: Iterable[Answer | NoAnswer], gate: asyncio.Event | None = None
    ) -> None:
        self._gate = gate
        self._answers = iter(answers)
        self.calls = 0
        self.urgent: list[bool] = []

    async def read(self, *, urgent: bool = False) -> Answer | NoAnswer:
        self.calls += 1
        self.urgent.append(urgent)
        if self._gate is not None:
            await self._gate.wait()
        return next(self._answers)

    async def close(self) -> None: ...


def no(reason: MissReason) -> NoAnswer:
    return NoAnswer(reason, "no")


class HangingExchange:
    """Answers when it is let go; knows how many calls are under way."""

    def __init__(self) -> None:
        self.calls = 0
        self.in_flight = 0
        self.most = 0
        self.let = asyncio.Event()

    async def read(self, *, urgent: bool = False) -> Answer | NoAnswer:
        self.calls += 1
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        await self.let.wait()
        self.in_flight -= 1
        return answer()

    async def close(self) -> None: ...


async def ticks(
    answers: list[Answer | NoAnswer], slots: int, user_id: str = "7"
) -> tuple[list[object], list[str], int]:
    clock, heard, learned = ManualClock(), list[object](), list[str]()
    exchange = ScriptedExchange(answers)
    poller = Poller(exchange, user_id, PollCallbacks(heard.append, learned.append), clock)
    for _ in range(slots):
        await poller.tick()
        await clock.advance(5 * SECOND)
    return heard, learned, exchange.calls


async def test_b2_every_slot_is_one_call() -> None:
    """B2: the next slot is used after an answer and after each kind of failure."""
    script: list[Answer | NoAnswer] = [
        answer(),
        *map(
            no, (MissReason.TIMEOUT, MissReason.NETWORK, MissReason.HTTP_5XX, MissReason.BAD_ANSWER)
        ),
        answer(),
    ]
    heard, _, calls = await ticks(script, 6)
    assert heard == script
    assert calls == 6


async def test_b2_after_a_rate_limit_slots_are_left_out() -> None:
    """B2: 10 s after the first 29001, then 30 s; the first success ends the pause."""
    limited = no(MissReason.RATE_LIMITED)
    heard, _, _ = await ticks([limited, limited, answer(), answer()], 10)
    assert heard == [limited, limited, answer(), answer()]


async def test_b2_a_refused_key_is_asked_every_30_s() -> None:
    """B2: 30 s for five minutes; at 5 s slots that is one call in six."""
    _, _, calls = await ticks([no(MissReason.AUTH)] * 99, MINUTE // (5 * SECOND))
    assert calls == 2


async def test_b5_a_confirming_read_is_urgent_and_never_beside_another() -> None:
    """B5: it waits for the call under way, is marked as confirming, and respects a pause."""
    clock, heard, gate = ManualClock(), list[object](), asyncio.Event()
    script: list[Answer | NoAnswer] = [answer(), answer(), no(MissReason.RATE_LIMITED)]
    exchange = ScriptedExchange(script, gate)
    poller = Poller(exchange, "7", PollCallbacks(heard.append, heard.append), clock)
    calls = [asyncio.create_task(each()) for each in (poller.tick, poller.confirm)]
    await settle()
    assert exchange.urgent == [False]
    gate.set()
    await asyncio.gather(*calls)
    assert (heard, exchange.urgent) == ([answer(), confirming(answer())], [False, True])
    await poller.tick()
    await poller.confirm()
    assert exchange.calls == 3


async def test_b7_a_confirming_read_that_a_push_overtook_is_made_again() -> None:
    """B5, B7: as any other; what it says then is no confirmation, but a reading."""
    heard, clock = list[Answer | NoAnswer](), ManualClock()

    def overtaken(each: Answer | NoAnswer) -> bool:
        heard.append(each)
        return len(heard) == 1

    poller = Poller(
        ScriptedExchange([answer(), answer()]), "7", PollCallbacks(overtaken, print), clock
    )
    beside = asyncio.create_task(poller.beside())
    await poller.confirm()
    await settle()
    assert heard == [confirming(answer()), answer()]
    beside.cancel()


async def test_b4_whose_account_it_is_is_learned_once() -> None:
    """B4: from the first answer, if it is not known."""
    _, learned, _ = await ticks([no(MissReason.TIMEOUT), answer("42"), answer("42")], 3, user_id="")
    assert learned == ["42"]
    _, learned, _ = await ticks([answer("42")], 1, user_id="42")
    assert learned == []


async def test_b4_whoever_needs_to_know_whose_account_it_is_can_wait_for_it() -> None:
    """B4: until the first answer; where it is known before, there is nothing to wait for."""
    clock, exchange = ManualClock(), ScriptedExchange([no(MissReason.TIMEOUT), answer("42")])
    poller = Poller(exchange, "", PollCallbacks(lambda _: None, lambda _: None), clock)
    waiting = asyncio.create_task(poller.identified())
    for known in (False, True):
        await poller.tick()
        await clock.advance(0)
        assert waiting.done() is known
    assert (
        await waiting,
        await Poller(exchange, "7", PollCallbacks(print, print), clock).identified(),
    ) == ("42", "7")


async def test_b1_a_call_beside_the_slots_follows_the_one_under_way() -> None:
    """B1, B7: wanted several times before it leaves, it is one; never are there two at once."""
    clock, exchange = ManualClock(), HangingExchange()
    poller = Poller(exchange, "7", PollCallbacks(lambda _: None, print), clock)
    beside, slot = asyncio.create_task(poller.beside()), asyncio.create_task(poller.tick())
    await clock.advance(0)
    poller.again()
    await clock.advance(0)
    poller.again()
    assert exchange.calls == 1
    exchange.let.set()
    await clock.advance(0)
    beside.cancel()
    await slot
    assert (exchange.calls, exchange.most) == (2, 1)


async def test_b7_what_came_too_late_is_asked_for_again_at_once_and_then_at_the_next_slot() -> None:
    """B7: if balances move faster than calls travel, calls are not repeated endlessly."""
    clock, heard = ManualClock(), list[object]()
    exchange = ScriptedExchange([answer()] * 9)

    def late(told: object) -> bool:
        heard.append(told)
        return True

    poller = Poller(exchange, "7", PollCallbacks(late, print), clock)
    beside = asyncio.create_task(poller.beside())
    for calls in (2, 4):
        await poller.tick()
        await clock.advance(0)
        assert exchange.calls == calls
    beside.cancel()
    assert len(heard) == 4


async def test_b2_a_pause_holds_for_calls_beside_the_slots() -> None:
    """B2: an exchange that refuses is left alone, whoever wants to know."""
    clock, exchange = ManualClock(), ScriptedExchange([no(MissReason.AUTH), answer()])
    poller = Poller(exchange, "7", PollCallbacks(lambda _: None, print), clock)
    beside = asyncio.create_task(poller.beside())
    await poller.tick()
    poller.again()
    await clock.advance(SECOND)
    beside.cancel()
    assert exchange.calls == 1
