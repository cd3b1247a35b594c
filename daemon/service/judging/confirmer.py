"""Confirms a reading that is not believed at once, and limits how long that takes (SEMANTICS B5).

    suspect ──► a confirming read, before all routine polls ──► the owner, as any answer
        └─► PATIENCE later ──► Overdue ──► the owner judges it if nothing has settled it

It decides nothing: whatever arrives in time settles the suspect, and a late `Overdue` changes
nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from daemon.clock import Clock
from daemon.readings.plausibility import PendingSuspect
from daemon.types import SECOND, Millis

PATIENCE: Millis = 3 * SECOND
"""Time from a suspect reading to its judgement, if nothing settles it."""

APART: Millis = 10 * SECOND
"""Least time between two confirming reads of an account.

Meanwhile its polls settle a suspect, or PATIENCE does.
"""


@dataclass(frozen=True, slots=True)
class Overdue:
    """The suspects that follow each other since this counter have waited long enough."""

    first: int


Ask = Callable[[], Awaitable[None]]
Post = Callable[[Overdue], None]


class Confirmer:
    """Confirmer of one account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._suspicions: asyncio.Queue[tuple[PendingSuspect, bool]] = asyncio.Queue()
        self._asked_at: Millis | None = None
        self._stopping = False

    def doubted(self, suspicion: PendingSuspect) -> None:
        """Confirm a recorded reading that is not believed at once."""
        self._suspicions.put_nowait((suspicion, False))

    def left(self, suspicion: PendingSuspect) -> None:
        """Settle a suspect of the last instance, after the first attempt to read (SEMANTICS A4)."""
        self._suspicions.put_nowait((suspicion, True))

    def stop(self) -> None:
        """Make no more confirming reads: the next instance settles suspects."""
        self._stopping = True

    async def run(self, ask: Ask, post: Post) -> None:
        """Confirm suspects until cancelled.

        `ask` makes one call whose answer goes to the owner, or none during a pause that the
        exchange asked for.
        """
        async with asyncio.TaskGroup() as tasks:
            while True:
                suspicion, is_left = await self._suspicions.get()
                if is_left:
                    tasks.create_task(self._at_a_start(ask, post, Overdue(suspicion.first)))
                    continue
                tasks.create_task(self._ask(ask))
                if suspicion.begins:
                    tasks.create_task(self._wait(post, Overdue(suspicion.first)))

    async def _ask(self, ask: Ask) -> None:
        now = self._clock.elapsed()
        if self._stopping or (self._asked_at is not None and now - self._asked_at < APART):
            return
        self._asked_at = now
        await ask()

    async def _wait(self, post: Post, overdue: Overdue) -> None:
        await self._clock.sleep(PATIENCE)
        post(overdue)

    async def _at_a_start(self, ask: Ask, post: Post, overdue: Overdue) -> None:
        await self._ask(ask)
        post(overdue)
