"""Instances without I/O: real owners, engine, queue and store; scripted answers, a manual clock.

A `Life` is an instance between a start and a stop, a kill or a reload on one database.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from daemon.alerts.ids import alert_code
from daemon.alerts.mutes import NO_MUTES, Mutes
from daemon.log import FailureLog
from daemon.readings.plausibility import PendingSuspect
from daemon.rules.rule import Rule
from daemon.service.async_store import ThreadedStore
from daemon.service.clock_monitor import offset
from daemon.service.delivery.immediate import EagerClaims
from daemon.service.delivery.queue import NotificationQueue
from daemon.service.judging.account_owner import Owner, SuspectListener
from daemon.service.judging.arrivals import Arrival, Look
from daemon.service.judging.confirmer import Overdue
from daemon.service.judging.context import JudgingContext
from daemon.service.judging.startup import StartConfig, begin, watching
from daemon.store import FaultInjection, Store
from daemon.store.operations import EndEpoch
from daemon.types import AccountState, Millis, Notice
from tests.fakes import ManualClock, RecordingWatcher


class RestlessClock(ManualClock):
    """A manual clock on which nobody ever waits: retries come at once."""

    async def sleep(self, duration: Millis) -> None:
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Step:
    """The wall clock is set by so much, and the account's owner is told to look at it."""

    by: Millis


@dataclass(frozen=True)
class Late:
    """A suspect was not settled in time, if there is one."""


Told: TypeAlias = Arrival | Step | Late

STOP, KILL, RELOAD = "stop", "kill", "reload"


class Life:
    """`async with Life(...) as life`: a started instance; on leaving, its tasks end."""

    def __init__(
        self,
        url: str,
        accounts: Sequence[str],
        rules: Sequence[Rule],
        *,
        clock: ManualClock | None = None,
        channels: Sequence[str] = ("telegram",),
        fault_injection: FaultInjection | None = None,
        async_store: Callable[[Store, ManualClock], ThreadedStore] = ThreadedStore,
        reason: str = "start",
        mutes: Mutes = NO_MUTES,
        max_jump: Decimal | None = None,
        owner: type[Owner] = Owner,
        every: Millis | None = None,
    ) -> None:
        self.book: Callable[[Sequence[Notice]], EagerClaims] = lambda _: EagerClaims()
        self.ending = KILL
        """How it will end; a kill leaves no word of its own."""
        self.clock = clock or RestlessClock()
        self.observer = RecordingWatcher()
        moved = offset(self.clock)
        self.notifications = NotificationQueue(moved)
        self.store = Store.open(url, fault_injection=fault_injection)
        codes = self.store.codes()
        paces = dict.fromkeys(accounts, every) if every else {}
        setting = StartConfig(
            rules,
            channels,
            dict.fromkeys(accounts, "coinw"),
            partial(alert_code, taken=codes),
            mutes,
            paces,
        )
        try:
            self.start_result = begin(self.store, self.notifications, setting, self.clock, reason)
        except BaseException:
            self.store.close()
            raise
        self.states = self.start_result.states
        self.async_store = async_store(self.store, self.clock)
        context = JudgingContext(
            self.async_store,
            self.notifications,
            self.clock,
            channels,
            codes,
            FailureLog(logging.getLogger("lives"), self.clock),
            self.observer,
            moved,
            mutes,
            self._book,
            max_jump,
        )
        self.doubted: dict[str, PendingSuspect] = {}
        """By account, what was not believed at once last, in this life or before it."""
        self.every = every or 0
        self.owners = {
            name: self._owner(context, state, watching(rules, name))
            for name, state in self.states.items()
        }

    def _book(self, notices: Sequence[Notice]) -> EagerClaims:
        return self.book(notices)

    def _owner(
        self, context: JudgingContext, state: AccountState, rules: Mapping[str, Rule]
    ) -> Owner:
        def doubted(suspicion: PendingSuspect) -> None:
            self.doubted[state.account] = suspicion

        return Owner(
            context, state, rules.values(), SuspectListener(doubted, doubted), lambda: self.every
        )

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(owner.run()) for owner in self.owners.values()]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.ending != KILL:
            self.store.submit(EndEpoch(self.clock.now(), self.ending))
        await asyncio.to_thread(self.store.close)

    async def tell(self, arrivals: Mapping[str, Told]) -> None:
        """Put one arrival into each mailbox and wait until all are judged and committed."""
        for step in {each for each in arrivals.values() if isinstance(each, Step)}:
            self.clock.step(step.by)
        for name in (each for each, arrival in arrivals.items() if isinstance(arrival, Late)):
            self.owners[name].post(Look())  # looked at once it knows what the last life left
            await self.owners[name].drained()
        for name, arrival in arrivals.items():
            self.owners[name].post(self._posted(name, arrival))
        await asyncio.gather(*(owner.drained() for owner in self.owners.values()))

    def _posted(self, name: str, arrival: Told) -> Arrival:
        match arrival:
            case Step():
                return Look()
            case Late():
                return Overdue(self.doubted[name].first if name in self.doubted else 0)
            case _:
                return arrival


async def play(
    life: Callable[..., Life],
    rounds: Iterable[Mapping[str, Told]],
    every: Millis,
    ending: Callable[[int], str],
) -> None:
    """Tell all rounds, `every` apart.

    `ending` gives the kind of end after a round, or nothing. `life` is made with the keywords
    `clock` and `reason`.
    """
    clock, reason = RestlessClock(), "start"
    pending = list(enumerate(rounds))
    while pending:
        async with life(clock=clock, reason=reason) as living:
            while pending:
                number, arrivals = pending.pop(0)
                await living.tell(arrivals)
                await clock.advance(every)
                if how := ending(number):
                    living.ending, reason = how, RELOAD if how == RELOAD else "start"
                    break


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """The rows of a query on a SQLite file, from outside."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


TRANSITIONS = """
    SELECT accounts.name, alerts.rule, alerts.code,
        transitions.at, from_state, to_state, reason, value
    FROM transitions JOIN alerts ON alerts.id = alert_id JOIN accounts ON accounts.id = account_id
    ORDER BY transitions.at, accounts.name, alerts.rule, transitions.id
"""
READINGS = """
    SELECT name, at, source, quality, available_margin, al_freeze
    FROM snapshots JOIN accounts ON accounts.id = account_id ORDER BY 1, 2
"""
MISSES = (
    "SELECT name, at, reason FROM misses JOIN accounts ON accounts.id = account_id ORDER BY 1, 2"
)
NOTIFICATIONS = "SELECT kind, channel, count(*) FROM notifications GROUP BY 1, 2 ORDER BY 1, 2"
