"""Asks the exchange about one account, slot by slot, and hands on what came of it.

It neither judges nor stores. After a miss it keeps the distance that the exchange asks for (SEMANTICS B2).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from daemon.clock import Clock
from daemon.exchanges import Exchange
from daemon.exchanges.pauses import Pause, after
from daemon.types import Answer, NoAnswer


@dataclass(frozen=True, slots=True)
class Ears:
    """Who hears what the exchange said."""

    heard: Callable[[Answer | NoAnswer], None]
    learned: Callable[[str], None]
    """Whose account it is: called with the exchange's user id at the first answer that tells it."""


class Poller:
    """Of one account. `user_id` is empty until it is known."""

    def __init__(self, exchange: Exchange, user_id: str, ears: Ears, clock: Clock) -> None:
        self._exchange = exchange
        self._user_id = user_id
        self._ears = ears
        self._clock = clock
        self._busy = asyncio.Lock()
        self.pause = Pause()

    async def tick(self) -> None:
        """One slot: a call, unless the exchange asked for a pause that still runs."""
        if self._clock.elapsed() >= self.pause.not_before:
            async with self._busy:
                await self._ask()

    async def finished(self) -> None:
        """Returns when no call is under way."""
        async with self._busy:
            pass

    async def _ask(self) -> None:
        answer = await self._exchange.read()
        if isinstance(answer, Answer) and not self._user_id:
            self._user_id = answer.user_id
            self._ears.learned(answer.user_id)
        reason = answer.reason if isinstance(answer, NoAnswer) else None
        self.pause = after(self.pause, reason, self._clock.elapsed())
        self._ears.heard(answer)
