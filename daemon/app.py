"""The composition root: builds an instance of the daemon, starts it and stops it.

    Accounts ──► Store
       └───────► NotificationQueue ──► ChannelWorker ──► Notifier     one worker per channel

Everything from outside (clock, randomness, notifiers) comes in as `Dependencies`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from functools import partial

from daemon.alerts.ids import alert_code
from daemon.config import Channel, Config
from daemon.dependencies import Dependencies
from daemon.exchanges.common import http
from daemon.log import FailureLog
from daemon.notifiers import Pictures
from daemon.service.async_store import ThreadedStore
from daemon.service.carry_over import CarryOver, recorded_carry_over, reload_carry_over
from daemon.service.clock_monitor import ClockDrift, offset, watch
from daemon.service.collection.accounts import AccountDependencies, Accounts
from daemon.service.delivery import context
from daemon.service.delivery.backoff import Health, recorded_health
from daemon.service.delivery.channel_worker import ChannelWorker
from daemon.service.delivery.chart_sender import ChartRenderer, ChartSettings
from daemon.service.delivery.context import DeliveryContext
from daemon.service.delivery.immediate import book
from daemon.service.delivery.queue import NotificationQueue
from daemon.service.delivery.report_queue import ReportQueue
from daemon.service.event_log import EventLog
from daemon.service.heartbeat import BEAT, Attempts, Heartbeat, Vitals, untaken_for
from daemon.service.judging.context import JudgingContext
from daemon.service.judging.self_monitor import Probes, SelfMonitor
from daemon.service.judging.startup import StartConfig, StartResult, begin, missed
from daemon.service.lifecycle_log import log_start, log_stop
from daemon.service.loops import Loops
from daemon.service.observer import Observers
from daemon.service.reporting.data import ReportReader
from daemon.service.reporting.scheduler import ReportDependencies, Reports
from daemon.service.rollups import Rollups
from daemon.service.supervisor import RELOAD, STOP
from daemon.store import Store
from daemon.store.database import disk
from daemon.store.operations import CommitFailed, EndEpoch, RecordCall, Unwritten
from daemon.types import Millis

_log = logging.getLogger("marginwatch")

PATIENCE = 0.7
"""Seconds that a stop waits for calls; twice that for deliveries."""

JUDGING = 5.0
"""Seconds that a stop waits for the judging of what was read; a busy disk may need some of them."""

GRACE = 0.2
"""Seconds that a stop waits for loops that finish a commit. More than this means that one hangs."""

LAST = 2.0
"""Seconds that a stop waits for the database."""

LET_GO = 3.0
"""Seconds that a reload waits for the store's writer, which holds the database lock."""

ANSWER = 3.0
"""Seconds within which the database should answer before a reload; it may be locked for two."""


