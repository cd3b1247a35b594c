"""Commits of a store that pass only when the test lets them, and what the store says meanwhile."""

import queue
import threading
from collections.abc import Callable

from sqlalchemy import Connection

from daemon.store import FaultInjection, Hooks
from daemon.store.operations import Operation

SOON = 10.0
"""Seconds after which a test that waits for a thread has failed."""


class Turnstile:
    """Commits, and waits between attempts, pass only when the test lets them."""

    def __init__(self) -> None:
        self.commits = 0
        self.fail: Callable[[Connection], None] | None = None
        self._retry = threading.Semaphore(0)
        self._busy = threading.Event()
        self._go = threading.Event()
        self._go.set()
        self.told: queue.Queue[str] = queue.Queue()
        self.rejected: list[Operation] = []

    def commit(self, connection: Connection) -> None:
        self._busy.set()
        assert self._go.wait(SOON)
        self.commits += 1
        if self.fail is not None:
            self.fail(connection)
        else:
            connection.commit()

    def wait(self, stop: threading.Event, seconds: float) -> None:
        while not stop.is_set() and not self._retry.acquire(timeout=0.01):
            pass

    def retry(self) -> None:
        self._retry.release()

    def hold(self) -> None:
        self._busy.clear()
        self._go.clear()

    def held(self) -> None:
        assert self._busy.wait(SOON)

    def release(self) -> None:
        self._go.set()

    @property
    def fault_injection(self) -> FaultInjection:
        return FaultInjection(commit=self.commit, wait=self.wait, limit=8)

    @property
    def hooks(self) -> Hooks:
        return Hooks(
            self.told.put,
            lambda: self.told.put("recovered"),
            lambda op, _: self.rejected.append(op),
        )

    def hear(self) -> str:
        return self.told.get(timeout=SOON)
