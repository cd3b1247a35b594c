"""Self monitor: the daemon's own alerts, which belong to no account (SEMANTICS D7).

    channels, disk, clock, owners ──► probe ──► verdicts ──► decide ──► ONE transaction ──► queue

It checks every ten seconds, and at once when the clock was set. None of this is replayed: results
are recorded only if they changed an alert, or are reported.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import tzinfo
from decimal import Decimal
from functools import partial

from daemon.alerts.channel_decisions import NotificationPolicy
from daemon.alerts.decide import Decision, decide
from daemon.alerts.ids import alert_code
from daemon.alerts.notification_facts import EvaluationSnapshot
from daemon.alerts.silences import NO_SILENCES
from daemon.errors import StoreError
from daemon.readings.push_check import Pushes
from daemon.rules.rule import Rule
from daemon.service.async_tools import event_or_timer
from daemon.service.clock_monitor import STEP, ClockDrift
from daemon.service.delivery.backoff import Health
from daemon.service.judging.account_owner import Progress
from daemon.service.judging.context import JudgingContext, concerns
from daemon.service.judging.self_checks import ProbeResults, Stall, WritesRefused, stalls, verdict
from daemon.store.operations import CommitFailed, Rejected, Written
from daemon.types import (
    DAEMON_ACCOUNT,
    MINUTE,
    SECOND,
    AccountState,
    Check,
    ClockStep,
    ConfigChange,
    Input,
    Millis,
    Record,
    Silence,
)

EVERY: Millis = 10 * SECOND
CALM: Millis = 10 * MINUTE
"""Time from the last clock step to the end of its alert."""


@dataclass(frozen=True, slots=True)
class Probes:
    """Probes that the self monitor reads."""

    channels: Callable[[], Mapping[str, Health]]
    disk: Callable[[], Decimal | None]
    """The free share of the disk, if known; may block."""
    zone: tzinfo | None
    pushes: Callable[[], Mapping[str, Pushes]] = dict
    """By account with a push stream."""
    owed: Callable[[], Collection[str]] = frozenset
    """Channels that a report waits for."""
    database: Callable[[], str | None] = lambda: None
    """Why the database refuses to write; None while it writes."""
    progress: Callable[[], Mapping[str, Progress]] = dict
    """By account: progress of its judging."""


class SelfMonitor:
    """Evaluates the daemon's own rules.

    `recorded` is the state of their alerts, `rules` are those that are not off.
    """

    def __init__(
        self, context: JudgingContext, recorded: AccountState, rules: Sequence[Rule], probes: Probes
    ) -> None:
        self._context = context
        self._probes = probes
        self._policy = NotificationPolicy(
            {rule.name: rule for rule in rules}, context.channels, context.mutes
        )
        self._state = recorded
        self._begun = False
        self._drift = ClockDrift(context.clock, context.offset)
        self._silences: Sequence[Silence] = NO_SILENCES
        self._steps: list[tuple[Millis, Millis]] = []
        """Clock steps in this instance: when, by `elapsed`, and by how much."""
        self._refused: WritesRefused | None = None
        self._stalls: Mapping[str, Stall] = {}
        self._looked_at = context.clock.elapsed()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Check now."""
        self._woken.set()

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            await self.look()
            await event_or_timer(self._woken, self._context.clock.sleep(EVERY))

    async def look(self) -> None:
        self._woken.clear()
        if not self._begun:
            await self._begin()
        now, by = self._drift.look()
        if by:
            await self._shift(now, by)
        results = await self._probe(now)
        verdicts = {name: verdict(rule, results) for name, rule in self._policy.rules.items()}
        await self._take(Check(self._next, now), EvaluationSnapshot(verdicts))

    async def _begin(self) -> None:
        """Go on from the recorded state; alerts of removed or changed rules are retired (D5)."""
        self._context.notifications.resume(self._state)
        now = self._context.notifications.instant(DAEMON_ACCOUNT, self._context.clock.elapsed())
        if now - self._state.at < -STEP:
            await self._step(now, now - self._state.at)
        await self._take(ConfigChange(self._next, now), EvaluationSnapshot())
        self._context.notifications.resume(self._state)
        self._begun = True

    async def _probe(self, now: Millis) -> ProbeResults:
        clock, notifications = self._context.clock, self._context.notifications
        self._steps = [(at, by) for at, by in self._steps if clock.elapsed() - at < CALM]
        self._refused = self._refusal()
        progress = self._probes.progress()
        self._stalls = stalls(self._stalls, progress, clock.elapsed(), self._passed())
        disk = await asyncio.to_thread(self._probes.disk)
        return ProbeResults(
            now,
            clock.elapsed(),
            self._probes.channels(),
            frozenset(notifications.channels()).union(self._probes.owed()),
            disk,
            [by for _, by in self._steps],
            self._probes.zone,
            self._probes.pushes(),
            self._refused,
            progress,
            self._stalls,
        )

    def _passed(self) -> Millis:
        """Time since the last check that counts for a stall.

        It is 0 while the database is down, which `database-failing` reports. It is at most EVERY: a
        longer time was a suspend or a blocked event loop, in which the owners could not run either.
        """
        before, self._looked_at = self._looked_at, self._context.clock.elapsed()
        return 0 if self._refused is not None else min(self._looked_at - before, EVERY)

    def _refusal(self) -> WritesRefused | None:
        reason = self._probes.database()
        if reason is None:
            return None
        since = self._context.clock.elapsed() if self._refused is None else self._refused.since
        return WritesRefused(since, reason)

    async def _shift(self, now: Millis, by: Millis) -> None:
        """Record a clock step, so that durations stay true (A5)."""
        self._steps.append((self._context.clock.elapsed(), by))
        await self._step(now, by)
        self._context.notifications.set_offset(DAEMON_ACCOUNT, self._drift.offset)

    async def _step(self, now: Millis, by: Millis) -> None:
        await self._take(ClockStep(self._next, now, by), EvaluationSnapshot())

    @property
    def _next(self) -> int:
        return self._state.seq + 1

    def _decide(self, event: Input, snapshot: EvaluationSnapshot) -> Decision:
        told = self._context.notifications.channel_status(DAEMON_ACCOUNT)
        name_alert = partial(alert_code, taken=self._context.codes)
        return decide(
            self._state,
            event,
            snapshot,
            replace(self._policy, silences=self._silences),
            told,
            name_alert,
        )

    async def _take(self, event: Input, snapshot: EvaluationSnapshot) -> None:
        decision = self._decide(event, snapshot)
        if concerns(decision):
            self._silences = await self._context.silences(self._silences, event.at)
            decision = self._decide(event, snapshot)
        await self._commit(decision)

    async def _commit(self, decision: Decision) -> None:
        """Commit and adopt a decision; a rejected one is made again at a later check."""
        context, record = self._context, decision.record
        if not (record.alerts or record.notices or record.superseded):
            self._state = decision.state
            return
        written = await self._write(record)
        if written is None:
            with suppress(StoreError):  # else the held state is used at the next check
                self._state = await context.async_store.load(DAEMON_ACCOUNT)
            return
        self._state = decision.state
        context.codes.update(alert.code for alert in record.alerts)
        context.notifications.adopt(
            record, context.clock.elapsed(), recorded=written is Written.COMMITTED
        )
        context.observer.judged(record)

    async def _write(self, record: Record) -> Written | None:
        """Write until the outcome is known: writing twice is harmless. None if rejected."""
        while True:
            try:
                written = await self._context.async_store.write(record)
            except Rejected as error:
                sentence = (
                    "the database does not take the daemon's own alerts, which are judged anew:"
                    f" {error}"
                )
                self._context.failure_log.failed(("commit", DAEMON_ACCOUNT), sentence)
                return None
            except CommitFailed:
                await self._context.clock.sleep(SECOND)
            else:
                self._context.failure_log.ended(
                    ("commit", DAEMON_ACCOUNT), "the daemon's own alerts are stored again"
                )
                return written
