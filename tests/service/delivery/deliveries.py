"""Deliveries with faults: instances killed between any two steps, receivers with moods.

Everything is real but the clock, the receivers and the moment of each commit: owners, channel
workers, queue and SQLite. It is deterministic: a commit happens where it is awaited, and nothing
between tasks depends on threads.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from enum import StrEnum
from functools import partial
from itertools import cycle
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from daemon.alerts.mutes import NO_MUTES, Mutes
from daemon.clock import Clock
from daemon.config import Report
from daemon.errors import StoreError
from daemon.hidden import Secret
from daemon.messages.report_data import ReportData
from daemon.notifiers import Traits
from daemon.rules.rule import Rule
from daemon.service.async_store import ThreadedStore
from daemon.service.delivery.backoff import recorded_health
from daemon.service.delivery.channel_worker import ChannelWorker
from daemon.service.delivery.context import HAND_OVER_AFTER, ChannelPolicy, DeliveryContext
from daemon.service.delivery.immediate import book
from daemon.service.delivery.report_queue import ReportQueue
from daemon.service.judging.arrivals import Arrival
from daemon.service.reporting.data import ReportReader
from daemon.service.reporting.scheduler import ReportDependencies, Reports
from daemon.store import FaultInjection, Store
from daemon.store.operations import (
    Claim,
    CommitFailed,
    EndEpoch,
    MessageKey,
    Operation,
    RecordWithClaims,
    Written,
)
from daemon.store.write.reports import OpenReport
from daemon.types import (
    MINUTE,
    SECOND,
    AccountState,
    AttemptResult,
    Message,
    Millis,
    NoticeKey,
    Outcome,
    Reading,
    Silence,
)
from tests.fakes import ManualClock, settle
from tests.service.lives import Life


class Mood(StrEnum):
    """A receiver's behaviour in one call."""

    DELIVERS = "delivers"
    LATER = "later"
    UNKNOWN = "unknown, and it arrived"
    LOST = "unknown, and it did not arrive"
    REFUSES = "refuses"
    HANGS = "hangs, and it arrived"
    DELIVERS_LATE = "hangs, and delivers"


ARRIVES = frozenset({Mood.DELIVERS, Mood.DELIVERS_LATE, Mood.UNKNOWN, Mood.HANGS})
_OUTCOMES = {
    Mood.DELIVERS: Outcome.DELIVERED,
    Mood.LATER: Outcome.LATER,
    Mood.UNKNOWN: Outcome.UNKNOWN,
    Mood.LOST: Outcome.UNKNOWN,
    Mood.REFUSES: Outcome.REFUSED,
    Mood.HANGS: Outcome.UNKNOWN,
    Mood.DELIVERS_LATE: Outcome.DELIVERED,
}


class Glitch(StrEnum):
    """Failures of a commit."""

    ROLLED_BACK = "rolled back"
    ANSWER_LOST = "done, but its answer is lost"
    SLOW = "done, but its answer takes its time"
    SLOWLY_ROLLED_BACK = "rolled back, which takes its time"
    SLOWLY_LOST = "done, but its answer is lost, which takes its time"


UNDOES = frozenset({Glitch.ROLLED_BACK, Glitch.SLOWLY_ROLLED_BACK})
LOSES = frozenset({Glitch.ANSWER_LOST, Glitch.SLOWLY_LOST})
SLOW = frozenset({Glitch.SLOW, Glitch.SLOWLY_ROLLED_BACK, Glitch.SLOWLY_LOST})
TAKES: Millis = 1_700
"""A slow commit: longer than a channel is kept free for it."""


@dataclass(slots=True)
class Call:
    """One attempt that was claimed on disk: what was to be sent, and what became of it."""

    message: MessageKey
    keys: tuple[NoticeKey, ...]
    text: Message
    at: Millis
    """Elapsed."""
    life: int
    ended: Millis = 0
    made: bool = False
    arrived: bool = False
    outcome: Outcome | None = None


