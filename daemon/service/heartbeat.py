"""Heartbeat for an external monitor: sent once a minute while all is well (SEMANTICS F9).

    recorded attempts ───┐
    the database         ├──► vitals ──► withheld? ──► the monitor
    notification queue ──┘

The daemon itself cannot report that it is down, or that no channel works. The monitor can, when it
misses heartbeats. Instants are those of `Clock.elapsed`, which no step of the wall clock moves.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from daemon.clock import Clock
from daemon.log import FailureLog
from daemon.service.delivery.queue import NotificationQueue
from daemon.text.numbers import format_duration
from daemon.types import (
    MINUTE,
    SECOND,
    AttemptResult,
    Message,
    Millis,
    Miss,
    Notice,
    Reading,
    Record,
)

BEAT: Millis = MINUTE
"""Time between two fetches, and from the start of the process to the first one.

A daemon that dies and restarts every few seconds must not look alive.
"""

LOOK: Millis = 5 * SECOND
"""Time between two checks while the heartbeat is withheld."""

INTERVALS = 3
"""Intervals of an account that may pass between two recorded attempts."""

PATIENCE: Millis = 5 * MINUTE
"""Longest time that a message may wait on all its channels."""

_log = logging.getLogger("marginwatch")


@dataclass(frozen=True, slots=True)
class Pulse:
    """How regularly one account is read."""

    attempted_at: Millis | None
    """When its last attempt (reading or miss) was judged and handed to the store; None before."""
    every: Millis
    """Its interval now."""
    pause: Millis = 0
    """Pause that the exchange asked for after that attempt."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """Everything that decides whether a heartbeat is sent."""

    pulses: Mapping[str, Pulse]
    """By account."""
    timeout: Millis
    """Timeout of one call to the exchange."""
    down: str | None
    """Why the database refuses to write; None while it records everything."""
    untaken: Millis
    """How long the oldest message has waited that no channel has taken."""


class Cause(StrEnum):
    STORE = "store"
    READING = "reading"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class Withheld:
    """The reason for not sending a heartbeat."""

    cause: Cause
    sentence: str


def withheld(vitals: Vitals, now: Millis) -> Withheld | None:
    """The reason to withhold the heartbeat; None if all is well."""
    if vitals.down is not None:
        return Withheld(Cause.STORE, f"the database refuses to write ({vitals.down})")
    late = {
        name: pulse for name, pulse in vitals.pulses.items() if _is_late(pulse, vitals.timeout, now)
    }
    if late:
        return Withheld(
            Cause.READING,
            f"no attempt to read {', '.join(late)} has been recorded {_since(late, now)}",
        )
    if vitals.untaken > PATIENCE:
        sentence = (
            f"a message has waited {format_duration(vitals.untaken)}, and no channel takes it"
        )
        return Withheld(Cause.DELIVERY, sentence)
    return None


def _is_late(pulse: Pulse, timeout: Millis, now: Millis) -> bool:
    """Whether the last recorded attempt is longer ago than it ever is while all is well."""
    longest = late_after(pulse.every, timeout, pulse.pause)
    return pulse.attempted_at is None or now - pulse.attempted_at > longest


def late_after(every: Millis, timeout: Millis, pause: Millis) -> Millis:
    """The longest time between two attempts to read an account while all is well.

    A call without an answer may take longer than the intervals, and a pause ends at the next slot.
    """
    return max(INTERVALS * every, pause + every + timeout)


def _since(late: Mapping[str, Pulse], now: Millis) -> str:
    attempts = [pulse.attempted_at for pulse in late.values() if pulse.attempted_at is not None]
    return f"for {format_duration(now - min(attempts))}" if len(attempts) == len(late) else "yet"


def untaken_for(notifications: NotificationQueue, now: Millis, elapsed: Millis) -> Millis:
    """How long the oldest message has waited on all its channels; 0 if there is none.

    A message that a mute window holds back does not count. One from an earlier instance counts from
    the beginning of this one. `now` is wall time, by which mute windows end.
    """
    waits = [0]
    for channel in notifications.channels():
        sending = [entry for entry in notifications.open(channel) if entry.sending]
        free = (*sending, *notifications.ready(channel, now, elapsed))
        waits += [
            entry.waited(now, elapsed) for entry in free if not notifications.taken_elsewhere(entry)
        ]
    return max(waits)


class Attempts:
    """An observer that keeps when each account's last attempt was judged.

    `known` are the times that a reload handed over.
    """

    def __init__(self, clock: Clock, known: Mapping[str, Millis]) -> None:
        self._clock = clock
        self.at = dict(known)

    def judged(self, record: Record) -> None:
        if isinstance(record.event, Reading | Miss):
            self.at[record.account] = self._clock.elapsed()

    def attempted(
        self, channel: str, message: Message, notices: Sequence[Notice], attempted: AttemptResult
    ) -> None:
        """Do nothing: the notification queue keeps track of messages."""


class HeartbeatReceiver(Protocol):
    """The external monitor that expects heartbeats."""

    async def beat(self) -> str | None:
        """Send one heartbeat; return why it failed, or None."""
        ...


class Heartbeat:
    """Loop that sends heartbeats. `due_at` is when the next one may be sent."""

    def __init__(
        self,
        monitor: HeartbeatReceiver,
        vitals: Callable[[], Vitals],
        clock: Clock,
        failure_log: FailureLog,
        due_at: Millis,
    ) -> None:
        self.due_at = due_at
        self._monitor = monitor
        self._vitals = vitals
        self._clock = clock
        self._failure_log = failure_log
        self._arrived = False

    async def run(self) -> None:
        """Send heartbeats until cancelled."""
        while True:
            while (left := self.due_at - self._clock.elapsed()) > 0:
                await self._clock.sleep(left)
            await self.look()

    async def look(self) -> None:
        """Send a heartbeat if all is well."""
        now = self._clock.elapsed()
        why = withheld(self._vitals(), now)
        self.due_at = now + (BEAT if why is None else LOOK)
        if why is None:
            self._failure_log.ended("heartbeat withheld", "the heartbeat goes on")
            await self._beat()
        else:
            sentence = f"the heartbeat is withheld: {why.sentence}"
            self._failure_log.failed("heartbeat withheld", sentence, reason=why.cause)

    async def _beat(self) -> None:
        """Send one heartbeat; a failed one is tried again when the next is due."""
        failure = await self._monitor.beat()
        if failure is not None:
            self._failure_log.failed(
                "heartbeat lost", "the heartbeat does not reach its monitor", reason=failure
            )
            return
        self._failure_log.ended("heartbeat lost", "the heartbeat reaches its monitor again")
        if not self._arrived:
            _log.info("the heartbeat reaches its monitor")
            self._arrived = True
