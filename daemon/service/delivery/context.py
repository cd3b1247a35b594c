"""What couriers are given: the channel that each of them serves, and what all of them share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from daemon.clock import Clock
from daemon.service.async_store import AsyncStore
from daemon.service.delivery.chart_sender import ChartRenderer
from daemon.service.delivery.queue import NotificationQueue
from daemon.service.delivery.report_queue import ReportQueue
from daemon.service.observer import Observer
from daemon.types import MINUTE, Millis

HAND_OVER_AFTER: Millis = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    name: str
    group_wait: Millis
    others: Sequence[str] = ()
    """Every other channel: where the news goes that neither this one nor its fallback can
    deliver.
    """
    fallback: str = ""
    """The one that is told instead; empty is all others."""
    patience: Millis = HAND_OVER_AFTER
    """For how long it may fail before others are told what waits."""


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """What all couriers share."""

    async_store: AsyncStore
    notifications: NotificationQueue
    clock: Clock
    zone: tzinfo | None
    jitter: Callable[[], float]
    observer: Observer
    absent: tuple[Millis, Millis] | None = None
    """From when to when nobody watched, before this life began."""
    chart_renderer: ChartRenderer = field(default_factory=ChartRenderer)
    report_queue: ReportQueue = field(default_factory=ReportQueue)
    refusing: set[str] = field(default_factory=set)
    """The channels that refused for good in this life of the daemon."""