@dataclass
class Fate:
    """When the process is killed and which commits fail; the record of all calls."""

    clock: ManualClock
    calls: list[Call] = field(default_factory=list)
    doom: int | None = None
    """So many steps (a commit's beginning or end, a call's beginning or end) until the kill."""
    dead: bool = False
    glitches: list[Glitch | None] = field(default_factory=list)
    shaken: Millis = 0
    """Elapsed, of the last commit that failed, or was slow."""
    slow: bool = False
    """The last commit was."""
    life: int = 0
    killed: set[int] = field(default_factory=set)
    """The lives that were."""
    moods: dict[str, list[Mood]] = field(default_factory=dict)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    yields: Iterator[int] = field(default_factory=lambda: cycle([0]))

    def dies(self) -> bool:
        """One more step; True where it is the last one, or the process is dead already."""
        if self.doom is not None:
            self.doom -= 1
            self.dead = self.dead or self.doom < 0
        if self.dead:
            self.killed.add(self.life)
        return self.dead

    def commit(self, connection: Connection) -> None:
        glitch = self.glitches.pop(0) if self.glitches and not self.dead else None
        self.slow = glitch in SLOW
        if self.dies() or glitch in UNDOES:
            self.shaken = self.clock.elapsed()
            connection.rollback()
            raise RuntimeError("rolled back")
        connection.commit()
        if self.dies() or glitch in LOSES:
            self.shaken = self.clock.elapsed()
            raise RuntimeError("the answer is lost")

    async def breathe(self) -> None:
        """Let others run, so that awaiting a commit or an answer takes more or less long."""
        for _ in range(next(self.yields)):
            await asyncio.sleep(0)

    async def linger(self) -> None:
        """Wait for the answer of the last commit, if that is slow."""
        if self.slow:
            self.slow = False
            self.shaken = self.clock.elapsed() + TAKES
            await self.clock.sleep(TAKES)

    async def survive(self) -> None:
        """A dead process does nothing any more."""
        if self.dead:
            await asyncio.Event().wait()


def _claims(operation: Operation) -> Sequence[Claim]:
    match operation:
        case Claim():
            return (operation,)
        case RecordWithClaims(claims=claims):
            return claims
        case _:
            return ()


class SteadyJournal(ThreadedStore):
    """Commits where it is awaited, so that a run can be repeated exactly."""

    def __init__(self, store: Store, clock: Clock, fate: Fate) -> None:
        super().__init__(store, clock)
        self._fate = fate

    async def silences(self, at: Millis) -> Sequence[Silence]:
        await self._fate.breathe()
        await self._fate.survive()
        return self._store.silences(at)

    async def tested(self, since: MessageKey) -> bool:
        await self._fate.breathe()
        await self._fate.survive()
        return self._store.tested(since)

    async def write(self, operation: Operation) -> Written:
        await self._fate.survive()
        await self._fate.breathe()
        await self._fate.survive()
        for claim in _claims(operation):
            self._remember(claim)
        try:
            written = self._store.submit(operation).result()
        except CommitFailed:
            await self._fate.linger()
            await self._fate.survive()
            raise
        await self._fate.linger()
        await self._fate.breathe()
        await self._fate.survive()
        return written

    def _remember(self, claim: Claim) -> None:
        """Whether or not it will be committed: a call that was never made is known by that."""
        assert claim.text is not None
        fate = self._fate
        if all(call.message != claim.message for call in fate.calls):
            fate.calls.append(
                Call(claim.message, claim.keys, claim.text, fate.clock.elapsed(), fate.life)
            )

    async def load(self, account: str) -> AccountState:
        return self._store.load(account)

    async def open_reports(self) -> Sequence[OpenReport]:
        await self._fate.survive()
        return self._store.open_reports()

    async def standing(self, account: str, at: Millis) -> Reading | None:
        return self._store.standing(account, at)

    async def latest(self, account: str) -> Sequence[Reading]:
        return self._store.latest(account)

    async def recent(self, account: str, since: Millis) -> AsyncIterator[Reading]:
        for page in self._store.recent(account, since):
            for reading in page:
                yield reading


class MoodyNotifier:
    def __init__(self, channel: str, fate: Fate, traits: Traits) -> None:
        self._channel = channel
        self._fate = fate
        self.traits = traits

    async def send(self, message: Message) -> AttemptResult:
        fate, call = self._fate, self._claimed(message)
        if fate.dies():
            await fate.survive()
        moods = fate.moods.get(self._channel, [])
        mood = moods.pop(0) if moods else Mood.DELIVERS
        call.made, call.arrived = True, mood in ARRIVES
        if mood in {Mood.HANGS, Mood.DELIVERS_LATE}:
            gate = fate.gates[self._channel] = asyncio.Event()
            await gate.wait()
        await fate.breathe()
        if fate.dies():
            await fate.survive()
        call.outcome, call.ended = _OUTCOMES[mood], fate.clock.elapsed()
        return AttemptResult(call.outcome, str(mood))

    def _claimed(self, message: Message) -> Call:
        ours = (
            call for call in reversed(self._fate.calls) if call.message.channel == self._channel
        )
        return next(call for call in ours if call.text == message and not call.made)


