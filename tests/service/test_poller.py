"""One slot at a time; after a miss at the distance the exchange asks for."""

from collections.abc import Iterable

from daemon.service.poller import Ears, Poller
from daemon.types import MINUTE, SECOND, Answer, MissReason, NoAnswer
from tests.fakes import ManualClock
from tests.values import answer


class ScriptedExchange:
    def __init__(self, answers: Iterable[Answer | NoAnswer]) -> None:
        self._answers = iter(answers)
        self.calls = 0

    async def read(self) -> Answer | NoAnswer:
        self.calls += 1
        return next(self._answers)

    async def close(self) -> None: ...


def no(reason: MissReason) -> NoAnswer:
    return NoAnswer(reason, "no")


async def ticks(
    answers: list[Answer | NoAnswer], slots: int, user_id: str = "7"
) -> tuple[list[object], list[str], int]:
    clock, heard, learned = ManualClock(), list[object](), list[str]()
    exchange = ScriptedExchange(answers)
    poller = Poller(exchange, user_id, Ears(heard.append, learned.append), clock)
    for _ in range(slots):
        await poller.tick()
        await clock.advance(5 * SECOND)
    return heard, learned, exchange.calls


async def test_every_slot_is_one_call() -> None:
    """B2: an answer, a timeout, a broken network, a 5xx and a bad answer are followed by the next slot."""
    script: list[Answer | NoAnswer] = [
        answer(),
        *map(no, (MissReason.TIMEOUT, MissReason.NETWORK, MissReason.HTTP_5XX, MissReason.BAD_ANSWER)),
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


async def test_b4_whose_account_it_is_is_learned_once() -> None:
    """B4: from the first answer, if it is not known."""
    _, learned, _ = await ticks([no(MissReason.TIMEOUT), answer("42"), answer("42")], 3, user_id="")
    assert learned == ["42"]
    _, learned, _ = await ticks([answer("42")], 1, user_id="42")
    assert learned == []
