"""SEMANTICS B3: the budget, its windows, its queue, and intervals that exceed it."""

import asyncio
import bisect
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config import BudgetLimits
from daemon.exchanges.common.rate_limit import (
    HALVED,
    Budget,
    Budgets,
    CallWindow,
    free_in,
    remaining_halving,
)
from daemon.types import MINUTE, SECOND, Limit, Millis
from tests.fakes import ManualClock, settle

TWO = Limit(2, 10)
WIDE = Limit(1_000, SECOND)

calls = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 25)), max_size=40)
"""After which wait each call is wished, and how long it is in flight."""


def most(instants: list[Millis], per: Millis) -> int:
    """The most instants that any closed window of that length holds."""
    instants = sorted(instants)
    return max(
        (bisect.bisect_right(instants, at + per) - i for i, at in enumerate(instants)), default=0
    )


def run(limit: Limit, wished: list[tuple[Millis, Millis]]) -> list[tuple[Millis, Millis]]:
    """Sent and ended instants when every call goes as soon as the window lets it."""
    window, now, in_flight, made = CallWindow(), 0, list[Millis](), list[tuple[Millis, Millis]]()
    for wait, flight in wished:
        now += wait
        while True:
            for end in sorted(end for end in in_flight if end <= now):
                window = window.done(end)
                in_flight.remove(end)
            pause = free_in(window, limit, now)
            if not pause:
                break
            now += pause
        window = window.sent()
        in_flight.append(now + flight)
        made.append((now, now + flight))
    return made


@given(st.integers(1, 5), st.integers(1, 30), calls, st.data())
def test_b3_no_window_ever_holds_more(
    count: int, per: Millis, wished: list[tuple[Millis, Millis]], data: st.DataObject
) -> None:
    """B3: whenever calls arrive in flight, no window of `per` holds more than `count`."""
    made = run(Limit(count, per), wished)
    arrived = [data.draw(st.integers(sent, ended)) for sent, ended in made]
    assert most(arrived, per) <= count


@given(calls)
def test_waits_are_never_longer_than_needed(wished: list[tuple[Millis, Millis]]) -> None:
    """A free permit is granted: with instant answers the wait ends in the first possible ms."""
    instants = [sent for sent, _ in run(TWO, [(wait, 0) for wait, _ in wished])]
    now, expected = 0, list[Millis]()
    for wait, _ in wished:
        now = max(now + wait, expected[-2] + TWO.per + 1 if len(expected) >= 2 else 0)
        expected.append(now)
    assert expected == instants


def test_b3_a_call_in_flight_holds_its_place() -> None:
    """B3: a place is taken from the sending until the window's length after the answer."""
    window = CallWindow().sent().done(5).sent()
    assert [free_in(window, TWO, now) for now in (5, 15, 16)] == [11, 1, 0]
    assert free_in(window.sent(), TWO, 100) == 11


class Running(ManualClock):
    """A clock that goes on while it is looked at, as every real one does."""

    def elapsed(self) -> Millis:
        self._elapsed += 1
        return super().elapsed()

    async def sleep(self, duration: Millis) -> None:
        self._elapsed += duration
        await asyncio.sleep(0)


@pytest.mark.parametrize("before", range(40))
async def test_b3_no_place_is_given_by_the_time_that_passes_while_it_is_looked_for(
    before: int,
) -> None:
    """B3, promise 8: however the moments fall, a call that may leave holds a place."""
    clock = Running()
    budget = Budget(clock, Limit(1, 10), WIDE, {})
    for _ in range(3):
        async with budget.call("assets", "a") as first:
            assert first.taken
        for _ in range(before):
            clock.elapsed()
        async with budget.call("assets", "a") as second:
            assert second.taken


class Traffic:
    """Calls through a real budget on a manual clock, with when each was let go."""

    def __init__(self, budget: Callable[[ManualClock], Budget]) -> None:
        self.clock = ManualClock()
        self.budget = budget(self.clock)
        self.began = self.clock.elapsed()
        self.sent: list[tuple[str, Millis]] = []
        self.tasks: list[asyncio.Task[None]] = []

    def ask(
        self,
        name: str,
        user: str = "u",
        *,
        urgent: bool = False,
        flight: Millis = 0,
        learns: str = "",
    ) -> None:
        async def call() -> None:
            async with self.budget.call("assets", user, urgent=urgent) as place:
                self.sent.append((name, self.clock.elapsed() - self.began))
                if flight:
                    await self.clock.sleep(flight)
                place.user = learns or place.user

        self.tasks.append(asyncio.create_task(call()))


def small(**limits: Limit) -> Callable[[ManualClock], Budget]:
    """A budget with the given limits, the others wide."""
    return lambda clock: Budget(
        clock,
        limits.get("host", WIDE),
        limits.get("user", WIDE),
        {"assets": limits.get("assets", WIDE)},
    )


def test_b3_the_defaults_stay_below_the_exchange() -> None:
    """B3: 50 per 10 s on the host and per user, 5 per 2 s for the balances."""
    assert BudgetLimits() == BudgetLimits(Limit(50, 10_000), Limit(50, 10_000), Limit(5, 2_000))


