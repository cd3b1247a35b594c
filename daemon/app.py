"""The composition root: builds one life of the daemon from a configuration, starts it and stops it.

    Schedule ──► Poller ──► Intake ──► Owner ──► Store          one of each per account, but for the first and the last
                 Stream ──────┘          └──► Ledger ──► Courier ──► Notifier          one courier per channel

All that is given from outside (clock, randomness, ways out) comes in as `World`.
"""

import asyncio
import logging
import os
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from daemon import __version__, exchanges
from daemon.alerts.codes import code
from daemon.clock import Clock, SystemClock
from daemon.config import Account, Channel, Config, pace
from daemon.exchanges import budget, http, stream
from daemon.exchanges.pauses import Pause
from daemon.exchanges.speech import Dialect
from daemon.log import Episodes
from daemon.notifiers import Notifier, Pictures
from daemon.notifiers.drawn import Drawer
from daemon.readings import pushes
from daemon.readings.slots import passed
from daemon.rules.durations import duration_text
from daemon.service import office
from daemon.service.backoff import Health, resumed
from daemon.service.beginning import Beginning, begin
from daemon.service.bookings import Bookings
from daemon.service.confirming import Confirmer
from daemon.service.departures import book
from daemon.service.heartbeat import BEAT, Attempts, Heartbeat, Monitor, Pulse, Vitals, untaken_for
from daemon.service.intake import Intake
from daemon.service.journal import StoreJournal
from daemon.service.ledger import Ledger
from daemon.service.legacy import Legacy, left, recorded
from daemon.service.lives import RELOAD, STOP
from daemon.service.office import Office
from daemon.service.opening import Setting, watching
from daemon.service.outbox import Courier
from daemon.service.owner import Desk, Doubters, Look, Owner, Slept
from daemon.service.pacer import Pacer
from daemon.service.parcels import Tray
from daemon.service.pictures import Artist, Draws, Studio
from daemon.service.poller import Ears, Poller
from daemon.service.reported import Archive
from daemon.service.reporter import Reporter
from daemon.service.reports import Means, Reports
from daemon.service.schedule import Schedule
from daemon.service.selfwatch import SelfWatch, Senses
from daemon.service.streams import Streams
from daemon.service.supervise import supervise
from daemon.service.watchdog import Drift, offset, watch
from daemon.service.watcher import Watcher, Watchers
from daemon.store import Store, disk
from daemon.store.operations import Book, EndEpoch, Identify
from daemon.types import AccountState, Millis, NoAnswer

_log = logging.getLogger("marginwatch")

PATIENCE = 0.7
"""Seconds that a stop waits for the calls under way, then for their judgement; twice that for the last messages."""

LAST = 2.0
"""Seconds that a stop waits for the database."""


def _apprise(channel: Channel, clock: Clock) -> Notifier:
    from daemon.notifiers.apprise import AppriseNotifier  # noqa: PLC0415 -- `demo` does without

    return AppriseNotifier(channel.url.reveal(), clock)


def _drawer(clock: Clock) -> Draws:
    return Drawer(clock, os.environ)


def _monitor(url: str, clock: Clock) -> Monitor:
    from daemon.notifiers import heartbeat  # noqa: PLC0415 -- most configurations need it, `demo` does not

    return heartbeat.Monitor(url, clock)


@dataclass(frozen=True, slots=True)
class World:
    """What the daemon meets outside itself; `demo` and the tests give another one."""

    clock: Clock = field(default_factory=SystemClock)
    jitter: Callable[[], float] = random.random
    notifier: Callable[[Channel, Clock], Notifier] = _apprise
    drawer: Callable[[Clock], Draws] = _drawer
    monitor: Callable[[str, Clock], Monitor] = _monitor
    watchers: Sequence[Watcher] = ()
    open_store: Callable[..., Store] = Store.open


