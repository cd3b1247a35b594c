"""Availability of one channel: whether it works, since when it fails, and why (SEMANTICS F1 to F4).

It makes no attempt: the channel worker reports each, and asks it what follows.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from daemon.errors import StoreError
from daemon.messages.section import LATE_AFTER
from daemon.service.delivery.backoff import Health, after_attempt, attempt_begun
from daemon.service.delivery.context import ChannelPolicy, DeliveryContext
from daemon.service.delivery.queue import QueuedNotification
from daemon.service.delivery.report_queue import QueuedReport
from daemon.store.operations import MessageKey
from daemon.text.numbers import format_instant
from daemon.types import SECOND, AttemptResult, Millis

_log = logging.getLogger("marginwatch")

LISTEN: Millis = 10 * SECOND
"""How often a failing channel looks for a delivered test."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a channel took nothing."""

    since: Millis
    until: Millis
    """Both of wall time."""
    until_elapsed: Millis
    answer: str


class ChannelState:
    """State of one channel. `health` may be set to the one that an earlier instance recorded."""

    def __init__(self, channel: ChannelPolicy, context: DeliveryContext) -> None:
        self.health = Health()
        self._channel = channel
        self._context = context
        self._last: MessageKey | None = None
        self._listened_at: Millis = 0
        """Elapsed: the end of the last attempt, or the last look for a delivered test."""
        self._outage: Outage | None = None
        """The last outage, for messages that still wait from then."""

    @property
    def is_parked(self) -> bool:
        """Whether it refused for good and another channel works.

        If all channels refuse, all are tried again and again.
        """
        return self.health.refused and not self._context.refusing.issuperset(self._channel.others)

    @property
    def outage(self) -> Outage | None:
        """The present outage."""
        clock, failing_since = self._context.clock, self.health.failing_since
        if failing_since is None:
            return None
        now, elapsed = clock.now(), clock.elapsed()
        return Outage(now - (elapsed - failing_since), now, elapsed, self.health.answer)

    def number(self, now: Millis) -> MessageKey:
        """The key of the next message."""
        last = self._last
        self._last = MessageKey(
            self._channel.name, now, last.n + 1 if last is not None and last.at == now else 0
        )
        return self._last

    def begun(self) -> None:
        """Record that an attempt is under way."""
        self.health = attempt_begun(self.health, self._context.clock.elapsed())

    def put_off(self) -> None:
        """Record that no attempt was made, because its claim could not be stored."""
        now = self._context.clock.elapsed()
        self.health = replace(self.health, not_before=now + SECOND, asked_at=now)

    def ended(self, attempted: AttemptResult, *, critical: bool) -> Millis:
        """Record the end of an attempt; return its wall time."""
        context, elapsed = self._context, self._context.clock.elapsed()
        self._outage = self.outage or self._outage
        self._listened_at = elapsed
        self.health = after_attempt(self.health, attempted, elapsed, critical, context.jitter())
        (context.refusing.add if self.health.refused else context.refusing.discard)(
            self._channel.name
        )
        return context.clock.now()

    @property
    def listen_at(self) -> Millis | None:
        """When to look for a delivered test; None while the channel works or was not tried yet.

        Not at each wake: reading the record would hold up the alerts of channels that work. One
        that refused looks at each wake all the same, before it hands its news to others.
        """
        failing = self.health.streak > 0 and self._last is not None
        return self._listened_at + LISTEN if failing else None

    async def heed_test(self) -> None:
        """Look for a test that was delivered since the last failure: somebody repaired the channel.

        Then it is parked no longer (SEMANTICS F3), and only a pause that the service asked for
        still holds.
        """
        context, last, now = self._context, self._last, self._context.clock.elapsed()
        if last is None or self.listen_at is None:
            return
        if now < self.listen_at and not self.health.refused:
            return
        self._listened_at = now
        with suppress(StoreError):  # unreadable: the state stays as it is
            if await context.async_store.tested(last):
                self._outage = self.outage
                self.health = Health(
                    not_before=self.health.not_before, asked_at=self.health.asked_at
                )
                context.refusing.discard(self._channel.name)
                _log.info(
                    "a test got through: the channel is tried again",
                    extra={"channel": self._channel.name},
                )

    @property
    def is_failing_long(self) -> bool:
        """Whether it has failed so long that other channels get its messages."""
        shared_at = self.shared_at
        return shared_at is not None and self._context.clock.elapsed() >= shared_at

    @property
    def shared_at(self) -> Millis | None:
        """When other channels get its messages; None while it works, or is parked."""
        # A failure that an earlier instance recorded (streak 0) is tried once more first.
        known = self.health.streak > 0 and not self.is_parked
        since = self.health.failing_since if known else None
        return None if since is None else since + self._channel.patience

    def why_late(self, waited: Sequence[QueuedNotification | QueuedReport]) -> Iterator[str]:
        """Known reasons why these messages are late (SEMANTICS F6)."""
        now = self._context.clock.now()
        outage = self.outage or self._outage
        if outage is not None and any(each.queued_at <= outage.until_elapsed for each in waited):
            since, until = (
                format_instant(at, now, self._context.zone) for at in (outage.since, outage.until)
            )
            span = f"from {since} until {until}" if self._outage is outage else f"since {since}"
            yield f"{self._channel.name} could not be reached {span} ({outage.answer})"
        absent = self._context.absent
        if (
            absent is not None
            and absent[1] - absent[0] >= LATE_AFTER
            and any(each.kept for each in waited)
        ):
            since, until = (format_instant(at, now, self._context.zone) for at in absent)
            yield f"marginwatch did not run from {since} to {until}"
