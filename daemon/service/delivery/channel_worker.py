"""Worker of one channel: sends queued notifications, and never gives up.

    queue ──► group ──► claim (committed) ──► the channel ──► outcome (committed) ──► queue
    book ──► claim (committed with the causing record) ──► leave ──┘
                └──► overtaken ──► withdraw (committed)

The attempt is recorded before the call. One without an outcome counts as delivered, and its retry
says that it may be a repeat. A claim that may be recorded is sent or withdrawn, whatever happens in
between (SEMANTICS F7). Channels share nothing but the queue: a slow or dead one delays no other
(SEMANTICS F2). Messages that a channel refuses for good, or fails to deliver for too long, go to
its fallback, or else to all others (F1, F3, F4).
"""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from daemon.alerts.silences import NO_SILENCES, find_silence
from daemon.errors import StoreError
from daemon.messages import report as reports
from daemon.messages.compose import ComposedMessage, compose, pair
from daemon.messages.report import Doubts
from daemon.messages.section import MessageItem, RenderContext
from daemon.notifiers import Notifier
from daemon.service.delivery.backoff import Health, WaitingNotification, due_at
from daemon.service.delivery.channel_state import ChannelState
from daemon.service.delivery.chart_sender import ChannelCharts
from daemon.service.delivery.context import ChannelPolicy, DeliveryContext
from daemon.service.delivery.fallback import Fallback
from daemon.service.delivery.queue import QueuedNotification
from daemon.service.delivery.rate import SendRate
from daemon.service.delivery.report_queue import QueuedReport
from daemon.store.operations import (
    Claim,
    CommitFailed,
    MessageKey,
    NoticeState,
    RecordAttempt,
    Supersede,
    Withdraw,
)
from daemon.types import (
    NEWS,
    SECOND,
    AttemptResult,
    Kind,
    Message,
    Millis,
    Notice,
    NoticeKey,
    Outcome,
    Silence,
)

HOLD: Millis = SECOND
"""Longest time that a channel stays reserved for a commit. Then queued messages go first."""
LISTEN: Millis = 10 * SECOND
"""How often a failing channel looks for a delivered test."""
_STATES = {Outcome.DELIVERED: NoticeState.DELIVERED}


@dataclass(frozen=True, slots=True)
class PreparedMessage:
    """A message that is ready to be claimed, with its notifications."""

    entries: Sequence[QueuedNotification]
    subject: Notice
    """The notification that it tells first."""
    message: Message
    claim: Claim
    made_at: Millis
    """Elapsed."""


