"""One connection after the other, for ever: how long to wait between them, and the iterator that
does.

When a connection ends is for others to say (`lifeline`); here is only when the next one begins.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Generic, Self, TypeVar

from daemon.clock import Clock
from daemon.exchanges.common.penalties import Pause, after
from daemon.types import MINUTE, SECOND, Millis, NoAnswer

SHORTEST: Millis = SECOND
LONGEST: Millis = MINUTE

C = TypeVar("C")


def delays(jitter: Callable[[], float]) -> Iterator[Millis]:
    """What to wait before each further try: a second at least, at most what doubles from try to try
    up to a minute.

    `jitter` gives numbers from 0 to 1, so that the clients of an exchange that was down do not come
    back as one.
    """
    bound = 2 * SHORTEST
    while True:
        yield SHORTEST + int(jitter() * (bound - SHORTEST))
        bound = min(LONGEST, 2 * bound)


class ReconnectingConnections(Generic[C]):
    """`async for connection in connections`, each being told as `lost` before the next one is asked
    for.

    `connect` gives a connection, or why there is none. A refused login is followed by the same
    pauses as a refused call (SEMANTICS B2), everything else by `delays`.
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
        """How the last one ended. `accepted`: it was logged in; `steady`: it had lasted, so that
        the delays restart.
        """
        if accepted:
            self._pause = Pause()
        if steady:
            self._delays = self._fresh()
        self._pause = after(self._pause, why.reason, self._clock.elapsed())
        self._wait = max(next(self._delays), self._pause.length)
