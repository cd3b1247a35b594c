"""Keeps every account at the interval that its host's budget allows (SEMANTICS B2, B3).

All accounts of a host stretch evenly, and further while its budget is halved.
`config.effective_intervals` decides how far; the budget itself decides when a call leaves.
"""

from collections.abc import Mapping

from daemon.clock import Clock
from daemon.config import Config
from daemon.config.effective_intervals import intervals
from daemon.exchanges.common.rate_limit import Budgets
from daemon.service.collection.scheduler import Schedule
from daemon.types import SECOND, Millis

EVERY: Millis = SECOND


class IntervalController:
    """Applies intervals. `user_ids` holds known ids by account; call `apply` after adding one."""

    def __init__(self, config: Config, budgets: Budgets, schedule: Schedule, clock: Clock) -> None:
        self._config = config
        self._budgets = budgets
        self._schedule = schedule
        self._clock = clock
        self._applied: Mapping[str, Millis] = {}
        self.user_ids: dict[str, str] = {}

    def intervals(self) -> dict[str, Millis]:
        """By account: its interval now."""
        halved = self._budgets.halved_for
        return intervals(self._config.accounts, self._config.budget, self.user_ids, halved)

    def begin(self) -> Mapping[str, Millis]:
        """Fix the intervals at which the accounts are polled from now on."""
        self._applied = self.intervals()
        return self._applied

    def every(self, account: str) -> Millis:
        """The interval at which an account is polled; 0 for one that is not."""
        return self._applied.get(account, 0)

    def apply(self) -> None:
        """Apply changed intervals from each account's next slot on."""
        effective, now = self.intervals(), self._clock.now()
        for name, every in effective.items():
            if self._applied.get(name) != every:
                self._schedule.set_interval(name, every, now)
        self._applied = effective

    async def run(self) -> None:
        """Slow down when a budget is halved, speed up when it is whole; runs until cancelled."""
        halved = self._budgets.halved_for.keys()
        while True:
            await self._clock.sleep(EVERY)
            if halved != self._budgets.halved_for.keys():
                halved = self._budgets.halved_for.keys()
                self.apply()
