"""The outbox: one courier per channel takes what waits there to the person, and never gives up.

    ledger ──► join what is due ──► claim (committed) ──► the channel ──► mark (committed) ──► ledger

The attempt is recorded before the call; one without an outcome counts as told, and its retry says that it may be a
repeat. Channels share nothing but the ledger: a slow or dead one delays no other (SEMANTICS F2). What a channel
refuses for good, or could not deliver for so long, goes to its fallback, or else to all others (F1, F3, F4).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import tzinfo

from daemon.alerts.message import Letter, compose, pair
from daemon.alerts.numbers import moment
from daemon.alerts.section import LATE_AFTER, Piece, Sending
from daemon.alerts.silences import NO_SILENCES, silenced
from daemon.clock import Clock
from daemon.errors import StoreError
from daemon.notifiers import Notifier
from daemon.reports import compose as reports
from daemon.reports.compose import Doubts
from daemon.service.backoff import Health, Waiting, after, begun, due_at
from daemon.service.journal import Journal
from daemon.service.ledger import Entry, Ledger
from daemon.service.pacing import Pace
from daemon.service.parcels import Parcel, Tray
from daemon.service.pictures import Artist, Exhibit
from daemon.service.watcher import Watcher
from daemon.store.operations import Claim, CommitFailed, HandOver, Mark, MessageKey, NoticeState, Supersede
from daemon.types import (
    MINUTE,
    NEWS,
    SECOND,
    Attempted,
    Kind,
    Message,
    Millis,
    Notice,
    Outcome,
    Silence,
)

HAND_OVER_AFTER = 10 * MINUTE
LISTEN: Millis = 10 * SECOND
"""How often a channel that fails looks whether a test got through meanwhile."""
_log = logging.getLogger("marginwatch")
_NEVER_MADE = Attempted(Outcome.LATER, "never made: the database did not say that it recorded the attempt")
_STATES = {Outcome.DELIVERED: NoticeState.DELIVERED}


@dataclass(frozen=True, slots=True)
class Channel:
    name: str
    group_wait: Millis
    others: Sequence[str] = ()
    """Every other channel: where the news goes that neither this one nor its fallback can deliver."""
    fallback: str = ""
    """The one that is told instead; empty is all others."""
    patience: Millis = HAND_OVER_AFTER
    """For how long it may fail before others are told what waits."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a channel took nothing."""

    since: Millis
    until: Millis
    """Both of wall time."""
    until_elapsed: Millis
    answer: str


