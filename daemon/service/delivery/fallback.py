"""Fallback routing: where messages go that a channel refused, or failed to deliver for too long.

See SEMANTICS F1, F3, F4.
"""

from collections.abc import Sequence
from dataclasses import replace

from daemon.service.delivery.channel_state import ChannelState
from daemon.service.delivery.context import ChannelPolicy, DeliveryContext
from daemon.service.delivery.queue import QueuedNotification
from daemon.store.operations import Reroute
from daemon.types import Notice, Outcome, base


class Fallback:
    """Fallback of one channel: the configured one, or else all others."""

    def __init__(
        self, channel: ChannelPolicy, context: DeliveryContext, state: ChannelState
    ) -> None:
        self._channel = channel
        self._context = context
        self._state = state

    async def share(self, waiting: Sequence[QueuedNotification]) -> None:
        """Send waiting messages to the other channels too; this channel keeps trying."""
        handed = self.instead(waiting, giving_up=False)
        if handed:
            await self._context.async_store.insist(
                Reroute(self._context.clock.now(), tuple(handed))
            )
            self.queue(handed)

    async def take_over(self, entries: Sequence[QueuedNotification]) -> None:
        """Send everything of a parked channel to others at once: it is not tried before a test."""
        context, at = self._context, self._context.clock.now()
        handed = self.instead(entries, giving_up=True)
        keys = tuple(entry.notice.key for entry in entries)
        await context.async_store.insist(Reroute(at, tuple(handed), refused=keys))
        self.queue(handed)
        context.notifications.settle(keys, Outcome.REFUSED, context.clock.elapsed(), give_up=True)

    def instead(self, entries: Sequence[QueuedNotification], *, giving_up: bool) -> list[Notice]:
        """Notifications for other channels, once for each that this one keeps trying."""
        fresh = [entry for entry in entries if giving_up or not entry.handed_over]
        for entry in fresh:
            entry.handed_over = True
        return [
            notice
            for entry in fresh
            for notice in self._elsewhere(entry.notice, giving_up=giving_up)
        ]

    def queue(self, handed: Sequence[Notice]) -> None:
        """Queue notifications whose reroute is recorded."""
        for notice in handed:
            self._context.notifications.queue(notice, self._context.clock.elapsed())

    def _elsewhere(self, notice: Notice, *, giving_up: bool) -> list[Notice]:
        """Reroute to the fallback; if it has the news, or is not set, to all others (F4)."""
        notifications, outage = self._context.notifications, self._state.outage
        if outage is not None:
            facts = replace(
                notice.facts, handed_over_since=outage.since, handed_over_why=outage.answer
            )
            notice = replace(notice, facts=facts)
        if self._channel.fallback:
            handed = notifications.reroute(notice, (self._channel.fallback,), giving_up=False)
            if handed or notifications.was_delivered(notice.key, self._channel.fallback):
                return handed
        later = self._context.escalations.get(base(notice.key.rule), ())
        others = self._channel.others
        return notifications.reroute(notice, others, giving_up=giving_up, later=later)
