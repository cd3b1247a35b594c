"""Asks again where a reading is not believed at once, and says when it has waited long enough
(SEMANTICS B5).

    suspicion ──► a confirming read, before all routine polls ──► the owner, as any answer
              └─► PATIENCE later ──► Overdue ──► the owner judges what nothing has settled

It decides nothing: whatever arrives in time settles the suspicion, and a word that comes too late
changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from daemon.clock import Clock
from daemon.readings.plausibility import PendingSuspect
from daemon.types import SECOND, Millis

PATIENCE: Millis = 3 * SECOND
"""From a suspect reading to its judgement, where nothing settles it."""

APART: Millis = 10 * SECOND
"""Between two confirming reads of an account; meanwhile its polls settle what is suspect, or
PATIENCE does.
"""


@dataclass(frozen=True, slots=True)
class Overdue:
    """The suspects that follow each other since this counter have waited long enough."""

    first: int


Ask = Callable[[], Awaitable[None]]
Post = Callable[[Overdue], None]


class Confirmer:
    """Of one account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._suspicions: asyncio.Queue[tuple[PendingSuspect, bool]] = asyncio.Queue()
        self._asked_at: Millis | None = None
        self._stopping = False

    def doubted(self, suspicion: PendingSuspect) -> None:
        """A reading was recorded that is not believed at once."""
        self._suspicions.put_nowait((suspicion, False))

    def left(self, suspicion: PendingSuspect) -> None:
        """The last life left it: it is judged when the first attempt to read has ended (SEMANTICS
        A4).
        """
        self._suspicions.put_nowait((suspicion, True))

    def stop(self) -> None:
        """Ask no more: what is suspect is left to the next life."""
        self._stopping = True

    async def run(self, ask: Ask, post: Post) -> None:
        """`ask` makes one call whose answer the owner gets, or none where the exchange wants to be
        left alone.
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