async def test_b3_calls_wait_for_their_place() -> None:
    """B3: the third of two allowed calls leaves when the window has slid past the first."""
    traffic = Traffic(small(assets=TWO))
    for name in "abc":
        traffic.ask(name)
    await traffic.clock.advance(100)
    assert traffic.sent == [("a", 0), ("b", 0), ("c", 11)]


async def test_b3_users_do_not_hold_each_other_up() -> None:
    """B3: a user's exhausted allowance is no other user's."""
    traffic = Traffic(small(user=TWO))
    for name in "abc":
        traffic.ask(name, user="one")
    traffic.ask("d", user="two")
    await traffic.clock.advance(5)
    assert traffic.sent == [("a", 0), ("b", 0), ("d", 0)]


async def test_b3_unknown_users_share_one_allowance() -> None:
    """B3: accounts whose user is not yet known count as one user."""
    traffic = Traffic(small(user=TWO))
    for name in "abc":
        traffic.ask(name, user="")
    await traffic.clock.advance(5)
    assert traffic.sent == [("a", 0), ("b", 0)]


async def test_b3_a_learned_user_inherits_the_call() -> None:
    """B3: the call that told whose the account is counts against that user, too."""
    traffic = Traffic(small(user=TWO))
    for name in "ab":
        traffic.ask(name, user="", learns="u")
    await settle()
    traffic.ask("c", user="u")
    await traffic.clock.advance(20)
    assert traffic.sent == [("a", 0), ("b", 0), ("c", 11)]


async def test_b3_the_host_is_one() -> None:
    """B3: all users together stay inside the host's limit."""
    traffic = Traffic(small(host=TWO))
    for name in "abc":
        traffic.ask(name, user=name)
    await traffic.clock.advance(20)
    assert traffic.sent == [("a", 0), ("b", 0), ("c", 11)]


async def test_b3_urgent_calls_go_first() -> None:
    """B3: a confirming read goes before the routine polls that wait; those keep their order."""
    traffic = Traffic(small(assets=Limit(1, 10)))
    for name in "abc":
        traffic.ask(name)
    traffic.ask("urgent", urgent=True)
    await traffic.clock.advance(100)
    assert traffic.sent == [("a", 0), ("urgent", 11), ("b", 22), ("c", 33)]


async def test_one_who_gives_up_loses_no_place() -> None:
    """A call cancelled while it waits counts nothing; one cancelled in flight counts."""
    traffic = Traffic(small(assets=Limit(1, 10)))
    traffic.ask("flying", flight=1_000)
    traffic.ask("waiting")
    traffic.ask("next")
    await traffic.clock.advance(5)
    traffic.tasks[0].cancel()
    traffic.tasks[1].cancel()
    await traffic.clock.advance(50)
    assert traffic.sent == [("flying", 0), ("next", 16)]


async def test_b2_halving_and_its_end() -> None:
    """B2: after a refusal every limit is halved for five minutes, then whole at once."""
    traffic = Traffic(small(assets=Limit(2, 10 * MINUTE)))
    traffic.budget.halve()
    for name in "abc":
        traffic.ask(name)
    await traffic.clock.advance(20 * MINUTE)
    assert traffic.sent == [("a", 0), ("b", 5 * MINUTE), ("c", 10 * MINUTE + 1)]


async def test_b2_how_long_a_halving_lasts_can_be_handed_on() -> None:
    """B2: a reload ends no penalty: the budget of the next life is halved for what is left."""
    traffic = Traffic(small())
    assert traffic.budget.halved_for == 0
    traffic.budget.halve()
    await traffic.clock.advance(2 * MINUTE)
    assert traffic.budget.halved_for == 3 * MINUTE
    await traffic.clock.advance(3 * MINUTE)
    assert traffic.budget.halved_for == 0


@pytest.mark.parametrize(("whole", "half"), [(5, 2), (50, 25), (1, 1)])
def test_half_of_a_limit(whole: int, half: int) -> None:
    """Half rounds down, but never to none."""
    assert Limit(half, 7) == Limit(whole, 7).halved


async def test_b3_calls_of_before_a_restart_count() -> None:
    """B3: recorded readings and misses of the last seconds count again; older ones do not."""
    traffic = Traffic(small(assets=TWO))
    now = traffic.clock.now()
    for at in (now - 4, now - 11, now - 8):
        traffic.budget.book(at, "assets", "u")
    traffic.ask("a")
    traffic.ask("b")
    await traffic.clock.advance(50)
    assert traffic.sent == [("a", 3), ("b", 7)]


async def test_a_call_from_the_future_counts_as_of_now() -> None:
    """A recorded instant ahead of a clock set back counts for one window, not for ever."""
    traffic = Traffic(small(assets=Limit(1, 10)))
    traffic.budget.book(traffic.clock.now() + MINUTE, "assets", "u")
    traffic.ask("a")
    await traffic.clock.advance(50)
    assert traffic.sent == [("a", 11)]


