"""Blocking calls of one channel from the event loop, one at a time, each ended at its timeout.

A call ends with its connections: then its thread has nothing more to wait for. Only name resolution
cannot be ended. So the threads are daemonic (they must not delay the process's exit) and only a few
may pile up.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import Generic, TypeVar

from daemon.clock import Clock, ends_within
from daemon.notifiers.transport import send_turns
from daemon.notifiers.transport.connections import CallConnections
from daemon.notifiers.transport.send_turns import SendTurns
from daemon.types import SECOND, Millis

T = TypeVar("T")

GRACE: Millis = SECOND
"""Time for a call whose connections were ended to report its result."""


class Unfinished(Enum):
    """The reason why a call gave no result."""

    TIMED_OUT = auto()
    """The call was begun and given up; it may still succeed."""
    UNSENT = auto()
    """The call was begun and given up before anything of the message left: it cannot succeed."""
    CROWDED = auto()
    """The call was not begun: too many given-up calls still hang."""


class BoundedCalls(Generic[T]):
    """Runs blocking work for one channel.

    `abandoned` is the number of given-up calls that may still hang when a new one starts. `is_sure`
    says whether the result of a call that was ended is still valid. Calls with the same
    `turns` leave one after another.
    """

    def __init__(
        self,
        clock: Clock,
        timeout: Millis,
        is_sure: Callable[[T], bool],
        abandoned: int = 2,
        turns: SendTurns = send_turns.ALL,
    ) -> None:
        self._clock = clock
        self._timeout = timeout
        self._is_sure = is_sure
        self._abandoned = abandoned
        self._turns = turns
        self._turn = asyncio.Lock()
        self._running: set[object] = set()

    async def run(self, work: Callable[[], T]) -> T | Unfinished:
        """The result of the work, or why there is none. Exceptions of the work are raised here."""
        async with self._turn:
            if len(self._running) > self._abandoned:
                return Unfinished.CROWDED
            connections = CallConnections(self._turns.away)
            return await self._within_time(self._begin(work, connections), connections)

    def _begin(self, work: Callable[[], T], connections: CallConnections) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        ticket = object()
        self._running.add(ticket)

        def call() -> None:
            self._turns.begin(connections)
            with connections.kept():
                settle = _attempt(work, future)
            connections.away()
            self._running.discard(ticket)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle)

        threading.Thread(target=call, name="notifier", daemon=True).start()
        return future

    async def _within_time(
        self, future: asyncio.Future[T], connections: CallConnections
    ) -> T | Unfinished:
        try:
            if await ends_within(self._clock, future, self._timeout):
                return future.result()
            connections.end()
            if await ends_within(self._clock, future, GRACE) and self._holds(future):
                return future.result()
            return Unfinished.UNSENT if connections.sent is False else Unfinished.TIMED_OUT
        finally:
            connections.end()
            future.cancel()

    def _holds(self, future: asyncio.Future[T]) -> bool:
        """Whether a call that was ended has a valid result: the message may have been accepted."""
        return future.exception() is None and self._is_sure(future.result())


def _attempt(work: Callable[[], T], future: asyncio.Future[T]) -> Callable[[], None]:
    """Do the work in this thread; returns the step that the event loop must do next."""
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 - it is raised again where the call is awaited
        failure = error
        return lambda: None if future.done() else future.set_exception(failure)
    return lambda: None if future.done() else future.set_result(result)
