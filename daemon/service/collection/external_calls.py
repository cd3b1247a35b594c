"""What other commands book at the exchange while the daemon runs, heard in time to leave room for
it (SEMANTICS B3).

A command announces a call some seconds ahead, and books it once more when it has ended; the daemon
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
    """`booked` gives what is booked at or after an instant; `span` is that of the longest
    window.
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
        self._heard: frozenset[RecordCall] = frozenset()

    def hear(self) -> None:
        """Count what is new. Raises StoreError where it cannot be read."""
        self._count(self._found())

    async def listen(self) -> None:
        """Count what is new, every second; runs until cancelled."""
        while True:
            await self._clock.sleep(EVERY)
            try:
                self._count(await asyncio.to_thread(self._found))
            except StoreError:
                continue  # whoever writes says so; there is nothing to be heard

    def _found(self) -> frozenset[RecordCall]:
        return frozenset(self._booked(self._clock.now() - self._span))

    def _count(self, found: frozenset[RecordCall]) -> None:
        for call in found - self._heard:
            self._budgets.book(call.host, call.at, call.endpoint, call.user)
        self._heard = found