class App:
    """One life of the daemon: `start`, then `stop`, once each. `former` ended for a reload to this one."""

    def __init__(self, config: Config, world: World, former: "App | None" = None) -> None:
        self._config = config
        self._reason = "start" if former is None else RELOAD
        self._legacy = Legacy() if former is None else former.legacy()
        self._channels = tuple(channel.name for channel in config.channels)
        self._world = world
        self._clock = world.clock
        self._episodes = Episodes(_log, world.clock)
        self._offset = offset(world.clock)
        self._ledger = Ledger(self._offset)
        self._attempts = Attempts(world.clock, self._legacy.attempts)
        self._heartbeat: Heartbeat | None = None
        self._watcher = Watchers([Reporter(self._episodes), self._attempts, *world.watchers])
        self._artist = Artist(self._studio())
        self._tray = Tray(lambda channel: self._ledger.changed(channel).set())
        self._schedule = Schedule(self._slot_trouble)
        limits = config.budget
        self._budget = budget.Budget(self._clock, limits.host, limits.user, {"assets": limits.assets})
        self._pacer = Pacer(config, self._budget, self._schedule, self._clock)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pollers: dict[str, Poller] = {}
        self._owners: dict[str, Owner] = {}
        self._streams = Streams(self._dial, self._clock, world.jitter, self._episodes)
        self._confirmers: dict[str, Confirmer] = {}
        self._couriers: dict[str, Courier] = {}
        self._pictured: set[str] = set()

    async def start(self) -> None:
        """Returns when the store is ready and every loop runs.

        Raises:
            StoreError: where the database cannot be used, or another daemon collects into it.

        """
        self._loop = asyncio.get_running_loop()
        self._store = await asyncio.to_thread(self._open)
        self._journal = StoreJournal(self._store, self._clock)
        self._session = http.open_session()
        try:
            beginning = await asyncio.to_thread(self._begin)
            self._start_couriers(beginning)
            self._start_reports(beginning)
            self._start_accounts(beginning.states)
            self._watch_itself()
            self._prove_life()
            self._run("the watchdog", self._watch)
            self._schedule.start()
        except BaseException:
            await self._release()
            raise
        numbers = {"accounts": len(self._owners), "rules": len(self._config.rules), "channels": len(self._couriers)}
        _log.info("started", extra={"version": __version__, **numbers})

    @property
    def down(self) -> str | None:
        """Why the database refuses to write; None while it does not."""
        return self._store.down

    def legacy(self) -> Legacy:
        """What the next life should know."""
        pauses = {name: poller.pause for name, poller in self._pollers.items()}
        beat_at = None if self._heartbeat is None else self._heartbeat.due_at
        return left(pauses, self._budget.halved_for, self._attempts.at, beat_at)

    async def stop(self, reason: str = STOP) -> int:
        """End the pass, try once what is due, leave the rest queued; within five seconds.

        Returns the number of operations that could not be stored.
        """
        self._schedule.pause()
        for account in self._streams.accounts:
            self._tasks[_stream(account)].cancel()
        for confirmer in self._confirmers.values():
            confirmer.stop()
        await _within(PATIENCE, (poller.finished() for poller in self._pollers.values()))
        cut_off = self._cut_off()
        self._schedule.stop()
        await _within(PATIENCE, (owner.drained() for owner in self._owners.values()))
        for courier in self._couriers.values():
            courier.stop()
        await _within(2 * PATIENCE, (self._tasks[f"the channel {name}"] for name in self._couriers))
        lost = await self._release(*cut_off, EndEpoch(self._clock.now(), reason))
        if lost:
            _log.error("stopped; the database took no writes until the end: what waited is lost", extra={"lost": lost})
        else:
            _log.info("stopped")
        return lost

    def _open(self) -> Store:
        url = self._config.daemon.database.reveal()
        return self._world.open_store(url, on_down=self._store_down, on_recovered=self._store_recovered)

    def _cut_off(self) -> list[Book]:
        """The calls that end without leaving a reading or a miss: the exchange may have counted them (B3)."""
        at = self._clock.now()
        return [Book(at, call.endpoint, call.user, n) for n, call in enumerate(self._budget.flying)]

    async def _release(self, *last: Book | EndEpoch) -> int:
        """End what still runs, write the last words, let the database go; how many operations are lost."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._artist.close()
        for operation in last:
            self._store.submit(operation)
        await self._session.close()
        return await asyncio.to_thread(self._store.close, LAST)

    def _begin(self) -> Beginning:
        """In a thread of its own."""
        self._codes = self._store.codes()
        now, elapsed = self._clock.now(), self._clock.elapsed()
        self._pacer.user_ids = self._store.user_ids()
        if self._reason != RELOAD:
            self._legacy = recorded(self._store, now, self._offset)
        self._fared = {each.channel: resumed(each, now, elapsed) for each in self._store.deliveries()}
        accounts = {account.name: account.exchange for account in self._config.accounts}
        rules, name_alert = self._config.account_rules, partial(code, taken=self._codes)
        setting = Setting(rules, self._channels, accounts, name_alert, self._config.mutes, self._pacer.paces())
        return begin(self._store, self._ledger, setting, self._clock, self._reason)

    # The loops.

    def _start_couriers(self, beginning: Beginning) -> None:
        zone, watcher = self._config.daemon.timezone, self._watcher
        absent = beginning.absent if self._reason != RELOAD else None
        shared = Office(
            self._journal,
            self._ledger,
            self._clock,
            zone,
            self._world.jitter,
            watcher,
            absent,
            self._artist,
            self._tray,
        )
        for channel in self._config.channels:
            notifier = self._world.notifier(channel, self._clock)
            courier = Courier(self._place(channel), notifier, shared)
            self._pictured |= {channel.name} if notifier.traits.pictures is not Pictures.NONE else set()
            courier.line.health = self._fared.get(channel.name, Health())
            self._couriers[channel.name] = courier
            self._run(f"the channel {channel.name}", courier.run)

    def _start_reports(self, beginning: Beginning) -> None:
        names, zone = [account.name for account in self._config.accounts], self._config.daemon.timezone
        url, every = self._config.daemon.database.reveal(), lambda account: self._pacer.paces().get(account)
        archive = Archive(url, self._clock, zone, names, self._channels, every)
        draw = archive.drawing(self._artist, self._config.rules)
        means = Means(self._journal, self._clock, zone, self._tray, archive.facts, draw, self._pictured)
        wanted = [replace(each, channels=each.channels or self._channels) for each in self._config.reports]
        self._run("the reports", Reports(wanted, means, beginning.absent).run)

    def _studio(self) -> Studio:
        return Studio(
            self._config.daemon.database.reveal(),
            {rule.name: rule for rule in self._config.rules},
            self._config.daemon.timezone,
            lambda account: self._pacer.paces().get(account),
            self._world.drawer(self._clock),
            self._episodes,
        )

    def _place(self, channel: Channel) -> office.Channel:
        others = tuple(name for name in self._channels if name != channel.name)
        patience = channel.fallback_after if channel.fallback else office.HAND_OVER_AFTER
        return office.Channel(channel.name, channel.group_wait, others, channel.fallback, patience)

    def _desk(self) -> Desk:
        return Desk(
            self._journal,
            self._ledger,
            self._clock,
            self._channels,
            self._codes,
            self._episodes,
            self._watcher,
            self._offset,
            self._config.mutes,
            partial(book, self._couriers),
            self._config.daemon.max_jump,
        )

    def _watch_itself(self) -> None:
        url, zone = self._config.daemon.database.reveal(), self._config.daemon.timezone
        couriers = self._couriers
        senses = Senses(
            lambda: {name: courier.line.health for name, courier in couriers.items()},
            partial(disk.free, url),
            zone,
            self._streams.pushes,
            self._tray.channels,
        )
        self._selfwatch = SelfWatch(self._desk(), self._config.daemon_rules, senses)
        self._run("the watch over the daemon itself", self._selfwatch.run)

    def _prove_life(self) -> None:
        url, clock, due_at = self._config.daemon.heartbeat, self._clock, self._legacy.beat_at
        if url:
            monitor = self._world.monitor(url.reveal(), clock)
            first = clock.elapsed() + BEAT if due_at is None else due_at
            self._heartbeat = Heartbeat(monitor, self._vitals, clock, self._episodes, first)
            self._run("the heartbeat", self._heartbeat.run)

    def _vitals(self) -> Vitals:
        attempts, paces = self._attempts.at, self._pacer.paces()
        pulses = {
            name: Pulse(attempts.get(name), paces[name], poller.pause.length) for name, poller in self._pollers.items()
        }
        untaken = untaken_for(self._ledger, self._clock.now(), self._clock.elapsed())
        return Vitals(pulses, self._config.daemon.timeout, self.down, untaken)

    def _start_accounts(self, states: Mapping[str, AccountState]) -> None:
        desk = self._desk()
        self._fill_budget()
        paces = self._pacer.paces()
        for account in self._config.accounts:
            rules = watching(self._config.account_rules, account.name)
            confirmer = self._confirmers[account.name] = Confirmer(self._clock)
            doubters = Doubters(confirmer.doubted, confirmer.left)
            owner = Owner(desk, states[account.name], rules.values(), doubters)
            self._owners[account.name] = owner
            self._run(f"the owner of {account.name}", owner.run)
            self._poll(account, paces[account.name], owner)
        self._tell_paces()
        self._run("the pace", self._pacer.run)

    def _poll(self, account: Account, every: Millis, owner: Owner) -> None:
        user_id = account.user_id or self._pacer.user_ids.get(account.name, "")
        intake = Intake(owner.post, self._clock, self._config.system.push_contradicted or pushes.LIMIT)
        ears = Ears(intake.answered, partial(self._learned, account.name))
        poller = Poller(self._exchange(account, user_id), user_id, ears, self._clock)
        poller.pause = self._legacy.pauses.get(account.name, Pause())
        self._pollers[account.name] = poller
        confirm = partial(self._confirmers[account.name].run, poller.confirm, owner.post)
        self._run(f"the confirming of {account.name}", confirm)
        self._schedule.add(account.name, every, poller.tick, self._clock.now())
        self._run(f"the calls beside the slots of {account.name}", poller.beside)
        listener = self._streams.add(account.exchange, self._keys(account, user_id), intake, poller, owner)
        if listener is not None:
            self._run(_stream(account.name), listener.run)

    def _tell_paces(self) -> None:
        """Once a life, and as it will be when every account has answered."""
        paces = pace.settled(self._config.accounts, self._config.budget, self._pacer.user_ids)
        wishes = {account.name: account.every for account in self._config.accounts}
        stretched = [
            f"{name} every {duration_text(every)} instead of {duration_text(wishes[name])}"
            for name, every in paces.items()
            if every > wishes[name]
        ]
        if stretched:
            _log.warning("reading less often than asked, to stay within [budget]: %s", ", ".join(stretched))

    def _exchange(self, account: Account, user_id: str) -> exchanges.Exchange:
        tools = exchanges.Tools(self._session, self._budget, self._clock)
        return exchanges.load(account.exchange).connect(self._keys(account, user_id), tools)

    async def _dial(self, url: str, dialect: Dialect) -> stream.Connection | NoAnswer:
        return await stream.connect(self._session, url, dialect, self._clock, self._config.daemon.timeout)

    def _keys(self, account: Account, user_id: str) -> exchanges.Account:
        return exchanges.Account(
            account.name,
            account.api_key.reveal(),
            account.secret_key.reveal(),
            account.rest_url,
            account.ws_url,
            self._config.daemon.timeout,
            user_id,
        )

    def _fill_budget(self) -> None:
        """The calls of the last life, and of commands, still stand in the budget of the whole host (SEMANTICS B3)."""
        limits = self._config.budget
        span = max(limits.host.per, limits.user.per, limits.assets.per)
        for call in self._store.calls(self._clock.now() - span):
            self._budget.book(call.at, "assets", self._pacer.user_ids.get(call.account, ""))
        if self._legacy.halved_for > 0:
            self._budget.halve(self._legacy.halved_for)
        bookings = Bookings(self._store.bookings, self._budget, span, self._clock)
        bookings.hear()
        self._run("the ear for bookings", bookings.listen)

    def _run(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        self._tasks[name] = asyncio.create_task(supervise(name, loop, self._clock, self._episodes), name=name)

    # What the loops tell.

    def _learned(self, account: str, user_id: str) -> None:
        self._store.submit(Identify(account, user_id))
        self._pacer.user_ids[account] = user_id
        self._pacer.apply()

    async def _watch(self) -> None:
        await watch(Drift(self._clock, self._offset), self._clock_was_set, self._slept)

    def _slept(self, lasted: Millis) -> None:
        """Nothing bursts: every account goes on at its next slot, by the pace of before."""
        now = self._clock.now()
        _log.warning("the machine was suspended", extra={"for_ms": lasted})
        for name, every in self._pacer.paces().items():
            self._owners[name].post(Slept(lasted, passed(name, every, now - lasted, now)))
        self._schedule.realign(now)

    def _clock_was_set(self) -> None:
        for owner in self._owners.values():
            owner.post(Look())
        self._selfwatch.wake()
        self._schedule.realign(self._clock.now())

    def _slot_trouble(self, account: str, what: str) -> None:
        self._episodes.failed(("slot", account, what), f"{account} {what}", account=account)

    def _store_down(self, reason: str) -> None:
        sentence = f"the database refuses to write ({reason}): judging goes on, the record follows when it can"
        self._loop.call_soon_threadsafe(partial(self._episodes.failed, "store", sentence, reason=reason))

    def _store_recovered(self) -> None:
        self._loop.call_soon_threadsafe(self._recovered)

    def _recovered(self) -> None:
        self._ledger.stored()
        self._episodes.ended("store", "the database writes again, and the record is complete")


def _stream(account: str) -> str:
    return f"the push stream of {account}"


async def _within(seconds: float, waits: Iterable[Awaitable[None]]) -> None:
    """Wait for all of them, but no longer than that; what is not done by then is cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
