"""All accounts of one instance: their pollers, streams and owners, and one call budget per host.

Schedule ──► Poller ──► PushRestReconciler ──► Owner     one of each per account, one Schedule
StreamWorker ─────────────────┘
"""

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from daemon import exchanges
from daemon.clock import Clock
from daemon.config import Account, Config
from daemon.config.effective_intervals import settled_intervals
from daemon.exchanges.common import stream_connection
from daemon.exchanges.common.http import HttpSession
from daemon.exchanges.common.penalties import Pause
from daemon.exchanges.common.rate_limit import Budget, Budgets
from daemon.exchanges.common.stream_protocol import StreamProtocol
from daemon.log import FailureLog
from daemon.readings import push_check
from daemon.readings.slots import slots_passed
from daemon.service.carry_over import CarryOver
from daemon.service.collection.external_calls import ExternalCalls
from daemon.service.collection.intervals import IntervalController
from daemon.service.collection.poller import PollCallbacks, Poller
from daemon.service.collection.reconcile import PushRestReconciler
from daemon.service.collection.scheduler import Schedule, slow_sentence
from daemon.service.collection.stream import Streams
from daemon.service.heartbeat import Pulse
from daemon.service.judging.account_owner import Owner, Progress, SuspectListener
from daemon.service.judging.arrivals import Look, Slept
from daemon.service.judging.confirmer import Confirmer
from daemon.service.judging.context import JudgingContext
from daemon.service.judging.startup import watching
from daemon.service.loops import Loops
from daemon.store import Store
from daemon.store.operations import RecordCall, SetUserId
from daemon.text.durations import duration_text
from daemon.types import AccountState, Millis, NoAnswer

_log = logging.getLogger("marginwatch")


@dataclass(frozen=True, slots=True)
class AccountDependencies:
    """Dependencies that all accounts share."""

    store: Store
    session: HttpSession
    clock: Clock
    jitter: Callable[[], float]
    failure_log: FailureLog
    loops: Loops