@dataclass(frozen=True, slots=True)
class Office:
    """What all couriers share."""

    journal: Journal
    ledger: Ledger
    clock: Clock
    zone: tzinfo | None
    jitter: Callable[[], float]
    watcher: Watcher
    absent: tuple[Millis, Millis] | None = None
    """From when to when nobody watched, before this life began."""
    artist: Artist = field(default_factory=Artist)
    tray: Tray = field(default_factory=Tray)
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
        self._pace = Pace(notifier, office.clock)
        wake = office.ledger.changed(channel.name).set
        self._exhibit = Exhibit(office.artist, channel.name, notifier, self._pace, wake)
        self._silences: Sequence[Silence] = NO_SILENCES
        self._outage: Outage | None = None
        """The last one, for what still waits from then."""

    async def run(self) -> None:
        """Deliver until stopped; then what is due is tried once, and the rest stays queued."""
        try:
            while not self._stopping:
                await self._heed_test()
                await self._share()
                if await self._due():
                    await self.attempt()
            if self.health.streak == 0:
                await self.attempt()
        finally:
            self._exhibit.close()

    def stop(self) -> None:
        self._stopping = True
        self._office.ledger.changed(self._channel.name).set()

    async def attempt(self) -> None:
        """Send one message with what waits, the most severe first; a report where nothing else does."""
        await self._hush()
        entries = self._ready()
        if not entries:
            await self._report()
            return
        if self.is_parked:
            await self._guarded(entries, self._pass_on(entries))
            return
        letter = self._letter(entries)
        told = {piece.episode for piece in letter.told}
        fitting = [entry for entry in entries if entry.notice.episode in told]
        await self._guarded(fitting, self._deliver(fitting, letter))

    async def _hush(self) -> None:
        """What somebody silenced while it waited is held, unless it may have been told (SEMANTICS E2)."""
        office, news = self._office, [entry for entry in self._ready() if entry.notice.key.kind in NEWS]
        if not news:
            return
        with suppress(StoreError):  # where nobody can read them, what was known before holds
            self._silences = await office.journal.silences()
        now = office.clock.now()
        fresh = [each for each in news if each.notice.key.kind is not Kind.FIRING or not each.maybe_repeat]
        held = [entry.notice.key for entry in fresh if self._is_silenced(entry.notice, now)]
        if held:
            await office.journal.insist(Supersede(now, tuple(held)))
            office.ledger.supersede(held)

    def _is_silenced(self, notice: Notice, now: Millis) -> bool:
        key, alert = notice.key, notice.facts.code
        return silenced(self._silences, key.rule, key.account, alert, now) is not None

    async def _guarded(self, entries: list[Entry], work: Coroutine[object, object, None]) -> None:
        keys = [entry.notice.key for entry in entries]
        self._office.ledger.sending(keys)
        try:
            await work
        except Exception:
            self._office.ledger.unsend(keys)  # a fault of ours must not keep the news from being tried again
            raise

    def _letter(self, entries: Sequence[Entry]) -> Letter:
        """What goes out now: begin and end of an alert are never torn apart."""
        return compose(pair(map(self._piece, entries)), self._leaving(entries))

    def _leaving(self, waited: Sequence[Entry | Parcel]) -> Sending:
        office = self._office
        return Sending(
            office.clock.now(),
            office.zone,
            self._channel.group_wait,
            self._notifier.traits.room,
            self._notifier.traits.weigh,
            "; ".join(self._why_late(waited)),
        )

    def _why_late(self, entries: Sequence[Entry | Parcel]) -> Iterator[str]:
        """What kept these from being told earlier, as far as it is known (SEMANTICS F6)."""
        now = self._office.clock.now()
        outage = self._present_outage() or self._outage
        if outage is not None and any(entry.queued_at <= outage.until_elapsed for entry in entries):
            since, until = (moment(at, now, self._office.zone) for at in (outage.since, outage.until))
            until = "" if self._outage is not outage else f" until {until}"
            yield f"{self._channel.name} could not be reached since {since}{until} ({outage.answer})"
        absent = self._office.absent
        if absent is not None and absent[1] - absent[0] >= LATE_AFTER and any(entry.kept for entry in entries):
            since, until = (moment(at, now, self._office.zone) for at in absent)
            yield f"marginwatch did not run from {since} to {until}"

    def _present_outage(self) -> Outage | None:
        clock, failing_since = self._office.clock, self.health.failing_since
        if failing_since is None:
            return None
        now, elapsed = clock.now(), clock.elapsed()
        return Outage(now - (elapsed - failing_since), now, elapsed, self.health.answer)

    @property
    def is_parked(self) -> bool:
        """It refused for good, and others can be told in its stead; where all refuse, all are tried on and on."""
        return self.health.refused and not self._office.refusing.issuperset(self._channel.others)

    async def _deliver(self, entries: list[Entry], letter: Letter) -> None:
        office, message = self._office, self._exhibit.illustrated(letter.message, letter.subject)
        claim = Claim(self._number(office.clock.now()), tuple(entry.notice.key for entry in entries), message)
        attempted = await self._try(claim, message)
        if attempted is None:
            return
        await self._settle(claim.message, entries, attempted)
        office.watcher.attempted(self._channel.name, message, [entry.notice for entry in entries], attempted)
        if attempted.outcome is Outcome.DELIVERED:
            self._exhibit.follow(letter.subject, self._is_idle)

    async def _report(self) -> None:
        """Send what waits of reports, one by one; a parked channel keeps them until it is tried again."""
        office, parcel = self._office, self._parcel
        if parcel is None:
            return
        doubts = Doubts(parcel.maybe_repeat, not parcel.recorded)
        message = replace(reports.compose(parcel.facts, self._leaving([parcel]), doubts), picture=parcel.picture)
        claim = Claim(self._number(office.clock.now()), (), message, parcel.key)
        attempted = await self._try(claim, message)
        if attempted is None:
            return
        at = self._fare(attempted, ())
        await office.journal.insist(Mark(claim.message, at, attempted, {}, report=parcel.key))
        office.tray.settle(parcel, attempted.outcome)
        office.watcher.attempted(self._channel.name, message, (), attempted)
        if attempted.outcome is Outcome.DELIVERED:
            self._exhibit.present(parcel.picture, message.severity, self._is_idle)

    @property
    def _parcel(self) -> Parcel | None:
        """The report that is to leave."""
        return None if self.is_parked else self._office.tray.next(self._channel.name)

    async def _try(self, claim: Claim, message: Message) -> Attempted | None:
        """One attempt, recorded before the call; None where that could not be recorded."""
        try:
            await self._office.journal.write(claim)
        except CommitFailed:
            await self._withdraw(claim)
            return None
        self.health = begun(self.health, self._office.clock.elapsed())
        return await self._send(message)

    async def _withdraw(self, claim: Claim) -> None:
        """Nobody knows whether the claim is recorded; if it is, it must not look like an attempt that was made."""
        office, queued = self._office, dict.fromkeys(claim.keys, NoticeState.QUEUED)
        mark = Mark(claim.message, office.clock.now(), _NEVER_MADE, queued, report=claim.report)
        await office.journal.insist(mark)
        office.ledger.unsend(claim.keys)
        self.health = replace(self.health, not_before=office.clock.elapsed() + SECOND)

    async def _send(self, message: Message) -> Attempted:
        self._pace.note()
        try:
            return await self._notifier.send(message)
        except Exception as error:  # noqa: BLE001 -- it may have left before it broke
            return Attempted(Outcome.UNKNOWN, f"the way to {self._channel.name} broke ({type(error).__name__})")

    def _number(self, now: Millis) -> MessageKey:
        last = self._last
        self._last = MessageKey(self._channel.name, now, last.n + 1 if last is not None and last.at == now else 0)
        return self._last

    async def _settle(self, key: MessageKey, entries: list[Entry], attempted: Attempted) -> None:
        office, elapsed = self._office, self._office.clock.elapsed()
        at = self._fare(attempted, entries)
        parked = self.is_parked
        handed = self._elsewhere(entries, giving_up=True) if parked else []
        state = NoticeState.REFUSED if parked else _STATES.get(attempted.outcome, NoticeState.QUEUED)
        states = {entry.notice.key: state for entry in entries}
        told = {each: office.ledger.instant(each.account, elapsed) for each in states}
        await office.journal.insist(Mark(key, at, attempted, states, tuple(handed), told))
        self._queue(handed)
        office.ledger.settle(states, attempted.outcome, elapsed, give_up=parked)

    async def _heed_test(self) -> None:
        """A test that got through since the last failure shows that somebody mended the channel: it is parked no
        longer (SEMANTICS F3), and tried without any further pause but one that the service itself asked for.
        """
        office, last = self._office, self._last
        if self.health.streak == 0 or last is None:
            return
        with suppress(StoreError):  # where nobody can tell, it stays as it is
            if await office.journal.tested(last):
                self._outage = self._present_outage()
                self.health = Health(not_before=self.health.not_before)
                office.refusing.discard(self._channel.name)
                _log.info("a test got through: the channel is tried again", extra={"channel": self._channel.name})

    def _fare(self, attempted: Attempted, entries: Sequence[Entry]) -> Millis:
        """What the end of an attempt says of the channel; when that was, by the clock on the wall."""
        office, elapsed = self._office, self._office.clock.elapsed()
        critical = any(entry.critical for entry in (*entries, *self._ready()))
        self._outage = self._present_outage() or self._outage
        self.health = after(self.health, attempted, elapsed, critical, office.jitter())
        (office.refusing.add if self.health.refused else office.refusing.discard)(self._channel.name)
        return office.clock.now()

    async def _pass_on(self, entries: list[Entry]) -> None:
        """A parked channel is not tried until a test got through: what comes in goes to the others at once."""
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
        known = self.health.streak > 0 and not self.is_parked  # what an earlier life found is tried once more first
        since = self.health.failing_since if known else None
        return None if since is None else since + self._channel.patience

    def _elsewhere(self, entries: Sequence[Entry], *, giving_up: bool) -> list[Notice]:
        """The news for those who are told instead; what this one keeps trying is given to them once."""
        fresh = [entry for entry in entries if giving_up or not entry.handed_over]
        for entry in fresh:
            entry.handed_over = True
        return [notice for entry in fresh for notice in self._instead(entry.notice, giving_up=giving_up)]

    def _instead(self, notice: Notice, *, giving_up: bool) -> list[Notice]:
        """For the fallback; where that has had it already, or there is none, for all others that have not (F4)."""
        ledger, outage = self._office.ledger, self._present_outage()
        if outage is not None:
            failing = {"handed_over_since": outage.since, "handed_over_why": outage.answer}
            notice = replace(notice, facts=replace(notice.facts, **failing))  # type: ignore[arg-type]
        if self._channel.fallback:
            handed = ledger.elsewhere(notice, (self._channel.fallback,), giving_up=False)
            if handed or ledger.heard(notice.key, self._channel.fallback):
                return handed
        return ledger.elsewhere(notice, self._channel.others, giving_up=giving_up)

    def _ready(self) -> list[Entry]:
        clock = self._office.clock
        return self._office.ledger.ready(self._channel.name, clock.now(), clock.elapsed())

    def _is_idle(self) -> bool:
        """Nothing waits that may leave, and nothing is on its way."""
        return not self._ready() and not any(each.sending for each in self._office.ledger.open(self._channel.name))

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
        waiting = list(self._waiting())
        now = office.clock.elapsed()
        due = self._next(waiting)
        if due is not None and due <= now:
            return True
        shared_at = None if self._failing_long() else self._shared_at()
        listen_at = now + LISTEN if self.health.streak else None
        wake = min((at for at in (due, shared_at, self._released_at(), listen_at) if at is not None), default=None)
        await first(changed.wait(), None if wake is None else office.clock.sleep(wake - now))
        return False

    def _waiting(self) -> Iterator[Waiting]:
        entries = self._ready()
        if entries and self._exhibit.is_inside and self.health.streak == 0:
            self._exhibit.expect(self._letter(entries).subject)
        for entry in entries:
            yield Waiting(entry.queued_at, entry.critical and not self._exhibit.is_awaited(entry.notice))
        if self._parcel is not None:
            yield Waiting(self._parcel.queued_at, critical=False)

    def _next(self, waiting: Sequence[Waiting]) -> Millis | None:
        """When the next attempt is due; a parked channel makes none, it passes on."""
        if self.is_parked:
            return due_at(Health(), waiting, self._channel.group_wait)
        due = due_at(self.health, waiting, self._channel.group_wait)
        return None if due is None else max(due, self._pace.due_at)


async def first(event: Coroutine[object, object, object], timer: Coroutine[object, object, None] | None) -> None:
    """Return when the event is set or the time has come."""
    tasks = [asyncio.ensure_future(one) for one in (event, timer) if one is not None]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
