"""Slots: spread, stable, and right after the clock was set."""

import asyncio

import pytest

from daemon.clock import SystemClock
from daemon.readings.slots import slot
from daemon.service.collection.scheduler import Schedule, slow_sentence
from daemon.types import HOUR
from tests.fakes import settle


class Runs:
    """Records the runs of a schedule: three are enough."""

    def __init__(self) -> None:
        self.count = 0
        self.enough = asyncio.Event()

    async def tick(self) -> None:
        self.count += 1
        if self.count == 3:
            self.enough.set()


async def test_an_account_is_polled_at_once_and_then_slot_by_slot() -> None:
    """The first run does not wait for the slot; the following ones come by themselves."""
    clock, runs = SystemClock(), Runs()
    schedule = Schedule(lambda _account, _what: None)
    schedule.add("main", 400, runs.tick, clock.now())
    schedule.start()
    await asyncio.wait_for(runs.enough.wait(), 10)
    schedule.realign(clock.now())
    schedule.stop()
    assert runs.count == 3


async def test_a_run_that_breaks_is_told() -> None:
    """APScheduler's events are heard."""
    told = asyncio.Queue[str]()

    async def broken() -> None:
        raise ZeroDivisionError("by zero")

    schedule = Schedule(lambda account, what: told.put_nowait(f"{account} {what}"))
    schedule.add("broken", 3_600_000, broken, SystemClock().now())
    schedule.start()
    async with asyncio.timeout(10):
        assert await told.get() == "broken failed: by zero"
    schedule.stop()


async def test_c6_calls_longer_than_the_interval_are_told_and_their_end() -> None:
    """C6: several busy slots in a row are reported; the first call within its slot ends that."""
    told, gate = asyncio.Queue[tuple[str, bool]](), asyncio.Event()

    async def slow() -> None:
        await gate.wait()

    def put(account: str, is_slow: bool) -> None:
        told.put_nowait((account, is_slow))

    schedule = Schedule(lambda _account, _what: None, put)
    schedule.add("slow", 400, slow, SystemClock().now())
    schedule.start()
    async with asyncio.timeout(10):
        assert await told.get() == ("slow", True)
        gate.set()
        while (found := await told.get())[1]:
            pass
        assert found == ("slow", False)
    schedule.stop()


BUDGET = (
    "acc2 is read less often than every 5s, because its calls wait for their turn in [budget]: "
    "set a longer every, or see what else uses the budget of this key"
)
EXCHANGE = (
    "acc2 is read less often than every 5s, because the exchange takes longer to answer: "
    "check the network, or set a longer every"
)


@pytest.mark.parametrize(("waits", "said"), [(True, BUDGET), (False, EXCHANGE)])
def test_c6_the_sentence_says_which_of_the_two_it_is(waits: bool, said: str) -> None:
    """C6: the budget or the exchange, with what to do."""
    assert slow_sentence("acc2", 5_000, waits=waits) == said


async def test_b3_a_new_pace_counts_from_the_next_slot_on() -> None:
    """B3: a changed interval applies at once, without waiting for the old one to pass."""
    clock, runs = SystemClock(), Runs()
    schedule = Schedule(lambda _account, _what: None)
    schedule.add("main", 3_600_000, runs.tick, clock.now())
    schedule.start()
    schedule.set_interval("main", 400, clock.now())
    await asyncio.wait_for(runs.enough.wait(), 10)
    schedule.stop()
    assert runs.count == 3


async def test_b3_the_same_pace_keeps_the_slot() -> None:
    """B3: told again what it does already, the schedule moves nothing."""
    schedule = Schedule(lambda _account, _what: None)
    clock = SystemClock()

    async def tick() -> None:
        raise AssertionError("the next slot is an hour away")

    schedule.add("main", 3_600_000, tick, clock.now() + 3_600_000)
    schedule.start()
    schedule.set_interval("main", 3_600_000, clock.now())
    due = schedule._scheduler.get_job("main").next_run_time
    schedule.set_interval("main", 3_600_000, clock.now() + 1_000)
    assert schedule._scheduler.get_job("main").next_run_time == due
    schedule.stop()


async def test_a5_after_the_clock_was_set_back_the_next_run_is_within_the_interval() -> None:
    """A5, B1: not when the clock comes by the instant again at which the daemon was started."""
    schedule = Schedule(lambda _account, _what: None)
    clock = SystemClock()

    async def tick() -> None:
        """Nothing that matters here."""

    ahead = clock.now() + 3 * HOUR
    schedule.add("main", 60_000, tick, ahead)
    schedule.start()
    now = clock.now()
    schedule.realign(now)
    due = schedule._scheduler.get_job("main").next_run_time.timestamp() * 1_000
    schedule.stop()
    assert now <= due <= now + 60_000
    assert round(due) % 60_000 == slot("main", 60_000)


async def test_b1_a_slot_that_finds_an_account_busy_is_nobodys_business(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """B1: a few busy slots are not reported, and a run that a stop cancels is no failure."""
    troubles, gate, slots, enough = list[object](), asyncio.Event(), list[int](), asyncio.Event()

    async def waits() -> None:
        await gate.wait()

    async def ticks() -> None:
        slots.append(1)
        if len(slots) == 2:
            enough.set()

    clock = SystemClock()

    def slow(_account: str, is_slow: bool) -> None:
        if is_slow:
            troubles.append("slow")

    schedule = Schedule(lambda account, what: troubles.append(f"{account} {what}"), slow)
    schedule.add("waits", 400, waits, clock.now())
    schedule.add("ticks", 400, ticks, clock.now())
    schedule.start()
    await asyncio.wait_for(enough.wait(), 10)
    schedule.stop()
    await settle()
    assert troubles == []
    assert [record for record in caplog.records if record.exc_info] == []