class ChannelWorker:
    """Worker of one channel. At most one attempt is in flight."""

    def __init__(
        self, channel: ChannelPolicy, notifier: Notifier, context: DeliveryContext
    ) -> None:
        self.state = ChannelState(channel, context)
        self._channel = channel
        self._notifier = notifier
        self._context = context
        self._fallback = Fallback(channel, context, self.state)
        self._stopping = False
        self._pace = SendRate(notifier, context.clock)
        self._wake = context.notifications.changed(channel.name).set
        self._charts = ChannelCharts(
            context.chart_renderer, channel.name, notifier, self._pace, self._wake
        )
        self._silences: Sequence[Silence] = NO_SILENCES
        self._is_busy = False
        self._booked: PreparedMessage | None = None
        """Sent once its claim commits. Blocks other messages until then, at most HOLD."""
        self._claimed: PreparedMessage | None = None
        """Claimed, and to be sent at once."""

    async def run(self) -> None:
        """Deliver until stopped. Then try once what is due; the rest stays queued."""
        try:
            while not self._stopping:
                await self.state.heed_test()
                if self.state.is_failing_long:
                    await self._fallback.share(self._ready())
                if await self._due():
                    await self.attempt()
            if self._claimed is not None:
                await self.attempt()
            if self.state.health.streak == 0:
                await self.attempt()
        except asyncio.CancelledError:
            self._stopping = True
            raise
        finally:
            self._charts.close()
            left, self._claimed = self._claimed, None  # a worker that broke is started again
            if left is not None:
                await self._withdraw(left.claim)

    def stop(self) -> None:
        self._stopping = True
        self._wake()

    def book(self, notices: Sequence[Notice]) -> Claim | None:
        """Reserve the channel for a message: see `EagerSender`.

        None if the channel, its send rate or a queued message keeps it from leaving at once.
        """
        entries = [QueuedNotification(notice, self._context.clock.elapsed()) for notice in notices]
        if not self._is_free(entries):
            return None
        composed_message = self._compose(entries)
        if len(composed_message.told) < len(entries):
            return None
        self._booked = self._prepare(entries, composed_message)
        return self._booked.claim

    def holds(self, claim: Claim) -> bool:
        return self._booked is not None and self._booked.claim is claim and not self._stopping

    def leave(self, claim: Claim) -> None:
        assert self._booked is not None  # `holds` was true  # noqa: S101
        keys, queued = claim.keys, self._context.notifications.open(self._channel.name)
        self._claimed = replace(
            self._booked, entries=[entry for entry in queued if entry.notice.key in keys]
        )
        self._context.notifications.sending(keys)
        self.release(claim)

    def release(self, claim: Claim) -> None:
        if self._booked is not None and self._booked.claim is claim:
            self._booked = None
            self._wake()

    @property
    def _held_until(self) -> Millis | None:
        """End of the reservation for a pending commit."""
        return None if self._booked is None else self._booked.made_at + HOLD

    @property
    def _is_held(self) -> bool:
        return self._held_until is not None and self._context.clock.elapsed() < self._held_until

    def _is_free(self, entries: Sequence[QueuedNotification]) -> bool:
        """Whether a message with these entries could leave now.

        On a channel with charts inside messages it never can: the usual way waits for the chart.
        """
        context, now = self._context, self._context.clock.elapsed()
        taken = self._stopping or self._is_busy or self._is_held or self._claimed is not None
        if taken or self._charts.is_inside or self.state.health.streak or self.state.is_parked:
            return False
        if any(entry.notice.facts.not_before is not None for entry in entries):
            return False
        waiting = [WaitingNotification(entry.queued_at, entry.critical) for entry in entries]
        due = self._next(waiting)
        clear = context.notifications.is_clear(
            self._channel.name, [entry.notice.key for entry in entries]
        )
        return clear and due is not None and due <= now

    async def attempt(self) -> None:
        """Send one message with the waiting notifications, most severe first; else a report."""
        self._is_busy = True
        try:
            await self._attempt()
        finally:
            self._is_busy = False

    async def _attempt(self) -> None:
        leaving, self._claimed = self._claimed, None
        if leaving is not None:
            self.state.begun()
            await self._guarded(leaving.claim.keys, self._hand(leaving))
            return
        self._booked = None
        await self._drop_silenced()
        entries = self._ready()
        if not entries:
            await self._report()
            return
        if self.state.is_parked:
            await self._guarded(_keys(entries), self._fallback.take_over(entries))
            return
        composed_message = self._compose(entries)
        told = {item.episode for item in composed_message.told}
        prepared = self._prepare(
            [entry for entry in entries if entry.notice.episode in told], composed_message
        )
        await self._guarded(prepared.claim.keys, self._deliver(prepared))

    async def _drop_silenced(self) -> None:
        """Drop notifications silenced while they waited; keep possible repeats (SEMANTICS E2)."""
        context = self._context
        news = [entry for entry in self._ready() if entry.notice.key.kind in NEWS]
        if not news:
            return
        with suppress(StoreError):  # if they cannot be read, those known before hold
            self._silences = await context.async_store.silences(context.clock.now())
        now = context.clock.now()
        fresh = [
            each
            for each in news
            if each.notice.key.kind is not Kind.FIRING or not each.maybe_repeat
        ]
        held = [entry.notice.key for entry in fresh if self._is_silenced(entry.notice, now)]
        if held:
            await context.async_store.insist(Supersede(now, tuple(held)))
            context.notifications.supersede(held)

    def _is_silenced(self, notice: Notice, now: Millis) -> bool:
        key, alert = notice.key, notice.facts.code
        return find_silence(self._silences, key.rule, key.account, alert, now) is not None

    async def _guarded(
        self, keys: Sequence[NoticeKey], work: Coroutine[object, object, None]
    ) -> None:
        self._context.notifications.sending(keys)
        try:
            await work
        except Exception:
            # A bug must not keep the news from being tried again.
            self._context.notifications.unsend(keys)
            raise

    def _compose(self, entries: Sequence[QueuedNotification]) -> ComposedMessage:
        """Compose the next message; the beginning and the end of an alert stay together."""
        return compose(pair(map(self._item, entries)), self._leaving(entries))

    def _leaving(self, waited: Sequence[QueuedNotification | QueuedReport]) -> RenderContext:
        context = self._context
        return RenderContext(
            context.clock.now(),
            context.zone,
            self._channel.group_wait,
            self._notifier.traits.room,
            self._notifier.traits.weigh,
            self._notifier.traits.titles,
            "; ".join(self.state.why_late(waited)),
        )

    def _prepare(
        self, entries: Sequence[QueuedNotification], composed_message: ComposedMessage
    ) -> PreparedMessage:
        message = self._charts.with_chart(composed_message.message, composed_message.subject)
        claim = Claim(self.state.number(self._context.clock.now()), _keys(entries), message)
        return PreparedMessage(
            entries, composed_message.subject, message, claim, self._context.clock.elapsed()
        )

    async def _deliver(self, prepared: PreparedMessage) -> None:
        if await self._claim(prepared.claim):
            await self._hand(prepared)

    async def _hand(self, prepared: PreparedMessage) -> None:
        """Send a claimed message, and record the outcome."""
        entries, message = prepared.entries, prepared.message
        attempted = await self._send(message)
        await self._settle(prepared.claim.message, entries, attempted)
        told = [entry.notice for entry in entries]
        self._context.observer.attempted(self._channel.name, message, told, attempted)
        if attempted.outcome is Outcome.DELIVERED:
            self._charts.send_after_text(prepared.subject, self._is_idle)

    async def _report(self) -> None:
        """Send the next waiting report; a parked channel keeps it until it is tried again."""
        context, queued_report = self._context, self._queued_report
        if queued_report is None:
            return
        doubts = Doubts(queued_report.maybe_repeat, not queued_report.recorded)
        message = replace(
            reports.compose(queued_report.facts, self._leaving([queued_report]), doubts),
            picture=queued_report.picture,
        )
        claim = Claim(self.state.number(context.clock.now()), (), message, queued_report.key)
        if not await self._claim(claim):
            return
        attempted = await self._send(message)
        at = self._ended(attempted, ())
        await context.async_store.insist(
            RecordAttempt(claim.message, at, attempted, {}, report=queued_report.key)
        )
        context.report_queue.settle(queued_report, attempted.outcome)
        context.observer.attempted(self._channel.name, message, (), attempted)
        if attempted.outcome is Outcome.DELIVERED:
            self._charts.send_ready(queued_report.picture, message.severity, self._is_idle)

    @property
    def _queued_report(self) -> QueuedReport | None:
        """The next report to send."""
        return None if self.state.is_parked else self._context.report_queue.next(self._channel.name)

    async def _claim(self, claim: Claim) -> bool:
        """Record an attempt before the call; False if nobody knows whether it is recorded."""
        try:
            await self._context.async_store.write(claim)
        except CommitFailed:
            await self._withdraw(claim)
            self.state.put_off()
            return False
        except asyncio.CancelledError:
            await self._withdraw(claim)  # the store commits it all the same
            raise
        self.state.begun()
        return True

    async def _withdraw(self, claim: Claim) -> None:
        """Withdraw a claim whose message is not sent, so that it does not look like an attempt."""
        await self._context.async_store.insist(Withdraw(claim.message, self._context.clock.now()))
        self._context.notifications.unsend(claim.keys)

    async def _send(self, message: Message) -> AttemptResult:
        self._pace.note()
        try:
            return await self._notifier.send(message)
        except Exception as error:  # noqa: BLE001 -- it may have left before it broke
            return AttemptResult(
                Outcome.UNKNOWN, f"the way to {self._channel.name} broke ({type(error).__name__})"
            )

    async def _settle(
        self, key: MessageKey, entries: Sequence[QueuedNotification], attempted: AttemptResult
    ) -> None:
        context, elapsed = self._context, self._context.clock.elapsed()
        at = self._ended(attempted, entries)
        parked = self.state.is_parked
        handed = self._fallback.instead(entries, giving_up=True) if parked else []
        state = (
            NoticeState.REFUSED if parked else _STATES.get(attempted.outcome, NoticeState.QUEUED)
        )
        states = {entry.notice.key: state for entry in entries}
        told = {each: context.notifications.since_alert_began(each, elapsed) for each in states}
        await context.async_store.insist(
            RecordAttempt(key, at, attempted, states, tuple(handed), told)
        )
        self._fallback.queue(handed)
        context.notifications.settle(states, attempted.outcome, elapsed, give_up=parked)

    def _ended(self, attempted: AttemptResult, entries: Sequence[QueuedNotification]) -> Millis:
        critical = any(entry.critical for entry in (*entries, *self._ready()))
        return self.state.ended(attempted, critical=critical)

    def _ready(self) -> list[QueuedNotification]:
        clock = self._context.clock
        return self._context.notifications.ready(self._channel.name, clock.now(), clock.elapsed())

    def _is_idle(self) -> bool:
        """Whether no message may leave, and none is being sent."""
        return not self._ready() and not any(
            each.sending for each in self._context.notifications.open(self._channel.name)
        )

    def _released_at(self) -> Millis | None:
        """When the next mute window ends that holds something back here, by `elapsed`."""
        clock = self._context.clock
        span = self._context.notifications.held_for(
            self._channel.name, clock.now(), clock.elapsed()
        )
        return None if span is None else clock.elapsed() + span

    def _item(self, entry: QueuedNotification) -> MessageItem:
        unheard = self._context.notifications.is_unheard_end(entry.notice.key)
        return MessageItem(
            entry.notice, entry.maybe_repeat, not_recorded=not entry.recorded, unheard=unheard
        )

    async def _due(self) -> bool:
        """Wait until an attempt is due (True) or something has changed (False)."""
        context = self._context
        changed = context.notifications.changed(self._channel.name)
        changed.clear()
        if self._claimed is not None:
            return True
        waiting = list(self._waiting())
        now = context.clock.elapsed()
        due = self._next(waiting)
        if due is not None and due <= now:
            return True
        shared_at = None if self.state.is_failing_long else self.state.shared_at
        listen_at = now + LISTEN if self.state.health.streak else None
        times = (
            due,
            shared_at,
            self._released_at(),
            listen_at,
            self._held_until if self._is_held else None,
        )
        wake = min((at for at in times if at is not None), default=None)
        await first(changed.wait(), None if wake is None else context.clock.sleep(wake - now))
        return False

    def _waiting(self) -> Iterator[WaitingNotification]:
        entries = self._ready()
        if entries and self._charts.is_inside and self.state.health.streak == 0:
            self._charts.expect(self._compose(entries).subject)
        for entry in entries:
            yield WaitingNotification(
                entry.queued_at, entry.critical and not self._charts.is_awaited(entry.notice)
            )
        if self._queued_report is not None:
            yield WaitingNotification(self._queued_report.queued_at, critical=False)

    def _next(self, waiting: Sequence[WaitingNotification]) -> Millis | None:
        """When the next attempt is due; a parked channel reroutes instead of sending."""
        if self._is_held:
            return None
        if self.state.is_parked:
            return due_at(Health(), waiting, self._channel.group_wait)
        due = due_at(self.state.health, waiting, self._channel.group_wait)
        return None if due is None else max(due, self._pace.due_at)


def _keys(entries: Iterable[QueuedNotification]) -> tuple[NoticeKey, ...]:
    return tuple(entry.notice.key for entry in entries)


async def first(
    event: Coroutine[object, object, object], timer: Coroutine[object, object, None] | None
) -> None:
    """Return when the event is set or the timer ends."""
    tasks = [asyncio.ensure_future(one) for one in (event, timer) if one is not None]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
