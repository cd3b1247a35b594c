"""Endless connections, one after the other, with the delays between them.

`stream_session` decides when a connection ends; this module decides when the next one begins.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Generic, Self, TypeVar

from daemon.clock import Clock
from daemon.exchanges.common.penalties import Pause, pause_after
from daemon.types import MINUTE, SECOND, Millis, NoAnswer

SHORTEST: Millis = SECOND
LONGEST: Millis = MINUTE

C = TypeVar("C")


def delays(jitter: Callable[[], float]) -> Iterator[Millis]:
    """Delays before each further try: at least 1 s, up to a bound that doubles to 1 min.

    `jitter` gives numbers from 0 to 1, so that clients of a recovered exchange do not all return at
    once.
    """
    bound = 2 * SHORTEST
    while True:
        yield SHORTEST + int(jitter() * (bound - SHORTEST))
        bound = min(LONGEST, 2 * bound)


class ReconnectingConnections(Generic[C]):
    """`async for connection in connections`; report each end with `lost` before the next.

    `connect` gives a connection or the reason why there is none. A refused login pauses like a
    refused call (SEMANTICS B2); other failures wait by `delays`.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[C | NoAnswer]],
        delays: Callable[[], Iterator[Millis]],
        clock: Clock,
    ) -> None:
        self._connect = connect
        self._fresh = delays
        self._delays = delays()
        self._clock = clock
        self._pause = Pause()
        self._wait: Millis = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> C:
        while True:
            if self._wait:
                await self._clock.sleep(self._wait)
            connected = await self._connect()
            if not isinstance(connected, NoAnswer):
                return connected
            self.lost(connected)

    def lost(self, why: NoAnswer, *, accepted: bool = False, steady: bool = False) -> None:
        """Report how the last connection ended.

        `accepted`: it was logged in. `steady`: it had lasted, so the delays restart.
        """
        if accepted:
            self._pause = Pause()
        if steady:
            self._delays = self._fresh()
        self._pause = pause_after(self._pause, why.reason, self._clock.elapsed())
        self._wait = max(next(self._delays), self._pause.length)
