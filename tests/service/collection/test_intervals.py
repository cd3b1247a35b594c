"""Every account at the interval that the budget allows, also while it is halved."""

import asyncio
from datetime import timedelta

from daemon.config import Account, BudgetLimits, Config, Daemon, Secret
from daemon.exchanges.common import rate_limit
from daemon.service.collection.intervals import EVERY, IntervalController
from daemon.service.collection.scheduler import Schedule
from daemon.types import MINUTE, SECOND, Millis
from tests.fakes import ManualClock

COUNT = 200
STRICT = 40_800
"""Fifty calls in ten seconds, and what is under way, for two hundred accounts."""


HERE = "api.coinw.com"


async def nothing() -> None:
    """A slot that asks nobody."""


def paced(
    every: Millis = SECOND, limits: BudgetLimits | None = None
) -> tuple[IntervalController, Schedule, rate_limit.Budgets, ManualClock]:
    clock, schedule = ManualClock(), Schedule(lambda _account, _what: None)
    names = [f"a{n}" for n in range(COUNT)]
    accounts = tuple(Account(name, Secret(name), Secret("s"), every=every) for name in names)
    limits = limits or BudgetLimits()
    shared = rate_limit.Budgets(
        [HERE],
        lambda: rate_limit.Budget(clock, limits.host, limits.user, {"assets": limits.assets}),
    )
    config = Config(path=None, daemon=Daemon(Secret("sqlite://")), accounts=accounts, budget=limits)  # type: ignore[arg-type]
    interval_controller = IntervalController(config, shared, schedule, clock)
    interval_controller.user_ids = {name: name for name in names}
    for name, interval in interval_controller.intervals().items():
        schedule.add(name, interval, nothing, clock.now())
    return interval_controller, schedule, shared, clock


def intervals(schedule: Schedule) -> set[timedelta]:
    return {trigger.interval for trigger in schedule._triggers.values()}


async def test_b3_two_hundred_accounts_share_the_strict_budget() -> None:
    """B3: by the strictest reading each is read about every 40 seconds, all equally often."""
    interval_controller, *_ = paced()
    assert set(interval_controller.intervals().values()) == {STRICT}


async def test_b2_all_intervals_stretch_while_the_budget_is_halved() -> None:
    """B2, B3: twice as long for five minutes after a complaint, and as before after it."""
    interval_controller, schedule, shared, clock = paced()
    schedule.start()
    schedule.pause()
    task = asyncio.create_task(interval_controller.run())
    await clock.advance(0)
    whole = intervals(schedule)
    shared.at(HERE).halve()
    await clock.advance(EVERY)
    halved = intervals(schedule)
    await clock.advance(5 * MINUTE)
    again = intervals(schedule)
    task.cancel()
    schedule.stop()
    assert [whole, halved, again] == [
        {timedelta(milliseconds=each)} for each in (STRICT, 2 * STRICT, STRICT)
    ]
