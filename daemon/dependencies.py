"""Dependencies that are injected: clock, randomness, notifiers. `demo` and tests replace them."""

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from daemon.charts.renderer import Drawer
from daemon.clock import Clock, SystemClock
from daemon.config import Channel
from daemon.notifiers import Notifier
from daemon.service.delivery.chart_sender import Renderer
from daemon.service.heartbeat import HeartbeatReceiver
from daemon.service.observer import Observer
from daemon.store import Store
from daemon.system_zone import system_zone_name


def _apprise(channel: Channel, clock: Clock) -> Notifier:
    from daemon.notifiers.apprise import AppriseNotifier  # noqa: PLC0415 -- `demo` does without

    return AppriseNotifier(channel.url.reveal(), clock)


def _monitor(url: str, clock: Clock) -> HeartbeatReceiver:
    from daemon.notifiers.monitor import HeartbeatMonitor  # noqa: PLC0415 -- `demo` does without

    return HeartbeatMonitor(url, clock)


@dataclass(frozen=True, slots=True)
class Dependencies:
    clock: Clock = field(default_factory=SystemClock)
    jitter: Callable[[], float] = random.random
    notifier: Callable[[Channel, Clock], Notifier] = _apprise
    drawer: Callable[[Clock], Renderer] = lambda clock: Drawer(clock, os.environ)
    monitor: Callable[[str, Clock], HeartbeatReceiver] = _monitor
    observers: Sequence[Observer] = ()
    open_store: Callable[..., Store] = Store.open
    system_zone: Callable[[], str] = lambda: system_zone_name(os.environ, Path("/"))
