"""Slots: spread, stable, and right after the clock was set."""

import asyncio

import pytest

from daemon.clock import SystemClock
from daemon.readings.slots import slot
from daemon.service.collecting.schedule import Schedule
from daemon.types import HOUR
from tests.fakes import settle

TOO_BUSY = "slow is asked less often than it should be, for the exchange, or the budget, takes its time"


class Runs:
    """What a schedule calls: three are enough."""

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


async def test_a_run_that_breaks_or_overruns_is_told() -> None:
    """APScheduler's events are heard: an error, and slots in a row that found the account busy."""
    troubles, both, gate = set[str](), asyncio.Event(), asyncio.Event()

    def trouble(account: str, what: str) -> None:
        troubles.add(f"{account} {what}")
        if len(troubles) == 2:
            both.set()

    async def slow() -> None:
        await gate.wait()

    async def broken() -> None:
        raise ZeroDivisionError("by zero")

    schedule = Schedule(trouble)
    clock = SystemClock()
    schedule.add("slow", 100, slow, clock.now())
    schedule.add("broken", 3_600_000, broken, clock.now())
    schedule.start()
    await asyncio.wait_for(both.wait(), 10)
    gate.set()
    schedule.stop()
    assert troubles == {TOO_BUSY, "broken failed: by zero"}


async def test_b3_a_new_pace_counts_from_the_next_slot_on() -> None:
    """B3: an account whose interval changed is read by the new one, without waiting for the old one to pass."""
    clock, runs = SystemClock(), Runs()
    schedule = Schedule(lambda _account, _what: None)
    schedule.add("main", 3_600_000, runs.tick, clock.now())
    schedule.start()
    schedule.pace("main", 400, clock.now())
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
    schedule.pace("main", 3_600_000, clock.now())
    due = schedule._scheduler.get_job("main").next_run_time
    schedule.pace("main", 3_600_000, clock.now() + 1_000)
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


async def test_b1_a_slot_that_finds_an_account_busy_is_nobodys_business(caplog: pytest.LogCaptureFixture) -> None:
    """B1: all accounts begin at once, and answers may take a while; nor is a run that a stop cuts off a failure."""
    troubles, gate, slots, enough = list[str](), asyncio.Event(), list[int](), asyncio.Event()

    async def waits() -> None:
        await gate.wait()

    async def ticks() -> None:
        slots.append(1)
        if len(slots) == 2:
            enough.set()

    schedule, clock = Schedule(lambda account, what: troubles.append(f"{account} {what}")), SystemClock()
    schedule.add("waits", 400, waits, clock.now())
    schedule.add("ticks", 400, ticks, clock.now())
    schedule.start()
    await asyncio.wait_for(enough.wait(), 10)
    schedule.stop()
    await settle()
    assert troubles == []
    assert [record for record in caplog.records if record.exc_info] == []