class Accounts:
    """All accounts of one instance. Call `start`, then `pause` and `stop`, once each."""

    def __init__(self, config: Config, dependencies: AccountDependencies) -> None:
        self._config = config
        self._store = dependencies.store
        self._session = dependencies.session
        self._clock = dependencies.clock
        self._failure_log = dependencies.failure_log
        self._loops = dependencies.loops
        self._hosts = config.hosts
        limits = config.budget
        self._budgets = Budgets(
            self._hosts.values(),
            lambda: Budget(self._clock, limits.host, limits.user, {"assets": limits.assets}),
        )
        self._schedule = Schedule(self._slot_trouble, self._slot_slow)
        self._interval_controller = IntervalController(
            config, self._budgets, self._schedule, self._clock
        )
        self._interval_controller.user_ids = config.users(self._store.user_ids())
        self._streams = Streams(self._dial, self._clock, dependencies.jitter, self._failure_log)
        self._pollers: dict[str, Poller] = {}
        self._owners: dict[str, Owner] = {}
        self._confirmers: dict[str, Confirmer] = {}

    def __len__(self) -> int:
        return len(self._owners)

    def intervals(self) -> dict[str, Millis]:
        """By account: its interval now."""
        return self._interval_controller.intervals()

    def pushes(self) -> Mapping[str, push_check.Pushes]:
        """By account: how its pushes compare with readings."""
        return self._streams.pushes()

    def progress(self) -> Mapping[str, Progress]:
        """By account: progress of its judging."""
        return {name: owner.progress for name, owner in self._owners.items()}

    def pauses(self) -> dict[str, Pause]:
        """By account: the pause that the exchange asked for."""
        return {name: poller.pause for name, poller in self._pollers.items()}

    def pulses(self, attempts: Mapping[str, Millis]) -> dict[str, Pulse]:
        """By account: whether it is read regularly. `attempts`: times of the last attempts."""
        effective = self.intervals()
        return {
            name: Pulse(attempts.get(name), effective[name], pause.length)
            for name, pause in self.pauses().items()
        }

    @property
    def halved_for(self) -> dict[str, Millis]:
        """By host: how much longer its budget is halved."""
        return self._budgets.halved_for

    # Start and stop.

    def start(
        self, context: JudgingContext, states: Mapping[str, AccountState], carry_over: CarryOver
    ) -> None:
        """Start owners, pollers and streams. The owners share `context` and begin with `states`."""
        self._async_store = context.async_store
        self._fill_budgets(carry_over)
        effective = self._interval_controller.begin()
        for account in self._config.accounts:
            rules = watching(self._config.account_rules, account.name)
            confirmer = self._confirmers[account.name] = Confirmer(self._clock)
            suspect_listener = SuspectListener(confirmer.doubted, confirmer.left)
            every = partial(self._interval_controller.every, account.name)
            owner = Owner(context, states[account.name], rules.values(), suspect_listener, every)
            self._owners[account.name] = owner
            self._loops.run(f"the judging of {account.name}", owner.run)
            self._read(
                account, effective[account.name], carry_over.pauses.get(account.name, Pause())
            )
        self._log_stretched()
        self._loops.run("the polling intervals", self._interval_controller.run)

    def poll(self) -> None:
        """Start polling."""
        self._schedule.start()

    def pause(self) -> None:
        """Stop polling and listening."""
        self._schedule.pause()
        for account in self._streams.accounts:
            self._loops.cancel(_stream(account))
        for confirmer in self._confirmers.values():
            confirmer.stop()

    def finished(self) -> Iterator[Awaitable[None]]:
        """The calls under way, to be awaited."""
        return (poller.finished() for poller in self._pollers.values())

    def stop(self) -> list[RecordCall]:
        """Cancel the calls that are still under way.

        They leave no reading and no miss, but the exchange may have counted them (SEMANTICS B3):
        they are returned.
        """
        at = self._clock.now()
        in_flight = self._budgets.in_flight
        cut_off = [
            RecordCall(at, call.endpoint, call.user, n, host)
            for n, (host, call) in enumerate(in_flight)
        ]
        self._schedule.stop()
        return cut_off

    def drained(self) -> Iterator[Awaitable[None]]:
        """The judging of everything that has been read, to be awaited."""
        return (owner.drained() for owner in self._owners.values())

    @property
    def unjudged(self) -> int:
        """Number of answers that are not judged yet."""
        return sum(owner.waiting for owner in self._owners.values())

    # Clock steps and suspends.

    def slept(self, lasted: Millis) -> None:
        """Handle a suspend: nothing bursts, every account goes on at its next slot."""
        now = self._clock.now()
        for name, every in self.intervals().items():
            self._owners[name].post(Slept(lasted, slots_passed(name, every, now - lasted, now)))
        self._schedule.realign(now)

    def clock_was_set(self) -> None:
        for owner in self._owners.values():
            owner.post(Look())
        self._schedule.realign(self._clock.now())

    # One account.

    def _read(self, account: Account, every: Millis, pause: Pause) -> None:
        owner = self._owners[account.name]
        user_id = self._interval_controller.user_ids.get(account.name, "")
        most = self._config.system.push_contradicted or push_check.LIMIT
        reconciler = PushRestReconciler(
            account.name, owner.post, self._clock, self._failure_log, most
        )
        callbacks = PollCallbacks(reconciler.answered, partial(self._learned, account.name))
        poller = Poller(self._exchange(account, user_id), user_id, callbacks, self._clock)
        poller.pause = pause
        self._pollers[account.name] = poller
        confirm = partial(self._confirmers[account.name].run, poller.confirm, owner.post)
        self._loops.run(f"the second readings of {account.name}", confirm)
        self._schedule.add(account.name, every, poller.tick, self._clock.now())
        self._loops.run(f"the unscheduled calls of {account.name}", poller.beside)
        listener = self._streams.add(
            account.exchange, self._keys(account, user_id), reconciler, poller, owner
        )
        if listener is not None:
            self._loops.run(_stream(account.name), listener.run)

    def _exchange(self, account: Account, user_id: str) -> exchanges.Exchange:
        dependencies = exchanges.ExchangeDependencies(
            self._session, self._budgets.at(account.host), self._clock
        )
        return exchanges.load(account.exchange).connect(self._keys(account, user_id), dependencies)

    async def _dial(
        self, account: exchanges.ExchangeAccount, stream_protocol: StreamProtocol
    ) -> stream_connection.StreamConnection | NoAnswer:
        url, timeout = account.ws_url, self._config.daemon.timeout
        return await stream_connection.connect(
            self._session, url, stream_protocol, self._clock, timeout, account.ws_route
        )

    def _keys(self, account: Account, user_id: str) -> exchanges.ExchangeAccount:
        return exchanges.ExchangeAccount(
            account.name,
            account.api_key.reveal(),
            account.secret_key.reveal(),
            account.rest_url,
            account.ws_url,
            self._config.daemon.timeout,
            user_id,
            account.rest_route,
            account.ws_route,
        )

    def _learned(self, account: str, user_id: str) -> None:
        identified = partial(self._async_store.insist, SetUserId(account, user_id))
        self._loops.run(f"the user id of {account}", identified)
        self._interval_controller.user_ids[account] = user_id
        self._interval_controller.apply()

    def _slot_trouble(self, account: str, what: str) -> None:
        self._failure_log.failed(("slot", account, what), f"{account} {what}", account=account)

    def _slot_slow(self, account: str, is_slow: bool) -> None:
        """Log once that calls take longer than the interval, with the cause, and once its end."""
        if not is_slow:
            self._failure_log.ended(
                ("slow", account), f"{account} is read at every interval again", account=account
            )
            return
        waits = self._budgets.at(self._hosts[account]).waits(
            self._interval_controller.user_ids.get(account, "")
        )
        sentence = slow_sentence(account, self.intervals()[account], waits=waits)
        self._failure_log.failed(
            ("slow", account), sentence, reason="budget" if waits else "exchange", account=account
        )

    # The budget.

    def _fill_budgets(self, carry_over: CarryOver) -> None:
        """Count calls of the last instance and of commands in the budgets (SEMANTICS B3)."""
        span = self._config.budget.longest
        for call in self._store.calls(self._clock.now() - span):
            user = self._interval_controller.user_ids.get(call.account, "")
            self._budgets.book(self._hosts.get(call.account, ""), call.at, "assets", user)
        for host, halved_for in carry_over.halved_for.items():
            self._budgets.halve(host, halved_for)
        external_calls = ExternalCalls(self._store.external_calls, self._budgets, span, self._clock)
        external_calls.count_new()
        self._loops.run("the count of calls by other commands", external_calls.listen)

    def _log_stretched(self) -> None:
        """Log stretched intervals once, as they will be when every account has answered."""
        effective = settled_intervals(
            self._config.accounts, self._config.budget, self._interval_controller.user_ids
        )
        wishes = {account.name: account.every for account in self._config.accounts}
        stretched = [
            f"{name} every {duration_text(every)} instead of {duration_text(wishes[name])}"
            for name, every in effective.items()
            if every > wishes[name]
        ]
        if stretched:
            _log.warning(
                "reading less often than asked, to stay within [budget]: %s", ", ".join(stretched)
            )


def _stream(account: str) -> str:
    return f"the push stream of {account}"
