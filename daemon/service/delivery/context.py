"""What couriers are given: the channel that each of them serves, and what all of them share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from daemon.clock import Clock
from daemon.service.async_store import Journal
from daemon.service.delivery.chart_sender import Artist
from daemon.service.delivery.queue import Ledger
from daemon.service.delivery.report_queue import Tray
from daemon.service.observer import Watcher
from daemon.types import MINUTE, Millis

HAND_OVER_AFTER: Millis = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class Channel:
    name: str
    group_wait: Millis
    others: Sequence[str] = ()
    """Every other channel: where the news goes that neither this one nor its fallback can deliver."""
    fallback: str = ""
    """The one that is told instead; empty is all others."""
    patience: Millis = HAND_OVER_AFTER
    """For how long it may fail before others are told what waits."""


@dataclass(frozen=True, slots=True)
class Office:
    """What all couriers share."""

    journal: Journal
    ledger: Ledger
    clock: Clock
    zone: tzinfo | None
    jitter: Callable[[], float]
    watcher: Watcher
    absent: tuple[Millis, Millis] | None = None
    """From when to when nobody watched, before this life began."""
    artist: Artist = field(default_factory=Artist)
    tray: Tray = field(default_factory=Tray)
    refusing: set[str] = field(default_factory=set)
    """The channels that refused for good in this life of the daemon."""
