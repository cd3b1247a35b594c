"""Two hundred accounts, of which one gets no answers: real pollers and one real budget, on a clock
that waits for all.

What APScheduler does is played here: a slot that finds its account busy is left out.
`benchmarks/accounts.py` measures the same with the real daemon, scheduler, sockets and database.
"""

import asyncio
import heapq
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from daemon.config import Account, BudgetLimits, Secret
from daemon.config.effective_intervals import intervals
from daemon.exchanges.common import rate_limit
from daemon.readings.slots import slot
from daemon.service.collection.poller import PollCallbacks, Poller
from daemon.types import SECOND, Answer, Limit, Millis, MissReason, NoAnswer
from tests.fakes import ManualClock, settle
from tests.values import answer

COUNT = 200
STUCK = "a0"
LATENCY: Millis = 120
TIMEOUT: Millis = 10 * SECOND


@dataclass
class Exchange:
    """One account: its calls wait for the budget, and take their time."""

    name: str
    budget: rate_limit.Budget
    clock: ManualClock
    asked: list[Millis] = field(default_factory=list)

    async def read(self, *, urgent: bool = False) -> Answer | NoAnswer:
        async with self.budget.call("assets", self.name, urgent=urgent):
            self.asked.append(self.clock.elapsed())
            if self.name == STUCK:
                await self.clock.sleep(TIMEOUT)
                return NoAnswer(MissReason.TIMEOUT, "no answer within 10 s")
            await self.clock.sleep(LATENCY)
            return answer(self.name)

    async def close(self) -> None: ...


class Fleet:
    def __init__(self, limits: BudgetLimits, every: Millis) -> None:
        self.clock = ManualClock()
        names = [f"a{n}" for n in range(COUNT)]
        accounts = [
            Account(name, Secret(name), Secret("s"), every=every, user_id=name) for name in names
        ]
        self.paces = intervals(accounts, limits, {})
        shared = rate_limit.Budget(self.clock, limits.host, limits.user, {"assets": limits.assets})
        self.exchanges = {name: Exchange(name, shared, self.clock) for name in names}
        callbacks = PollCallbacks(lambda _answer: None, lambda _user: None)
        self.pollers = {
            name: Poller(each, name, callbacks, self.clock) for name, each in self.exchanges.items()
        }
        self.busy = Counter[str]()
        """By account, the slots that were left out."""

    async def live(self, rounds: int) -> None:
        """Run so many slots of every account, each at its place."""
        tasks: dict[str, asyncio.Task[None]] = {}
        for at, name in heapq.merge(*(self._slots(name, rounds) for name in self.pollers)):
            await self.clock.advance(at - self.clock.now())
            if name in tasks and not tasks[name].done():
                self.busy[name] += 1
            else:
                tasks[name] = asyncio.create_task(self.pollers[name].tick())
                await settle(5)
        await self.clock.advance(TIMEOUT + SECOND)
        await asyncio.gather(*tasks.values())

    def _slots(self, name: str, rounds: int) -> Iterator[tuple[Millis, str]]:
        every = self.paces[name]
        begin = self.clock.now() - self.clock.now() % every + every + slot(name, every)
        return ((begin + n * every, name) for n in range(rounds))

    @property
    def calls(self) -> dict[str, int]:
        return {name: len(each.asked) for name, each in self.exchanges.items()}

    def busiest(self, span: Millis) -> int:
        """The most calls that left within a closed window."""
        times = sorted(at for each in self.exchanges.values() for at in each.asked)
        return max(bisect_right(times, at + span) - bisect_left(times, at) for at in times)


@pytest.mark.no_cover
async def test_b3_a_raised_budget_polls_two_hundred_accounts_every_second() -> None:
    """B3: no slot is left out, and the account that is stuck delays none but itself."""
    fleet = Fleet(
        BudgetLimits(Limit(4_000, 10 * SECOND), Limit(50, 10 * SECOND), Limit(5, 2 * SECOND)),
        SECOND,
    )
    await fleet.live(rounds=8)
    assert set(fleet.busy) == {STUCK}
    assert {calls for name, calls in fleet.calls.items() if name != STUCK} == {8}
    assert fleet.calls[STUCK] == 1


@pytest.mark.no_cover
async def test_b3_the_strict_budget_is_shared_evenly_by_two_hundred() -> None:
    """B3, promise 8: each is read every 40 s, within the host's limit."""
    limits = BudgetLimits()
    fleet = Fleet(limits, SECOND)
    await fleet.live(rounds=4)
    assert set(fleet.paces.values()) == {40_800}
    assert set(fleet.calls.values()) == {4}
    assert fleet.busy == Counter()
    assert fleet.busiest(limits.host.per) <= limits.host.count
