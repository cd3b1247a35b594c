"""Blocking calls of one channel from the event loop, one at a time, each given up when its time is over.

A call that was given up goes on in its thread, which nothing can stop: so the threads are daemonic (a hanging
receiver must not hold the process at its exit) and only a few of them may pile up.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Generic, TypeVar

from daemon.clock import Clock
from daemon.types import Millis

T = TypeVar("T")


class Unfinished(Enum):
    """Why a call gave no result."""

    TIMED_OUT = auto()
    """It was begun and given up; it may still succeed."""
    CROWDED = auto()
    """It was not begun: too many given-up calls still hang."""


class Calls(Generic[T]):
    """Runs blocking work for one channel; `abandoned` is how many given-up calls may still hang at a new one."""

    def __init__(self, clock: Clock, timeout: Millis, abandoned: int = 2) -> None:
        self._clock = clock
        self._timeout = timeout
        self._abandoned = abandoned
        self._turn = asyncio.Lock()
        self._running: set[object] = set()

    async def run(self, work: Callable[[], T]) -> T | Unfinished:
        """The result of the work, or why there is none. What the work raises is raised here."""
        async with self._turn:
            if len(self._running) > self._abandoned:
                return Unfinished.CROWDED
            return await self._within_time(self._begin(work))

    def _begin(self, work: Callable[[], T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        ticket = object()
        self._running.add(ticket)

        def call() -> None:
            settle = _attempt(work, future)
            self._running.discard(ticket)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle)

        threading.Thread(target=call, name="notifier", daemon=True).start()
        return future

    async def _within_time(self, future: asyncio.Future[T]) -> T | Unfinished:
        timer = asyncio.ensure_future(self._clock.sleep(self._timeout))
        try:
            either: set[asyncio.Future[Any]] = {future, timer}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return future.result() if future.done() else Unfinished.TIMED_OUT
        finally:
            timer.cancel()
            future.cancel()


def _attempt(work: Callable[[], T], future: asyncio.Future[T]) -> Callable[[], None]:
    """Do the work, here in its thread; gives what the event loop must do about it."""
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 - it is raised again where the call is awaited
        failure = error
        return lambda: None if future.done() else future.set_exception(failure)
    return lambda: None if future.done() else future.set_result(result)
