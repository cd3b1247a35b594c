"""Calls that other commands make while the daemon runs, counted in the budget (SEMANTICS B3).

A command announces a call some seconds ahead, and records it again when it has ended; the daemon
looks every second.
"""

import asyncio
from collections.abc import Callable, Iterable

from daemon.clock import Clock
from daemon.errors import StoreError
from daemon.exchanges.common.rate_limit import Budgets
from daemon.store.operations import RecordCall
from daemon.types import SECOND, Millis

EVERY: Millis = SECOND


class ExternalCalls:
    """Counts the calls of other commands.

    `booked` returns calls recorded at or after an instant; `span` is that of the longest window.
    """

    def __init__(
        self,
        booked: Callable[[Millis], Iterable[RecordCall]],
        budgets: Budgets,
        span: Millis,
        clock: Clock,
    ) -> None:
        self._booked = booked
        self._budgets = budgets
        self._span = span
        self._clock = clock
        self._counted: frozenset[RecordCall] = frozenset()

    def count_new(self) -> None:
        """Count new calls. Raises StoreError if they cannot be read."""
        self._count(self._found())

    async def listen(self) -> None:
        """Count new calls every second, until cancelled."""
        while True:
            await self._clock.sleep(EVERY)
            try:
                self._count(await asyncio.to_thread(self._found))
            except StoreError:
                continue  # the writer reports the failure

    def _found(self) -> frozenset[RecordCall]:
        return frozenset(self._booked(self._clock.now() - self._span))

    def _count(self, found: frozenset[RecordCall]) -> None:
        for call in found - self._counted:
            self._budgets.book(call.host, call.at, call.endpoint, call.user)
        self._counted = found
