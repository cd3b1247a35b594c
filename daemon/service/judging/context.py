"""What all who judge share: the owners of the accounts, and the watch over the daemon itself."""

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
    """`book` says what of the news can leave with the commit that causes it."""

    async_store: AsyncStore
    notifications: NotificationQueue
    clock: Clock
    channels: Sequence[str]
    codes: set[str]
    """Those of all alerts that ever were."""
    episodes: FailureLog
    observer: Observer
    offset: Millis
    """The wall clock's, as this life began: see `watchdog.offset`."""
    mutes: Mutes = NO_MUTES
    book: Callable[[Sequence[Notice]], EagerClaims] = lambda _: EagerClaims()
    max_jump: Decimal | None = None
    """The share of the last available_margin by which a believed one differs at most; None is
    any.
    """

    async def silences(self, known: Sequence[Silence], at: Millis) -> Sequence[Silence]:
        """As they stand for an instant; as they were last known where nobody can read them."""
        try:
            return await self.async_store.silences(at)
        except StoreError:
            return known


def concerns(decision: Decision) -> bool:
    """Whether people may be told something: all else needs no look at what they asked not to be
    told.
    """
    firing = any(alert.state is State.FIRING for alert in decision.state.alerts.values())
    return firing or bool(decision.record.notices)
