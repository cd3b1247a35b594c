"""Dependencies of channel workers: the policy of one channel, and the context that all share."""

from collections.abc import Callable, Mapping, Sequence
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
    """Every other channel. They get messages that neither this one nor its fallback can deliver."""
    fallback: str = ""
    """The channel that is used instead; empty means all others."""
    patience: Millis = HAND_OVER_AFTER
    """How long it may fail before other channels get its messages."""


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """Dependencies that all channel workers share."""

    async_store: AsyncStore
    notifications: NotificationQueue
    clock: Clock
    zone: tzinfo | None
    jitter: Callable[[], float]
    observer: Observer
    absent: tuple[Millis, Millis] | None = None
    """The time before this instance began in which the daemon did not run."""
    chart_renderer: ChartRenderer = field(default_factory=ChartRenderer)
    report_queue: ReportQueue = field(default_factory=ReportQueue)
    refusing: set[str] = field(default_factory=set)
    """Channels that refused for good in this instance."""
    escalations: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Channels of `escalate`, by rule."""
