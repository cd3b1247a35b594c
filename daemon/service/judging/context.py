"""Context that the account owners and the self monitor share."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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

_log = logging.getLogger("marginwatch")


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
    noted: set[int] = field(default_factory=set)
    """Numbers of the silences that were logged: each once, when it first concerns an alert."""

    async def silences(self, known: Sequence[Silence], at: Millis) -> Sequence[Silence]:
        """Silences for an instant; the ones known last if the database cannot be read."""
        try:
            found = await self.async_store.silences(at)
        except StoreError:
            return known
        for each in found:
            if each.id not in self.noted:
                self.noted.add(each.id)
                _log.info("%s", _noted(each), extra=_fields(each))
        return found


def _noted(silence: Silence) -> str:
    why = f" ({silence.comment})" if silence.comment else ""
    if silence.ack:
        return f"alert {silence.code} is acknowledged{why}"
    about = f"alert {silence.code}" if silence.code else f"{silence.rule} on {silence.account}"
    return f"silence {silence.id} holds back {about}{why}"


def _fields(silence: Silence) -> dict[str, str]:
    about = {"account": silence.account, "rule": silence.rule, "alert": silence.code}
    return {key: value for key, value in about.items() if value}


def concerns(decision: Decision) -> bool:
    """Whether people may be told something; only then silences matter."""
    firing = any(alert.state is State.FIRING for alert in decision.state.alerts.values())
    return firing or bool(decision.record.notices)
