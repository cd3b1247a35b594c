"""Keeps loops alive: a bug in one stops neither the others, nor itself for good."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from daemon.clock import Clock
from daemon.errors import MarginwatchError
from daemon.log import FailureLog
from daemon.types import SECOND

_log = logging.getLogger("marginwatch")


async def supervise(
    name: str, loop: Callable[[], Awaitable[None]], clock: Clock, failure_log: FailureLog
) -> None:
    """Run `loop` until it ends or is cancelled; restart it one second after it broke."""
    while True:
        try:
            await loop()
        except asyncio.CancelledError:
            raise
        except MarginwatchError as error:  # not a bug: its text says what to do
            sentence = f"{name} cannot go on, and is tried again every second: {error}"
            failure_log.failed(("broke", name), sentence, reason=str(error))
            await clock.sleep(SECOND)
        except Exception as error:  # noqa: BLE001 -- logged below; the loop goes on
            sentence = (
                f"{name} broke ({type(error).__name__}: {error}) and is started again; please"
                " report this"
            )
            _log.debug("%s broke", name, exc_info=error)
            failure_log.failed(("broke", name), sentence, reason=type(error).__name__)
            await clock.sleep(SECOND)
        else:
            return


class Loops:
    """The loops of one instance, by name, each kept alive."""

    def __init__(self, clock: Clock, failure_log: FailureLog) -> None:
        self._clock = clock
        self._failure_log = failure_log
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def run(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        self._tasks[name] = asyncio.create_task(
            supervise(name, loop, self._clock, self._failure_log), name=name
        )

    def cancel(self, name: str) -> None:
        self._tasks[name].cancel()

    def ended(self, name: str) -> Awaitable[None]:
        """The end of the loop, to be awaited."""
        return self._tasks[name]

    async def end(self, patience: float) -> None:
        """Cancel running loops and wait for their end.

        A loop may first finish the step in hand, within `patience` seconds; then that is cancelled,
        too.
        """
        running = set(self._tasks.values())
        for _ in range(2):
            for task in running:
                task.cancel()
            if running:
                _, running = await asyncio.wait(running, timeout=patience)