async def test_b3_an_announced_call_keeps_its_place_from_now_until_its_window_has_passed() -> None:
    """B3: a command announces its call; the daemon leaves room before and after that instant."""
    traffic = Traffic(small(assets=Limit(1, 10)))
    traffic.budget.book(traffic.clock.now() + 30, "assets", "u")
    traffic.ask("a")
    await traffic.clock.advance(100)
    assert traffic.sent == [("a", 41)]


async def test_a_clock_step_changes_no_window() -> None:
    """The wall clock may be set: windows are measured on a clock that never steps."""
    traffic = Traffic(small(assets=Limit(1, 10)))
    traffic.ask("a")
    await settle()
    traffic.clock.step(-MINUTE)
    traffic.ask("b")
    await traffic.clock.advance(50)
    assert traffic.sent == [("a", 0), ("b", 11)]


@given(
    st.lists(
        st.tuples(st.sampled_from("uvw"), st.integers(0, 12), st.integers(0, 30), st.booleans()),
        max_size=25,
    )
)
def test_b3_the_queue_keeps_every_limit(asked: list[tuple[str, int, int, bool]]) -> None:
    """B3: for any calls in any order, every limit holds and every call is made."""
    limits = {"host": Limit(4, 20), "user": Limit(3, 20), "assets": Limit(2, 7)}

    async def made() -> list[tuple[str, Millis]]:
        traffic = Traffic(small(**limits))
        for user, wait, flight, urgent in asked:
            await traffic.clock.advance(wait)
            traffic.ask(user, user, urgent=urgent, flight=flight)
        await traffic.clock.advance(5_000)
        await asyncio.gather(*traffic.tasks)
        return traffic.sent

    sent = asyncio.run(made())
    assert len(asked) == len(sent)
    assert most([at for _, at in sent], 20) <= 4
    for user in "uvw":
        own = [at for name, at in sent if name == user]
        assert (most(own, 20) <= 3, most(own, 7) <= 2) == (True, True)


def both(clock: ManualClock) -> Budgets:
    """Two hosts, each with one call in ten milliseconds."""
    return Budgets(["here", "there"], lambda: Budget(clock, Limit(2, 10), Limit(2, 10), {}))


async def test_strict_7_a_complaint_halves_the_limits_of_its_host() -> None:
    """Strict 7: halving applies to one host for its time; an unknown host halves all."""
    clock = ManualClock()
    budgets = both(clock)
    budgets.at("here").halve(MINUTE)
    first = budgets.halved_for
    budgets.halve("", SECOND)
    budgets.halve("elsewhere", HALVED)
    second = budgets.halved_for
    await clock.advance(MINUTE)
    assert (first, second, budgets.halved_for) == (
        {"here": MINUTE},
        {"here": SECOND, "there": SECOND},
        {},
    )


async def test_strict_7_calls_take_places_at_their_host() -> None:
    """Strict 7: a full window holds up no other host; a call to an unknown host counts at all."""
    clock = ManualClock()
    budgets = both(clock)
    for host in ("here", "", "elsewhere"):
        budgets.book(host, clock.now(), "assets", "7")
    sent = []

    async def ask(host: str) -> None:
        async with budgets.at(host).call("assets", "7"):
            sent.append((host, clock.elapsed()))

    began = clock.elapsed()
    tasks = [asyncio.create_task(ask(host)) for host in ("here", "there", "there")]
    await clock.advance(0)
    waiting = [(host, at - began) for host, at in sent]
    await clock.advance(11)
    await asyncio.gather(*tasks)
    assert waiting == [("there", 0)]
    assert [(host, at - began) for host, at in sent] == [("there", 0), ("here", 11), ("there", 11)]


async def test_strict_7_what_is_under_way_is_known_with_its_host() -> None:
    """Strict 7: whoever cuts it off books it where it went."""
    budgets = both(ManualClock())
    async with budgets.at("there").call("assets", "7") as place:
        assert budgets.in_flight == [("there", place)]
    assert budgets.in_flight == []


def test_strict_7_the_record_tells_which_host_complained() -> None:
    """Strict 7: the last complaint counts, from now at most; of a removed account at all hosts."""
    hosts = {"a": "here", "b": "here", "c": "there"}
    now = 10 * MINUTE
    limited = {
        "a": now - 2 * MINUTE,
        "b": now - MINUTE,
        "gone": now - 3 * MINUTE,
        "c": now - HALVED,
    }
    assert remaining_halving(limited, hosts, now) == {"here": 4 * MINUTE, "": 2 * MINUTE}
    assert remaining_halving({"c": now + MINUTE}, hosts, now) == {"there": HALVED}


async def test_c6_it_tells_whose_calls_wait() -> None:
    """C6: `waits` is true for a call of this user in the queue, not for one in flight."""
    clock = ManualClock()
    budget = Budget(clock, WIDE, Limit(1, SECOND), {})
    async with budget.call("assets", "1"):
        waiting = asyncio.create_task(_one_call(budget))
        await settle()
        assert [budget.waits(user) for user in ("1", "2")] == [True, False]
    await clock.advance(2 * SECOND)
    await waiting
    assert not budget.waits("1")


async def _one_call(budget: Budget) -> None:
    async with budget.call("assets", "1"):
        pass
