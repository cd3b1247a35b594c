"""The composition root: builds the daemon from a configuration, starts it and stops it.

    Schedule ──► Poller ──► Owner ──► Store                     one poller and one owner per account
                              └──► Ledger ──► Courier ──► Notifier          one courier per channel

All that is given from outside (clock, randomness, ways out) comes in as `World`.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from daemon import __version__, exchanges
from daemon.alerts.codes import code
from daemon.clock import Clock, SystemClock
from daemon.config import Account, Channel, Config, pace
from daemon.exchanges import budget, http
from daemon.log import Episodes
from daemon.notifiers import Notifier
from daemon.rules.durations import duration_text
from daemon.service import outbox
from daemon.service.beginning import begin
from daemon.service.bookings import Bookings
from daemon.service.journal import StoreJournal
from daemon.service.ledger import Ledger
from daemon.service.opening import Setting, watching
from daemon.service.outbox import Courier, Office
from daemon.service.owner import Desk, Owner, Step
from daemon.service.poller import Ears, Poller
from daemon.service.reporter import Reporter
from daemon.service.schedule import Schedule
from daemon.service.supervise import supervise
from daemon.service.watchdog import watch
from daemon.service.watcher import Watcher, Watchers
from daemon.store import Store
from daemon.store.operations import EndEpoch, Identify
from daemon.types import AccountState, Millis

_log = logging.getLogger("marginwatch")

PATIENCE = 0.7
"""Seconds that a stop waits for the calls under way, then for their judgement; twice that for the last messages."""

LAST = 2.0
"""Seconds that a stop waits for the database."""


def _apprise(channel: Channel, clock: Clock) -> Notifier:
    from daemon.notifiers.apprise import AppriseNotifier  # noqa: PLC0415 -- `demo` does without

    return AppriseNotifier(channel.url.reveal(), clock)


@dataclass(frozen=True, slots=True)
class World:
    """What the daemon meets outside itself; `demo` and the tests give another one."""

    clock: Clock = field(default_factory=SystemClock)
    jitter: Callable[[], float] = random.random
    notifier: Callable[[Channel, Clock], Notifier] = _apprise
    watchers: Sequence[Watcher] = ()
    open_store: Callable[..., Store] = Store.open


class App:
    """One life of the daemon: `start`, then `stop`, once each."""

    def __init__(self, config: Config, world: World) -> None:
        self._config = config
        self._channels = tuple(channel.name for channel in config.channels)
        self._world = world
        self._clock = world.clock
        self._episodes = Episodes(_log, world.clock)
        self._ledger = Ledger()
        self._watcher = Watchers([Reporter(self._episodes), *world.watchers])
        self._schedule = Schedule(self._slot_trouble)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pollers: list[Poller] = []
        self._owners: dict[str, Owner] = {}
        self._couriers: dict[str, Courier] = {}

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
            states = await asyncio.to_thread(self._begin)
            self._start_couriers()
            self._start_accounts(states)
            self._run("the watchdog", lambda: watch(self._clock, self._clock_was_set))
            self._schedule.start()
        except BaseException:
            await self._release()
            raise
        numbers = {"accounts": len(self._owners), "rules": len(self._config.rules), "channels": len(self._couriers)}
        _log.info("started", extra={"version": __version__, **numbers})

    async def stop(self) -> int:
        """End the pass, try once what is due, leave the rest queued; within five seconds.

        Returns the number of operations that could not be stored.
        """
        self._schedule.pause()
        await _within(PATIENCE, (poller.finished() for poller in self._pollers))
        self._schedule.stop()
        await _within(PATIENCE, (owner.drained() for owner in self._owners.values()))
        for courier in self._couriers.values():
            courier.stop()
        await _within(2 * PATIENCE, (self._tasks[f"the channel {name}"] for name in self._couriers))
        lost = await self._release(EndEpoch(self._clock.now()))
        if lost:
            _log.error("stopped; the database took no writes until the end: what waited is lost", extra={"lost": lost})
        else:
            _log.info("stopped")
        return lost

    def _open(self) -> Store:
        url = self._config.daemon.database.reveal()
        return self._world.open_store(url, on_down=self._store_down, on_recovered=self._store_recovered)

    async def _release(self, *last: EndEpoch) -> int:
        """End what still runs, write the last word, let the database go; how many operations are lost."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for operation in last:
            self._store.submit(operation)
        await self._session.close()
        return await asyncio.to_thread(self._store.close, LAST)

    def _begin(self) -> dict[str, AccountState]:
        """In a thread of its own."""
        self._codes = self._store.codes()
        self._user_ids = self._store.user_ids()
        accounts = {account.name: account.exchange for account in self._config.accounts}
        setting = Setting(self._config.rules, self._channels, accounts, partial(code, taken=self._codes))
        return begin(self._store, self._ledger, setting, self._clock)

    # The loops.

    def _start_couriers(self) -> None:
        zone, watcher = self._config.daemon.timezone, self._watcher
        office = Office(self._journal, self._ledger, self._clock, zone, self._world.jitter, watcher)
        for channel in self._config.channels:
            others = tuple(name for name in self._channels if name != channel.name)
            place = outbox.Channel(channel.name, channel.group_wait, others)
            courier = Courier(place, self._world.notifier(channel, self._clock), office)
            self._couriers[channel.name] = courier
            self._run(f"the channel {channel.name}", courier.run)

    def _start_accounts(self, states: dict[str, AccountState]) -> None:
        desk = Desk(
            self._journal, self._ledger, self._clock, self._channels, self._codes, self._episodes, self._watcher
        )
        shared, paces = self._budget(), self._paces()
        for account in self._config.accounts:
            rules = watching(self._config.rules, account.name)
            owner = Owner(desk, states[account.name], rules.values())
            self._owners[account.name] = owner
            self._run(f"the owner of {account.name}", owner.run)
            self._poll(account, paces[account.name], owner, shared)
        self._tell_paces()

    def _poll(self, account: Account, every: Millis, owner: Owner, shared: budget.Budget) -> None:
        user_id = account.user_id or self._user_ids.get(account.name, "")
        ears = Ears(owner.post, partial(self._learned, account.name))
        poller = Poller(self._exchange(account, user_id, shared), user_id, ears, self._clock)
        self._pollers.append(poller)
        self._schedule.add(account.name, every, poller.tick, self._clock.now())

    def _paces(self) -> dict[str, Millis]:
        return pace.intervals(self._config.accounts, self._config.budget, self._user_ids)

    def _tell_paces(self) -> None:
        """Once a life, and as it will be when every account has answered."""
        paces = pace.settled(self._config.accounts, self._config.budget, self._user_ids)
        wishes = {account.name: account.every for account in self._config.accounts}
        stretched = [
            f"{name} every {duration_text(every)} instead of {duration_text(wishes[name])}"
            for name, every in paces.items()
            if every > wishes[name]
        ]
        if stretched:
            _log.warning("reading less often than asked, to stay within [budget]: %s", ", ".join(stretched))

    def _exchange(self, account: Account, user_id: str, shared: budget.Budget) -> exchanges.Exchange:
        keys = exchanges.Account(
            account.name,
            account.api_key.reveal(),
            account.secret_key.reveal(),
            account.rest_url,
            account.ws_url,
            self._config.daemon.timeout,
            user_id,
        )
        tools = exchanges.Tools(self._session, shared, self._clock)
        return exchanges.load(account.exchange).connect(keys, tools)

    def _budget(self) -> budget.Budget:
        """The budget of the whole host, in which the calls of the last life still stand (SEMANTICS B3)."""
        limits = self._config.budget
        shared = budget.Budget(self._clock, limits.host, limits.user, {"assets": limits.assets})
        span = max(limits.host.per, limits.user.per, limits.assets.per)
        for call in self._store.calls(self._clock.now() - span):
            shared.book(call.at, "assets", self._user_ids.get(call.account, ""))
        bookings = Bookings(self._store.bookings, shared, span, self._clock)
        bookings.hear()
        self._run("the ear for bookings", bookings.listen)
        return shared

    def _run(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        self._tasks[name] = asyncio.create_task(supervise(name, loop, self._clock, self._episodes), name=name)

    # What the loops tell.

    def _learned(self, account: str, user_id: str) -> None:
        self._store.submit(Identify(account, user_id))
        self._user_ids[account] = user_id
        for name, every in self._paces().items():
            self._schedule.pace(name, every, self._clock.now())

    def _clock_was_set(self, by: Millis) -> None:
        for owner in self._owners.values():
            owner.post(Step(by))
        self._schedule.realign()

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


async def _within(seconds: float, waits: Iterable[Awaitable[None]]) -> None:
    """Wait for all of them, but no longer than that; what is not done by then is cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
