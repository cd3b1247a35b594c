"""The outbox: one courier per channel takes what waits there to the person, and never gives up.

    ledger ──► join what is due ──► claim (committed) ──► the channel ──► mark (committed) ──► ledger

The attempt is recorded before the call; one without an outcome counts as told, and its retry says that it may be a
repeat. Channels share nothing but the ledger: a slow or dead one delays no other (SEMANTICS F2). What a channel
refuses for good, or could not deliver for ten minutes, goes to the others as well (F1, F3).
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from daemon.alerts.message import MOST, Piece, compose, pair
from daemon.clock import Clock
from daemon.notifiers import Notifier
from daemon.service.backoff import Health, Waiting, after, due_at
from daemon.service.journal import Journal
from daemon.service.ledger import Entry, Ledger
from daemon.service.watcher import Watcher
from daemon.store.operations import Claim, CommitFailed, HandOver, Mark, MessageKey, NoticeState
from daemon.types import (
    MINUTE,
    SECOND,
    Attempted,
    Message,
    Millis,
    Notice,
    NoticeKey,
    Outcome,
    Severity,
)

HAND_OVER_AFTER = 10 * MINUTE
_STATES = {Outcome.DELIVERED: NoticeState.DELIVERED}
_ORDER = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Channel:
    name: str
    group_wait: Millis
    others: Sequence[str] = ()
    """Every other channel: where the news goes that this one cannot deliver."""


@dataclass(frozen=True, slots=True)
class Office:
    """What all couriers share."""

    journal: Journal
    ledger: Ledger
    clock: Clock
    zone: tzinfo | None
    jitter: Callable[[], float]
    watcher: Watcher


class Courier:
    """Of one channel. At most one attempt is in flight."""

    def __init__(self, channel: Channel, notifier: Notifier, office: Office) -> None:
        self.health = Health()
        self._channel = channel
        self._notifier = notifier
        self._office = office
        self._stopping = False
        self._last: MessageKey | None = None

    async def run(self) -> None:
        """Deliver until stopped; then what is due is tried once, and the rest stays queued."""
        while not self._stopping:
            if await self._due():
                await self.attempt()
        if self.health.streak == 0:
            await self.attempt()

    def stop(self) -> None:
        self._stopping = True
        self._office.ledger.changed(self._channel.name).set()

    async def attempt(self) -> None:
        """Send one message with what waits, the most severe first."""
        entries = self._batch()
        if not entries:
            return
        keys = [entry.notice.key for entry in entries]
        self._office.ledger.sending(keys)
        try:
            await (self._pass_on(entries) if self._parked else self._deliver(entries, keys))
        except Exception:
            self._office.ledger.unsend(keys)  # a fault of ours must not keep the news from being tried again
            raise

    @property
    def _parked(self) -> bool:
        """It refused for good, and others can be told in its stead; alone, it is tried on and on."""
        return self.health.refused and bool(self._channel.others)

    async def _deliver(self, entries: list[Entry], keys: list[NoticeKey]) -> None:
        office, name = self._office, self._channel.name
        now = office.clock.now()
        message = compose(pair(map(_piece, entries)), now, office.zone)
        key = self._number(now)
        try:
            await office.journal.write(Claim(key, tuple(keys), message))
        except CommitFailed:
            office.ledger.unsend(keys)
            self.health = replace(self.health, not_before=office.clock.elapsed() + SECOND)
            return
        attempted = await self._send(message)
        await self._settle(key, entries, attempted)
        office.watcher.attempted(name, message, [entry.notice for entry in entries], attempted)

    async def _send(self, message: Message) -> Attempted:
        try:
            return await self._notifier.send(message)
        except Exception as error:  # noqa: BLE001 -- it may have left before it broke
            return Attempted(Outcome.UNKNOWN, f"the way to {self._channel.name} broke ({type(error).__name__})")

    def _number(self, now: Millis) -> MessageKey:
        last = self._last
        self._last = MessageKey(self._channel.name, now, last.n + 1 if last is not None and last.at == now else 0)
        return self._last

    async def _settle(self, key: MessageKey, entries: list[Entry], attempted: Attempted) -> None:
        office, now, at = self._office, self._office.clock.elapsed(), self._office.clock.now()
        self.health = after(self.health, attempted, now, any(entry.critical for entry in entries), office.jitter())
        handed = self._elsewhere(entries) if self._parked or self._failing_long(now) else []
        state = NoticeState.REFUSED if self._parked else _STATES.get(attempted.outcome, NoticeState.QUEUED)
        states = {entry.notice.key: state for entry in entries}
        await office.journal.insist(Mark(key, at, attempted, states, tuple(handed)))
        self._conclude(entries, attempted.outcome, handed)

    async def _pass_on(self, entries: list[Entry]) -> None:
        """A parked channel is not tried before the next start: what comes in goes to the others at once."""
        handed = self._elsewhere(entries)
        keys = tuple(entry.notice.key for entry in entries)
        await self._office.journal.insist(HandOver(self._office.clock.now(), tuple(handed), refused=keys))
        self._conclude(entries, Outcome.REFUSED, handed)

    def _conclude(self, entries: list[Entry], outcome: Outcome, handed: list[Notice]) -> None:
        ledger = self._office.ledger
        keys = [entry.notice.key for entry in entries]
        ledger.settle(keys, outcome, self._office.clock.now(), give_up=self._parked)
        for notice in handed:
            ledger.queue(notice, self._office.clock.elapsed())

    def _failing_long(self, now: Millis) -> bool:
        return self.health.failing_since is not None and now - self.health.failing_since >= HAND_OVER_AFTER

    def _elsewhere(self, entries: Sequence[Entry]) -> list[Notice]:
        """The news for each other channel that does not have it, once."""
        fresh = [entry for entry in entries if not entry.handed_over]
        for entry in fresh:
            entry.handed_over = True
        elsewhere = self._office.ledger.elsewhere
        return [notice for entry in fresh for notice in elsewhere(entry.notice, self._channel.others)]

    def _batch(self) -> list[Entry]:
        waiting = self._office.ledger.waiting(self._channel.name)
        return sorted(waiting, key=lambda entry: _ORDER[entry.notice.facts.severity])[:MOST]

    async def _due(self) -> bool:
        """Wait until an attempt is due (True), or something new may have brought it forward (False)."""
        office = self._office
        changed = office.ledger.changed(self._channel.name)
        changed.clear()
        waiting = [Waiting(entry.queued_at, entry.critical) for entry in office.ledger.waiting(self._channel.name)]
        due = due_at(Health() if self._parked else self.health, waiting, self._channel.group_wait)
        now = office.clock.elapsed()
        if due is not None and due <= now:
            return True
        await _first(changed.wait(), None if due is None else office.clock.sleep(due - now))
        return False


async def _first(event: Coroutine[object, object, object], timer: Coroutine[object, object, None] | None) -> None:
    """Return when the event is set or the time has come."""
    tasks = [asyncio.ensure_future(one) for one in (event, timer) if one is not None]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _piece(entry: Entry) -> Piece:
    return Piece(entry.notice, maybe_repeat=entry.maybe_repeat, not_recorded=not entry.recorded)
