"""Proof of life for a monitor elsewhere: it is told once a minute that all is well, and nothing
when it is not (F9).

    attempts on record ──┐
    the database         ├──► vitals ──► withheld? ──► the monitor
    the outbox ──────────┘

The daemon cannot tell anybody that it is down, or that nobody can be reached. Whoever expects the
heartbeat can. Instants are those of `Clock.elapsed`, which no step of the wall clock moves.
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
"""Between two fetches; and from the start of the process to the first one: a daemon that dies and
is started again every few seconds proves no life."""

LOOK: Millis = 5 * SECOND
"""Between two looks while it is withheld."""

INTERVALS = 3
"""So many of an account's may pass between two attempts on record."""

PATIENCE: Millis = 5 * MINUTE
"""So long a message may wait on all its channels."""

_log = logging.getLogger("marginwatch")


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the reading of one account goes."""

    attempted_at: Millis | None
    """When its last attempt, be it a reading or a miss, had been judged and handed to the database;
    None before that of this process."""
    every: Millis
    """At which it is really read."""
    pause: Millis = 0
    """For how long the exchange is left alone after that attempt."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """All that the heartbeat depends on."""

    pulses: Mapping[str, Pulse]
    """By account."""
    timeout: Millis
    """Of one call to the exchange."""
    down: str | None
    """Why the database refuses to write; while it does not, everything handed to it is on
    record.
    """
    untaken: Millis
    """How long the oldest message has waited that no channel has taken."""


class Cause(StrEnum):
    STORE = "store"
    READING = "reading"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why there is no heartbeat."""

    cause: Cause
    sentence: str


def withheld(vitals: Vitals, now: Millis) -> Withheld | None:
    """Whether all is well: None where it is."""
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
    return pulse.attempted_at is None or now - pulse.attempted_at > _longest(pulse, timeout)


def _since(late: Mapping[str, Pulse], now: Millis) -> str:
    attempts = [pulse.attempted_at for pulse in late.values() if pulse.attempted_at is not None]
    return f"for {format_duration(now - min(attempts))}" if len(attempts) == len(late) else "yet"


def _longest(pulse: Pulse, timeout: Millis) -> Millis:
    """Between two attempts on record while all is well: a call that no answer ends may take longer
    than the intervals, and a pause is over at the account's next slot.
    """
    return max(INTERVALS * pulse.every, pulse.pause + pulse.every + timeout)


def untaken_for(notifications: NotificationQueue, now: Millis, elapsed: Millis) -> Millis:
    """How long the oldest message has waited on all its channels, held back by nothing else; 0
    where there is none.

    What an earlier life left counts from the beginning of this one. `now` is wall time, by which
    mute windows end.
    """
    waits = [0]
    for channel in notifications.channels():
        sending = [entry for entry in notifications.open(channel) if entry.sending]
        free = (*sending, *notifications.ready(channel, now, elapsed))
        waits += [entry.waited(now, elapsed) for entry in free if not notifications.taken(entry)]
    return max(waits)


class Attempts:
    """A watcher that keeps when each account's last attempt was judged; `known` is what an earlier
    life kept.
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
        """Of messages the ledger knows."""


class HeartbeatReceiver(Protocol):
    """Whoever expects the heartbeat."""

    async def beat(self) -> str | None:
        """Once; why it did not arrive, or None."""
        ...


class Heartbeat:
    """`due_at` is when the next fetch may be made."""

    def __init__(
        self,
        monitor: HeartbeatReceiver,
        vitals: Callable[[], Vitals],
        clock: Clock,
        episodes: FailureLog,
        due_at: Millis,
    ) -> None:
        self.due_at = due_at
        self._monitor = monitor
        self._vitals = vitals
        self._clock = clock
        self._episodes = episodes
        self._arrived = False

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            while (left := self.due_at - self._clock.elapsed()) > 0:
                await self._clock.sleep(left)
            await self.look()

    async def look(self) -> None:
        """Beat, if all is well."""
        now = self._clock.elapsed()
        why = withheld(self._vitals(), now)
        self.due_at = now + (BEAT if why is None else LOOK)
        if why is None:
            self._episodes.ended("heartbeat withheld", "the heartbeat goes on")
            await self._beat()
        else:
            sentence = f"the heartbeat is withheld: {why.sentence}"
            self._episodes.failed("heartbeat withheld", sentence, reason=why.cause)

    async def _beat(self) -> None:
        """What does not arrive is tried again when the next one is due."""
        failure = await self._monitor.beat()
        if failure is not None:
            self._episodes.failed(
                "heartbeat lost", "the heartbeat does not reach its monitor", reason=failure
            )
            return
        self._episodes.ended("heartbeat lost", "the heartbeat reaches its monitor again")
        if not self._arrived:
            _log.info("the heartbeat reaches its monitor")
            self._arrived = True
