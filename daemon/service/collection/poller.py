"""Polls the exchange for one account, slot by slot, and hands on the answers.

It neither judges nor stores. After a miss it keeps the distance that the exchange asks for
(SEMANTICS B2).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from daemon.clock import Clock
from daemon.exchanges import Exchange
from daemon.exchanges.common.penalties import Pause, pause_after
from daemon.types import Answer, NoAnswer, Source


@dataclass(frozen=True, slots=True)
class PollCallbacks:
    """Callbacks of the poller."""

    heard: Callable[[Answer | NoAnswer], bool | None]
    """True if the answer came too late to be used and must be requested again."""
    learned: Callable[[str], None]
    """Called with the exchange's user id at the first answer that contains it."""


class Poller:
    """Poller of one account. `user_id` is empty until it is known."""

    def __init__(
        self, exchange: Exchange, user_id: str, callbacks: PollCallbacks, clock: Clock
    ) -> None:
        self._exchange = exchange
        self._user_id = user_id
        self._callbacks = callbacks
        self._clock = clock
        self._busy = asyncio.Lock()
        self._wanted = asyncio.Event()
        self._identified = asyncio.Event()
        if user_id:
            self._identified.set()
        self.pause = Pause()

    async def identified(self) -> str:
        """The user id of the account; waits until it is known."""
        await self._identified.wait()
        return self._user_id

    async def tick(self) -> None:
        """Make the call of one slot, unless a pause that the exchange asked for still runs."""
        if await self._call():
            self.again()

    async def confirm(self) -> None:
        """Call now, before all routine polls, unless a pause still runs (SEMANTICS B5)."""
        if await self._call(urgent=True):
            self.again()

    def again(self) -> None:
        """Request an extra call after the present one; several requests are one call."""
        self._wanted.set()

    async def beside(self) -> None:
        """Make requested extra calls, until cancelled.

        One that came too late is not made a third time before the next slot: if balances move
        faster than calls travel, pushes tell all there is to know.
        """
        while True:
            await self._wanted.wait()
            await self._call()

    async def _call(self, *, urgent: bool = False) -> bool:
        """Make one call at a time; whether it must be made again. No call is made in a pause."""
        async with self._busy:
            self._wanted.clear()
            return self._clock.elapsed() >= self.pause.not_before and await self._ask(urgent=urgent)

    async def finished(self) -> None:
        """Wait until no call is under way."""
        async with self._busy:
            pass

    async def _ask(self, *, urgent: bool) -> bool:
        answer = await self._exchange.read(urgent=urgent)
        if isinstance(answer, Answer) and not self._user_id:
            self._user_id = answer.user_id
            self._identified.set()
            self._callbacks.learned(answer.user_id)
        reason = answer.reason if isinstance(answer, NoAnswer) else None
        self.pause = pause_after(self.pause, reason, self._clock.elapsed())
        sent = answer
        if urgent and isinstance(answer, Answer):
            sent = replace(answer, source=Source.CONFIRM)
        return bool(self._callbacks.heard(sent))
