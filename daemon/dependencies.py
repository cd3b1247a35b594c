"""What the daemon meets outside itself: the clock, randomness, the ways out. `demo` and the tests give another one."""

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from daemon.charts.renderer import Drawer
from daemon.clock import Clock, SystemClock
from daemon.config import Channel
from daemon.notifiers import Notifier
from daemon.service.delivery.chart_sender import Draws
from daemon.service.heartbeat import Monitor
from daemon.service.observer import Watcher
from daemon.store import Store


def _apprise(channel: Channel, clock: Clock) -> Notifier:
    from daemon.notifiers.apprise import AppriseNotifier  # noqa: PLC0415 -- `demo` does without

    return AppriseNotifier(channel.url.reveal(), clock)


def _drawer(clock: Clock) -> Draws:
    return Drawer(clock, os.environ)


def _monitor(url: str, clock: Clock) -> Monitor:
    from daemon.notifiers import monitor as heartbeat  # noqa: PLC0415 -- most configurations need it, `demo` does not

    return heartbeat.Monitor(url, clock)


@dataclass(frozen=True, slots=True)
class World:
    clock: Clock = field(default_factory=SystemClock)
    jitter: Callable[[], float] = random.random
    notifier: Callable[[Channel, Clock], Notifier] = _apprise
    drawer: Callable[[Clock], Draws] = _drawer
    monitor: Callable[[str, Clock], Monitor] = _monitor
    watchers: Sequence[Watcher] = ()
    open_store: Callable[..., Store] = Store.open