@dataclass(frozen=True)
class Plan:
    """A configuration."""

    rules: tuple[Rule, ...]
    channels: tuple[str, ...]
    accounts: tuple[str, ...]
    mutes: Mutes = NO_MUTES
    fallbacks: Mapping[str, str] = field(default_factory=dict)
    room: int = 3_800
    """Of every channel."""
    reports: tuple[Report, ...] = ()
    """With their channels."""

    def channel(self, name: str) -> ChannelPolicy:
        others = tuple(other for other in self.channels if other != name)
        fallback = self.fallbacks.get(name, "")
        stead = fallback if fallback in others else ""
        return ChannelPolicy(name, SECOND, others, stead, 2 * MINUTE if stead else HAND_OVER_AFTER)


async def _no_chart(_facts: ReportData) -> bytes:
    return b""


class House:
    """An instance with its channel workers.

    `begin`, then `tell` and advance time; then `kill` or `stop`.
    """

    def __init__(self, url: str, plan: Plan, fate: Fate) -> None:
        self.fate, self.plan = fate, plan
        self.life = Life(
            url,
            plan.accounts,
            plan.rules,
            clock=fate.clock,
            channels=plan.channels,
            mutes=plan.mutes,
            fault_injection=FaultInjection(commit=fate.commit),
            async_store=lambda store, clock: SteadyJournal(store, clock, fate),
        )
        life = self.life
        report_queue = ReportQueue(lambda channel: life.notifications.changed(channel).set())
        absent = life.start_result.absent
        context = DeliveryContext(
            life.async_store,
            life.notifications,
            life.clock,
            UTC,
            lambda: 0.9,
            life.observer,
            absent,
            report_queue=report_queue,
            escalations={each.name: each.escalates_to for each in plan.rules},
        )
        self.workers = {
            name: ChannelWorker(
                plan.channel(name), MoodyNotifier(name, fate, Traits(room=plan.room)), context
            )
            for name in plan.channels
        }
        life.book = partial(book, self.workers)
        for fared in life.store.deliveries():
            if fared.channel in self.workers:
                self.workers[fared.channel].state.health = recorded_health(
                    fared, fate.clock.now(), fate.clock.elapsed()
                )
        archive = ReportReader(
            Secret(url), life.clock, ZoneInfo("UTC"), plan.accounts, plan.channels, lambda _: SECOND
        )
        means = ReportDependencies(
            life.async_store, life.clock, UTC, report_queue, archive.facts, _no_chart
        )
        reports = [Reports(plan.reports, means, absent).run] if plan.reports else []
        loops = [
            *(owner.run for owner in life.owners.values()),
            *(worker.run for worker in self.workers.values()),
            *reports,
        ]
        self.tasks = [asyncio.create_task(loop()) for loop in loops]

    async def tell(self, arrivals: dict[str, Arrival]) -> None:
        for name, arrival in arrivals.items():
            if name in self.life.owners:
                self.life.owners[name].post(arrival)
        await settle(120)
        self.check()

    async def stop(self) -> None:
        """As the daemon stops: what is due is tried once; what hangs is cut off."""
        for worker in self.workers.values():
            worker.stop()
        await settle(120)
        for task in self.tasks:
            task.cancel()
        while not self.fate.dead and not all(task.done() for task in self.tasks):
            await self.fate.clock.advance(SECOND)  # what is being committed is awaited
        await self._end()
        if not self.fate.dead:
            with suppress(CommitFailed, StoreError):
                self.life.store.submit(EndEpoch(self.fate.clock.now())).result()
        self.life.store.close()

    async def kill(self) -> None:
        """Nothing is marked, nothing is finished."""
        self.fate.dead = True
        await self._end()
        self.life.store.close()

    async def _end(self) -> None:
        """End loops that serve others first: a loop finishes its step."""
        ours = asyncio.current_task()
        while tasks := [
            task for task in asyncio.all_tasks() if task is not ours and not task.done()
        ]:
            for task in tasks:
                task.cancel()
            await settle()  # a dead process ends nothing in order: what would is cancelled again
        self.check()

    def check(self) -> None:
        """No loop breaks."""
        for task in self.tasks:
            if task.done() and not task.cancelled():
                error = task.exception()
                if error is not None:
                    raise error


def begin(url: str, plan: Plan, fate: Fate) -> House:
    """Start, as often as necessary: a start may be killed, or fail with an error."""
    while True:
        fate.dead = False
        fate.life += 1
        try:
            return House(url, plan, fate)
        except StoreError:
            fate.doom = None
