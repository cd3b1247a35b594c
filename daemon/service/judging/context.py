"""Context that the account owners and the self monitor share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from daemon.alerts.decide import Decision
from daemon.alerts.mutes import NO_MUTES, Mutes
from daemon.clock import Clock
from daemon.errors import StoreError
from daemon.log import FailureLog
from daemon.service.async_store import AsyncStore
from daemon.service.delivery.immediate import EagerClaims
from daemon.service.delivery.queue import NotificationQueue
from daemon.service.observer import Observer
from daemon.types import Millis, Notice, Silence, State


@dataclass(frozen=True, slots=True)
class JudgingContext:
    """Dependencies for judging. `book` prepares messages that can leave with the causing commit."""

    async_store: AsyncStore
    notifications: NotificationQueue
    clock: Clock
    channels: Sequence[str]
    codes: set[str]
    """The codes of all alerts that ever were."""
    failure_log: FailureLog
    observer: Observer
    offset: Millis
    """The wall clock's offset when this instance began: see `clock_monitor.offset`."""
    mutes: Mutes = NO_MUTES
    book: Callable[[Sequence[Notice]], EagerClaims] = lambda _: EagerClaims()
    max_jump: Decimal | None = None
    """Largest believed change as a share of the last available_margin; None means any."""

    async def silences(self, known: Sequence[Silence], at: Millis) -> Sequence[Silence]:
        """Silences for an instant; the ones known last if the database cannot be read."""
        try:
            return await self.async_store.silences(at)
        except StoreError:
            return known


def concerns(decision: Decision) -> bool:
    """Whether people may be told something; only then silences matter."""
    firing = any(alert.state is State.FIRING for alert in decision.state.alerts.values())
    return firing or bool(decision.record.notices)
