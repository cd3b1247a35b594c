"""Worker of one channel: sends what waits for it, one message at a time, and never gives up.

    due ──► compose ──► claim (committed) ──► send ──► settle (committed)
    book ──► claim (committed with the causing record) ──► leave ──┘
                └──► overtaken ──► withdraw (committed)

The attempt is recorded before the call. One without an outcome counts as delivered, and its retry
says that it may be a repeat. A claim that may be recorded is sent or withdrawn, whatever happens in
between (SEMANTICS F7). Channels share nothing but the queue: a slow or dead one delays no other
(SEMANTICS F2). Messages that a channel refuses for good, or fails to deliver for too long, go to
its fallback, or else to all others (F1, F3, F4).
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from daemon.alerts.silences import NO_SILENCES, find_acknowledgement, find_silence
from daemon.errors import StoreError
from daemon.notifiers import Notifier
from daemon.service.async_tools import event_or_timer
from daemon.service.delivery.backoff import Health, WaitingNotification, due_at
from daemon.service.delivery.channel_state import ChannelState
from daemon.service.delivery.chart_sender import ChannelCharts
from daemon.service.delivery.context import ChannelPolicy, DeliveryContext
from daemon.service.delivery.fallback import Fallback
from daemon.service.delivery.outgoing import Composer, Outgoing
from daemon.service.delivery.queue import QueuedNotification
from daemon.service.delivery.rate import SendRate
from daemon.service.delivery.report_queue import QueuedReport
from daemon.store.operations import (
    Claim,
    CommitFailed,
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
    Outcome,
    Silence,
    base,
)

HOLD: Millis = SECOND
"""Longest time that a channel stays reserved for a commit. Then queued messages go first."""


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
        self._composer = Composer(channel, notifier, context, self.state, self._charts)
        self._silences: Sequence[Silence] = NO_SILENCES
        self._is_busy = False
        self._booked: Outgoing | None = None
        """Sent once its claim commits. Blocks other messages until then, at most HOLD."""
        self._claimed: Outgoing | None = None
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

    # Messages that leave at once: see `EagerSender`.

    def book(self, notices: Sequence[Notice]) -> Claim | None:
        """Reserve the channel for a message.

        None if the channel, its send rate or a queued message keeps it from leaving at once.
        """
        entries = [QueuedNotification(notice, self._context.clock.elapsed()) for notice in notices]
        if not self._is_free(entries):
            return None
        outgoing = self._composer.notifications(entries)
        if len(outgoing.entries) < len(entries):
            return None
        self._booked = outgoing
        return outgoing.claim

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

    @property
    def _held_until(self) -> Millis | None:
        """End of the reservation for a pending commit."""
        return None if self._booked is None else self._booked.made_at + HOLD

    @property
    def _is_held(self) -> bool:
        return self._held_until is not None and self._context.clock.elapsed() < self._held_until

    # Stage 1: due.

    async def _due(self) -> bool:
        """Wait until an attempt is due (True) or something has changed (False)."""
        context = self._context
        changed = context.notifications.changed(self._channel.name)
        changed.clear()
        if self._claimed is not None:
            return True
        now, due = context.clock.elapsed(), self._next(list(self._waiting()))
        if due is not None and due <= now:
            return True
        times = (
            due,
            None if self.state.is_failing_long else self.state.shared_at,
            self._released_at(),
            self.state.listen_at,
            self._held_until if self._is_held else None,
        )
        wake = min((at for at in times if at is not None), default=None)
        await event_or_timer(changed, None if wake is None else context.clock.sleep(wake - now))
        return False

    def _waiting(self) -> Iterator[WaitingNotification]:
        entries = self._ready()
        if entries and self._charts.is_inside and self.state.health.streak == 0:
            self._charts.expect(self._composer.subject(entries))
        for entry in entries:
            yield WaitingNotification(
                entry.queued_at, entry.critical and not self._charts.is_awaited(entry.notice)
            )
        report = self._queued_report
        if report is not None:
            yield WaitingNotification(report.queued_at, critical=False)

    def _next(self, waiting: Sequence[WaitingNotification]) -> Millis | None:
        """When the next attempt is due; a parked channel reroutes instead of sending."""
        if self._is_held:
            return None
        if self.state.is_parked:
            return due_at(Health(), waiting, self._channel.group_wait)
        due = due_at(self.state.health, waiting, self._channel.group_wait)
        return None if due is None else max(due, self._pace.due_at)

    def _released_at(self) -> Millis | None:
        """When the next mute window ends that holds something back here, by `elapsed`."""
        clock = self._context.clock
        span = self._context.notifications.held_for(
            self._channel.name, clock.now(), clock.elapsed()
        )
        return None if span is None else clock.elapsed() + span

    def _ready(self) -> list[QueuedNotification]:
        clock = self._context.clock
        return self._context.notifications.ready(self._channel.name, clock.now(), clock.elapsed())

    @property
    def _queued_report(self) -> QueuedReport | None:
        """The next report to send; a parked channel keeps it until it is tried again."""
        return None if self.state.is_parked else self._context.report_queue.next(self._channel.name)

    # The attempt.

    async def attempt(self) -> None:
        """Send one message: the claimed one, else waiting notifications, else a report."""
        self._is_busy = True
        try:
            await self._attempt()
        finally:
            self._is_busy = False

    async def _attempt(self) -> None:
        outgoing, self._claimed = self._claimed, None
        is_claimed = outgoing is not None
        if outgoing is None:
            outgoing = await self._compose()
        if outgoing is None:
            return
        with self._sending(outgoing.entries):
            if is_claimed or await self._claim(outgoing.claim):
                await self._settle(outgoing, await self._send(outgoing.message))

    @contextmanager
    def _sending(self, entries: Sequence[QueuedNotification]) -> Iterator[None]:
        """Mark notifications as being sent. A bug must not keep them from being tried again."""
        keys = [entry.notice.key for entry in entries]
        self._context.notifications.sending(keys)
        try:
            yield
        except Exception:
            self._context.notifications.unsend(keys)
            raise

    # Stage 2: compose.

    async def _compose(self) -> Outgoing | None:
        """Compose the next message; None if nothing waits, or others get what waits."""
        self._booked = None
        await self._drop_held()
        entries, report = self._ready(), self._queued_report
        if entries and self.state.is_parked:
            with self._sending(entries):
                await self._fallback.take_over(entries)
            return None
        if entries:
            return self._composer.notifications(entries)
        return None if report is None else self._composer.report(report)

    async def _drop_held(self) -> None:
        """Drop notifications that a silence or an acknowledgement holds (SEMANTICS E2, E6)."""
        context = self._context
        news = [entry for entry in self._ready() if entry.notice.key.kind in NEWS]
        if not news:
            return
        with suppress(StoreError):  # if they cannot be read, those known before hold
            self._silences = await context.async_store.silences(context.clock.now())
        now = context.clock.now()
        held = [entry.notice.key for entry in news if self._is_to_drop(entry, now)]
        if held:
            await context.async_store.insist(Supersede(now, tuple(held)))
            context.notifications.supersede(held)

    def _is_to_drop(self, entry: QueuedNotification, now: Millis) -> bool:
        """Whether a silence holds it, or it would escalate an acknowledged alert to this channel.

        A possible repeat of the firing is kept. A channel of `escalate` that others hand the news
        over to is told nothing either: somebody knows of the alert.
        """
        key, code = entry.notice.key, entry.notice.facts.code
        if key.kind is Kind.FIRING and entry.maybe_repeat:
            return False
        if find_silence(self._silences, key.rule, key.account, code, now) is not None:
            return True
        later = self._context.escalations.get(base(key.rule), ())
        if self._channel.name not in later or self._context.notifications.was_told(key):
            return False
        return find_acknowledgement(self._silences, code, now) is not None

    # Stage 3: claim.

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
        return True

    async def _withdraw(self, claim: Claim) -> None:
        """Withdraw a claim whose message is not sent, so that it does not look like an attempt."""
        await self._context.async_store.insist(Withdraw(claim.message, self._context.clock.now()))
        self._context.notifications.unsend(claim.keys)

    # Stage 4: send.

    async def _send(self, message: Message) -> AttemptResult:
        self.state.begun()
        self._pace.note()
        try:
            return await self._notifier.send(message)
        except Exception as error:  # noqa: BLE001 -- it may have left before it broke
            return AttemptResult(
                Outcome.UNKNOWN,
                f"sending to {self._channel.name} failed inside marginwatch"
                f" ({type(error).__name__})",
            )

    # Stage 5: settle.

    async def _settle(self, outgoing: Outgoing, attempted: AttemptResult) -> None:
        """Record the outcome; then send the chart of a delivered text."""
        entries, elapsed = outgoing.entries, self._context.clock.elapsed()
        critical = any(entry.critical for entry in (*entries, *self._ready()))
        at = self.state.ended(attempted, critical=critical)
        await self._record(outgoing, attempted, at, elapsed)
        if outgoing.report is not None:
            self._context.report_queue.settle(outgoing.report, attempted.outcome)
        told = [entry.notice for entry in entries]
        self._context.observer.attempted(self._channel.name, outgoing.message, told, attempted)
        if attempted.outcome is Outcome.DELIVERED:
            self._send_chart(outgoing)

    async def _record(
        self, outgoing: Outgoing, attempted: AttemptResult, at: Millis, elapsed: Millis
    ) -> None:
        """Record the outcome, and hand over to others what this channel refused for good."""
        notifications, parked = self._context.notifications, self.state.is_parked
        handed = self._fallback.instead(outgoing.entries, giving_up=True) if parked else []
        delivered = attempted.outcome is Outcome.DELIVERED
        state = NoticeState.DELIVERED if delivered else NoticeState.QUEUED
        state = NoticeState.REFUSED if parked else state
        states = {entry.notice.key: state for entry in outgoing.entries}
        ages = {key: notifications.since_alert_began(key, elapsed) for key in states}
        claim = outgoing.claim
        await self._context.async_store.insist(
            RecordAttempt(
                claim.message, at, attempted, states, tuple(handed), ages, report=claim.report
            )
        )
        self._fallback.queue(handed)
        notifications.settle(states, attempted.outcome, elapsed, give_up=parked)

    def _send_chart(self, outgoing: Outgoing) -> None:
        """Send the chart as a message of its own, where the service takes it so."""
        if outgoing.subject is not None:
            self._charts.send_after_text(outgoing.subject, self._is_idle)
        elif outgoing.report is not None:
            severity = outgoing.message.severity
            self._charts.send_ready(outgoing.report.picture, severity, self._is_idle)

    def _is_idle(self) -> bool:
        """Whether no message may leave, and none is being sent."""
        return not self._ready() and not any(
            each.sending for each in self._context.notifications.open(self._channel.name)
        )
