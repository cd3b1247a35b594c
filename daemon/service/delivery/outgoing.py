"""Outgoing messages: composed from what waits for a channel, and ready to be claimed.

queued notifications ──┐
                       ├──► text of the channel's size ──► chart, if ready ──► claim
a queued report ───────┘
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from daemon.messages import report as reports
from daemon.messages.compose import compose, pair
from daemon.messages.report import Doubts
from daemon.messages.section import MessageItem, RenderContext
from daemon.notifiers import Notifier
from daemon.service.delivery.channel_state import ChannelState
from daemon.service.delivery.chart_sender import ChannelCharts
from daemon.service.delivery.context import ChannelPolicy, DeliveryContext
from daemon.service.delivery.queue import QueuedNotification
from daemon.service.delivery.report_queue import QueuedReport
from daemon.store.operations import Claim
from daemon.types import Message, Millis, Notice


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message with its claim, and what it is made of: notifications, or one report."""

    message: Message
    claim: Claim
    made_at: Millis
    """Elapsed."""
    entries: Sequence[QueuedNotification] = ()
    subject: Notice | None = None
    """The notification that it tells first; None for a report."""
    report: QueuedReport | None = None


class Composer:
    """Composes the messages of one channel."""

    def __init__(
        self,
        channel: ChannelPolicy,
        notifier: Notifier,
        context: DeliveryContext,
        state: ChannelState,
        charts: ChannelCharts,
    ) -> None:
        self._channel = channel
        self._notifier = notifier
        self._context = context
        self._state = state
        self._charts = charts

    def subject(self, entries: Sequence[QueuedNotification]) -> Notice:
        """The notification that a message with these entries would tell first."""
        return compose(pair(map(self._item, entries)), self._render_context(entries)).subject

    def notifications(self, entries: Sequence[QueuedNotification]) -> Outgoing:
        """Compose as many of these as fit into one message, the most severe first.

        The beginning and the end of an alert stay together.
        """
        composed = compose(pair(map(self._item, entries)), self._render_context(entries))
        told = {item.episode for item in composed.told}
        kept = [entry for entry in entries if entry.notice.episode in told]
        message = self._charts.with_chart(composed.message, composed.subject)
        keys = tuple(entry.notice.key for entry in kept)
        claim = Claim(self._state.number(self._context.clock.now()), keys, message)
        return Outgoing(message, claim, self._context.clock.elapsed(), kept, composed.subject)

    def report(self, queued: QueuedReport) -> Outgoing:
        """Compose a report."""
        doubts = Doubts(queued.maybe_repeat, not queued.recorded)
        text = reports.compose(queued.facts, self._render_context([queued]), doubts)
        message = replace(text, picture=queued.picture)
        claim = Claim(self._state.number(self._context.clock.now()), (), message, queued.key)
        return Outgoing(message, claim, self._context.clock.elapsed(), report=queued)

    def _item(self, entry: QueuedNotification) -> MessageItem:
        unheard = self._context.notifications.is_unheard_end(entry.notice.key)
        return MessageItem(
            entry.notice, entry.maybe_repeat, not_recorded=not entry.recorded, unheard=unheard
        )

    def _render_context(self, waited: Sequence[QueuedNotification | QueuedReport]) -> RenderContext:
        traits = self._notifier.traits
        return RenderContext(
            self._context.clock.now(),
            self._context.zone,
            self._channel.group_wait,
            traits.room,
            traits.weigh,
            traits.titles,
            "; ".join(self._state.why_late(waited)),
        )