class App:
    """One instance of the daemon: call `start`, then `stop`, once each.

    `former` is the instance that ended for a reload; None at a process start.
    """

    def __init__(
        self, config: Config, dependencies: Dependencies, former: "App | None" = None
    ) -> None:
        self._config = config
        self._reason = "start" if former is None else RELOAD
        self._carry_over = CarryOver() if former is None else former.carry_over()
        self._channels = tuple(channel.name for channel in config.channels)
        self._dependencies = dependencies
        self._clock = dependencies.clock
        self._failure_log = FailureLog(_log, dependencies.clock)
        self._loops = Loops(dependencies.clock, self._failure_log)
        self._offset = offset(dependencies.clock)
        self._notifications = NotificationQueue(self._offset)
        self._attempts = Attempts(dependencies.clock, self._carry_over.attempts)
        self._heartbeat: Heartbeat | None = None
        self._observer = Observers(
            [EventLog(self._failure_log), self._attempts, *dependencies.observers]
        )
        self._chart_renderer = ChartRenderer(self._chart_settings())
        self._report_queue = ReportQueue(lambda channel: self._notifications.changed(channel).set())
        self._workers: dict[str, ChannelWorker] = {}
        self._with_charts: set[str] = set()
        self._noted: set[int] = set()
        """Numbers of the silences that the log tells no more."""

    async def start(self) -> None:
        """Open the store and start every loop.

        Raises:
            StoreError: where the database cannot be used, or another daemon collects into it.

        """
        self._loop = asyncio.get_running_loop()
        self._store = await asyncio.to_thread(self._open)
        self._async_store = ThreadedStore(self._store, self._clock)
        self._session = http.open_session()
        try:
            start_result = await asyncio.to_thread(self._begin)
            self._start_workers(start_result)
            self._start_reports(start_result)
            self._accounts.start(self._judging_context(), start_result.states, self._carry_over)
            self._start_self_monitor(start_result)
            self._start_heartbeat()
            self._loops.run("the clock monitor", self._watch)
            self._loops.run("the hourly rollups", Rollups(self._store, self._clock).run)
            self._accounts.poll()
        except BaseException:
            await self._release()
            raise
        if self._store.is_new:
            _log.info("a new database was made", extra={"path": self._store.name})
        numbers = {
            "accounts": len(self._accounts),
            "rules": len(self._config.rules),
            "channels": len(self._workers),
        }
        gone = missed(start_result, self._accounts.intervals())
        log_start(self._reason, numbers, gone, self._config.daemon.timezone)

    @property
    def down(self) -> str | None:
        """The reason why the database refuses to write; None while it writes."""
        return self._store.down

    async def refusal(self) -> str | None:
        """Why the database takes no records, after the commit under way; None if it does."""
        answered = await asyncio.to_thread(self._store.flush, ANSWER)
        return self._store.down if answered else "it does not answer"

    def carry_over(self) -> CarryOver:
        """State that the next instance takes over after a reload."""
        beat_at = None if self._heartbeat is None else self._heartbeat.due_at
        return reload_carry_over(
            self._accounts.pauses(), self._accounts.halved_for, self._attempts.at, beat_at
        )

    async def stop(self, reason: str = STOP) -> int:
        """End calls, send once what is due, leave the rest queued; within ten seconds.

        It takes more than a moment only where a receiver or the database hangs. Returns the number
        of operations that are not stored, or may not be. Before a reload it waits longer: until the
        lock of the database is free.
        """
        self._accounts.pause()
        await _within(PATIENCE, self._accounts.finished())
        cut_off = self._accounts.stop()
        await _within(JUDGING, self._accounts.drained())
        for worker in self._workers.values():
            worker.stop()
        await _within(2 * PATIENCE, (self._loops.ended(_channel(name)) for name in self._workers))
        unwritten = await self._release(*cut_off, EndEpoch(self._clock.now(), reason))
        unwritten = replace(unwritten, lost=unwritten.lost + self._accounts.unjudged)
        log_stop(reason, unwritten)
        if reason == RELOAD:
            await asyncio.to_thread(self._store.ended, LET_GO)
        return unwritten.lost + unwritten.unknown

    def _open(self) -> Store:
        url = self._config.daemon.database.reveal()
        on_recovered = partial(self._loop.call_soon_threadsafe, self._recovered)
        return self._dependencies.open_store(
            url, on_down=self._store_down, on_recovered=on_recovered
        )

    async def _release(self, *last: RecordCall | EndEpoch) -> Unwritten:
        """End the loops, write `last`, close the store; return what could not be recorded."""
        await self._loops.end(GRACE)
        await self._chart_renderer.close()
        answers = [self._store.submit(operation) for operation in last]
        await self._session.close()
        unwritten = await asyncio.to_thread(self._store.close, LAST)
        failures = [answer.exception() for answer in answers if answer.done()]
        rejected = [failure for failure in failures if isinstance(failure, CommitFailed)]
        for failure in rejected:
            _log.error("the end of this run is not recorded: %s", failure)
        return replace(unwritten, lost=unwritten.lost + len(rejected))

    def _begin(self) -> StartResult:
        """Load the recorded state and commit the start. Blocking: for a thread of its own."""
        self._codes = self._store.codes()
        now, elapsed = self._clock.now(), self._clock.elapsed()
        if self._reason == RELOAD:  # the log has them from before
            self._noted.update(each.id for each in self._store.silences(now))
        dependencies = AccountDependencies(
            self._store,
            self._session,
            self._clock,
            self._dependencies.jitter,
            self._failure_log,
            self._loops,
        )
        self._accounts = Accounts(self._config, dependencies)
        if self._reason != RELOAD:
            self._carry_over = recorded_carry_over(
                self._store, self._config.hosts, now, self._offset
            )
        self._health = {
            each.channel: recorded_health(each, now, elapsed) for each in self._store.deliveries()
        }
        accounts = {account.name: account.exchange for account in self._config.accounts}
        rules, name_alert = self._config.account_rules, partial(alert_code, taken=self._codes)
        start_config = StartConfig(
            rules,
            self._channels,
            accounts,
            name_alert,
            self._config.mutes,
            self._accounts.intervals(),
            self._dependencies.system_zone(),
        )
        return begin(self._store, self._notifications, start_config, self._clock, self._reason)

    # Loops.

    def _start_workers(self, start_result: StartResult) -> None:
        zone, observer = self._config.daemon.timezone, self._observer
        absent = start_result.absent if self._reason != RELOAD else None
        shared = DeliveryContext(
            self._async_store,
            self._notifications,
            self._clock,
            zone,
            self._dependencies.jitter,
            observer,
            absent,
            self._chart_renderer,
            self._report_queue,
            escalations={each.name: each.escalates_to for each in self._config.account_rules},
        )
        for channel in self._config.channels:
            notifier = self._dependencies.notifier(channel, self._clock)
            worker = ChannelWorker(self._channel_policy(channel), notifier, shared)
            if notifier.traits.pictures is not Pictures.NONE:
                self._with_charts.add(channel.name)
            worker.state.health = self._health.get(channel.name, Health())
            self._workers[channel.name] = worker
            self._loops.run(_channel(channel.name), worker.run)

    def _start_reports(self, start_result: StartResult) -> None:
        names = [account.name for account in self._config.accounts]
        zone = self._config.daemon.timezone
        reader = ReportReader(
            self._config.daemon.database,
            self._clock,
            zone,
            names,
            self._channels,
            self._every,
            self._config.rules,
            self._config.mutes,
        )
        draw = reader.drawing(self._chart_renderer, self._config.rules)
        report_dependencies = ReportDependencies(
            self._async_store,
            self._clock,
            zone,
            self._report_queue,
            reader.facts,
            draw,
            self._with_charts,
        )
        reports = [
            replace(each, channels=each.channels or self._channels) for each in self._config.reports
        ]
        self._loops.run(
            "the reports", Reports(reports, report_dependencies, start_result.absent).run
        )

    def _chart_settings(self) -> ChartSettings:
        return ChartSettings(
            self._config.daemon.database,
            {rule.name: rule for rule in self._config.rules},
            self._config.daemon.timezone,
            self._every,
            self._dependencies.drawer(self._clock),
            self._failure_log,
        )

    def _every(self, account: str) -> Millis | None:
        return self._accounts.intervals().get(account)

    def _channel_policy(self, channel: Channel) -> context.ChannelPolicy:
        others = tuple(name for name in self._channels if name != channel.name)
        patience = channel.fallback_after if channel.fallback else context.HAND_OVER_AFTER
        return context.ChannelPolicy(
            channel.name, channel.group_wait, others, channel.fallback, patience
        )

    def _judging_context(self) -> JudgingContext:
        return JudgingContext(
            self._async_store,
            self._notifications,
            self._clock,
            self._channels,
            self._codes,
            self._failure_log,
            self._observer,
            self._offset,
            self._config.mutes,
            partial(book, self._workers),
            self._config.daemon.max_jump,
            self._noted,
        )

    def _start_self_monitor(self, start_result: StartResult) -> None:
        database, zone = self._config.daemon.database, self._config.daemon.timezone
        workers = self._workers
        probes = Probes(
            lambda: {name: worker.state.health for name, worker in workers.items()},
            lambda: disk.free(database.reveal()),
            zone,
            self._accounts.pushes,
            self._report_queue.channels,
            lambda: self.down,
            self._accounts.progress,
        )
        self._self_monitor = SelfMonitor(
            self._judging_context(), start_result.own, self._config.daemon_rules, probes
        )
        self._loops.run("the self-monitoring", self._self_monitor.run)

    def _start_heartbeat(self) -> None:
        url, clock, due_at = self._config.daemon.heartbeat, self._clock, self._carry_over.beat_at
        if url:
            monitor = self._dependencies.monitor(url.reveal(), clock)
            first = clock.elapsed() + BEAT if due_at is None else due_at
            self._heartbeat = Heartbeat(monitor, self._vitals, clock, self._failure_log, first)
            self._loops.run("the heartbeat", self._heartbeat.run)

    def _vitals(self) -> Vitals:
        pulses = self._accounts.pulses(self._attempts.at)
        untaken = untaken_for(self._notifications, self._clock.now(), self._clock.elapsed())
        return Vitals(pulses, self._config.daemon.timeout, self.down, untaken)

    # Callbacks of the loops and the store.

    async def _watch(self) -> None:
        await watch(ClockDrift(self._clock, self._offset), self._clock_was_set, self._suspended)

    def _suspended(self, lasted: Millis) -> None:
        _log.warning("the machine was suspended", extra={"for_ms": lasted})
        self._accounts.slept(lasted)

    def _clock_was_set(self) -> None:
        self._accounts.clock_was_set()
        self._self_monitor.wake()

    def _store_down(self, reason: str) -> None:
        sentence = (
            f"the database refuses to write ({reason}): judging goes on, the record follows when"
            " it can"
        )
        self._loop.call_soon_threadsafe(
            partial(self._failure_log.failed, "store", sentence, reason=reason)
        )

    def _recovered(self) -> None:
        self._notifications.mark_recorded()
        self._failure_log.ended("store", "the database writes again, and the record is complete")


def _channel(name: str) -> str:
    return f"the channel {name}"


async def _within(seconds: float, waits: Iterable[Awaitable[None]]) -> None:
    """Wait for all of them, at most `seconds`; cancel the rest."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
