"""The outbox: one courier per channel takes what waits there to the person, and never gives up.

    ledger ──► join what is due ──► claim (committed) ──► the channel ──► mark (committed) ──► ledger

The attempt is recorded before the call; one without an outcome counts as told, and its retry says that it may be a
repeat. Channels share nothing but the ledger: a slow or dead one delays no other (SEMANTICS F2). What a channel
refuses for good, or could not deliver for ten minutes, goes to the others as well (F1, F3).
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import partial
from itertools import chain

from daemon.alerts.message import MOST, Piece, compose, pair
from daemon.clock import Clock
from daemon.notifiers import Notifier
from daemon.service.backoff import Health, Waiting, after, begun, due_at
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
_NEVER_MADE = Attempted(Outcome.LATER, "never made: the database did not say that it recorded the attempt")
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
    refusing: set[str] = field(default_factory=set)
    """The channels that refused for good in this life of the daemon."""


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
            await self._share()
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
        """It refused for good, and others can be told in its stead; where all refuse, all are tried on and on."""
        return self.health.refused and not self._office.refusing.issuperset(self._channel.others)

    async def _deliver(self, entries: list[Entry], keys: list[NoticeKey]) -> None:
        office, name = self._office, self._channel.name
        now = office.clock.now()
        message = compose(pair(map(self._piece, entries)), now, office.zone, self._channel.group_wait)
        key = self._number(now)
        try:
            await office.journal.write(Claim(key, tuple(keys), message))
        except CommitFailed:
            await self._withdraw(key, keys)
            return
        self.health = begun(self.health, office.clock.elapsed())
        attempted = await self._send(message)
        await self._settle(key, entries, attempted)
        office.watcher.attempted(name, message, [entry.notice for entry in entries], attempted)

    async def _withdraw(self, key: MessageKey, keys: list[NoticeKey]) -> None:
        """Nobody knows whether the claim is recorded; if it is, it must not look like an attempt that was made."""
        office, queued = self._office, dict.fromkeys(keys, NoticeState.QUEUED)
        await office.journal.insist(Mark(key, office.clock.now(), _NEVER_MADE, queued))
        office.ledger.unsend(keys)
        self.health = replace(self.health, not_before=office.clock.elapsed() + SECOND)

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
        office, at, elapsed = self._office, self._office.clock.now(), self._office.clock.elapsed()
        critical = any(entry.critical for entry in (*entries, *self._ready()))
        self.health = after(self.health, attempted, elapsed, critical, office.jitter())
        (office.refusing.add if self.health.refused else office.refusing.discard)(self._channel.name)
        parked = self._parked
        handed = self._elsewhere(entries, giving_up=True) if parked else []
        state = NoticeState.REFUSED if parked else _STATES.get(attempted.outcome, NoticeState.QUEUED)
        states = {entry.notice.key: state for entry in entries}
        told = {each: office.ledger.instant(each.account, elapsed) for each in states}
        await office.journal.insist(Mark(key, at, attempted, states, tuple(handed), told))
        self._queue(handed)
        office.ledger.settle(states, attempted.outcome, elapsed, give_up=parked)

    async def _pass_on(self, entries: list[Entry]) -> None:
        """A parked channel is not tried before the next start: what comes in goes to the others at once."""
        office, at = self._office, self._office.clock.now()
        handed = self._elsewhere(entries, giving_up=True)
        keys = tuple(entry.notice.key for entry in entries)
        await office.journal.insist(HandOver(at, tuple(handed), refused=keys))
        self._queue(handed)
        office.ledger.settle(keys, Outcome.REFUSED, office.clock.elapsed(), give_up=True)

    async def _share(self) -> None:
        """What waits here while the channel fails for too long, goes to the others at once; and is tried on here."""
        waiting = self._ready() if self._failing_long() else []
        handed = self._elsewhere(waiting, giving_up=False)
        if handed:
            await self._office.journal.insist(HandOver(self._office.clock.now(), tuple(handed)))
            self._queue(handed)

    def _queue(self, handed: Sequence[Notice]) -> None:
        for notice in handed:
            self._office.ledger.queue(notice, self._office.clock.elapsed())

    def _failing_long(self) -> bool:
        shared_at = self._shared_at()
        return shared_at is not None and self._office.clock.elapsed() >= shared_at

    def _shared_at(self) -> Millis | None:
        """When the present streak of failures will have lasted too long; a parked channel passes on anyway."""
        known = self.health.streak > 0 and not self._parked  # what an earlier life found is tried once more first
        since = self.health.failing_since if known else None
        return None if since is None else since + HAND_OVER_AFTER

    def _elsewhere(self, entries: Sequence[Entry], *, giving_up: bool) -> list[Notice]:
        """The news for each other channel that does not have it; what this one keeps trying is given to them once."""
        fresh = [entry for entry in entries if giving_up or not entry.handed_over]
        for entry in fresh:
            entry.handed_over = True
        elsewhere = partial(self._office.ledger.elsewhere, channels=self._channel.others, giving_up=giving_up)
        return [notice for entry in fresh for notice in elsewhere(entry.notice)]

    def _batch(self) -> list[Entry]:
        """All that waits of each of the most severe alerts: begin and end of one are never torn apart."""
        alerts: dict[tuple[str, str, int], list[Entry]] = defaultdict(list)
        for entry in self._ready():
            key = entry.notice.key
            alerts[key.account, key.rule, key.alert_seq].append(entry)
        ranked = sorted(alerts.values(), key=lambda entries: min(map(_rank, entries)))
        return list(chain.from_iterable(ranked[:MOST]))

    def _ready(self) -> list[Entry]:
        clock = self._office.clock
        return self._office.ledger.ready(self._channel.name, clock.now(), clock.elapsed())

    def _released_at(self) -> Millis | None:
        """When the next mute window ends that holds something back here, by `elapsed`."""
        clock = self._office.clock
        span = self._office.ledger.held_for(self._channel.name, clock.now(), clock.elapsed())
        return None if span is None else clock.elapsed() + span

    def _piece(self, entry: Entry) -> Piece:
        unheard = self._office.ledger.unheard(entry.notice.key)
        return Piece(entry.notice, entry.maybe_repeat, not_recorded=not entry.recorded, unheard=unheard)

    async def _due(self) -> bool:
        """Wait until an attempt is due (True), or something new may have brought it forward (False)."""
        office = self._office
        changed = office.ledger.changed(self._channel.name)
        changed.clear()
        waiting = [Waiting(entry.queued_at, entry.critical) for entry in self._ready()]
        due = due_at(Health() if self._parked else self.health, waiting, self._channel.group_wait)
        now = office.clock.elapsed()
        if due is not None and due <= now:
            return True
        shared_at = None if self._failing_long() else self._shared_at()
        wake = min((at for at in (due, shared_at, self._released_at()) if at is not None), default=None)
        await first(changed.wait(), None if wake is None else office.clock.sleep(wake - now))
        return False


async def first(event: Coroutine[object, object, object], timer: Coroutine[object, object, None] | None) -> None:
    """Return when the event is set or the time has come."""
    tasks = [asyncio.ensure_future(one) for one in (event, timer) if one is not None]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _rank(entry: Entry) -> int:
    return _ORDER[entry.notice.facts.severity]
