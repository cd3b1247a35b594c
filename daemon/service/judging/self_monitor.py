"""Self monitor: the daemon's own alerts, which belong to no account (SEMANTICS D7).

    channels, disk, clock, owners ──► probe ──► verdicts ──► decide ──► ONE transaction ──► queue

It checks every ten seconds, and at once when the clock was set. None of this is replayed: results
are recorded only if they changed an alert, or are reported.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from decimal import Decimal
from functools import partial
from typing import TypeGuard

from daemon.alerts.decide import Decision, decide
from daemon.alerts.firings import NotificationPolicy
from daemon.alerts.ids import alert_code
from daemon.alerts.notification_facts import EvaluationSnapshot
from daemon.alerts.silences import NO_SILENCES
from daemon.errors import StoreError
from daemon.readings.push_check import Pushes
from daemon.rules.evaluation.evaluator import Verdict
from daemon.rules.language.tree import DurationLiteral, Node, Number, walk
from daemon.rules.rule import Rule
from daemon.service.clock_monitor import STEP, ClockDrift
from daemon.service.delivery.backoff import Health
from daemon.service.delivery.channel_worker import first
from daemon.service.judging.account_owner import Progress
from daemon.service.judging.context import JudgingContext, concerns
from daemon.store.operations import CommitFailed, Rejected, Written
from daemon.text.numbers import format_duration, format_instant
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

NAMED = 3
"""Accounts that one sentence names."""

UNKNOWN = Verdict(when=None, clear=None)


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


@dataclass(frozen=True, slots=True)
class Stall:
    """An account of which nothing is judged, although something arrived."""

    judged: int
    """Number of judged arrivals before."""
    since: Millis
    """When that was first seen, by `elapsed`."""
    lasted: Millis = 0
    """Time between checks while the database took writes, at most EVERY for each."""


def stalls(
    before: Mapping[str, Stall], progress: Mapping[str, Progress], elapsed: Millis, passed: Millis
) -> dict[str, Stall]:
    """Accounts that are stalled at this check; `passed` is the time since the last one."""
    found: dict[str, Stall] = {}
    for name, made in progress.items():
        known = before.get(name)
        if made.behind and known is not None and known.judged == made.judged:
            found[name] = replace(known, lasted=known.lasted + passed)
        elif made.behind:
            found[name] = Stall(made.judged, elapsed)
    return found


@dataclass(frozen=True, slots=True)
class ProbeResults:
    """Results of the probes at `now` (wall time) and `elapsed`."""

    now: Millis
    elapsed: Millis
    channels: Mapping[str, Health]
    waiting: frozenset[str]
    """Channels for which something waits."""
    disk: Decimal | None
    steps: Sequence[Millis]
    """Recent clock steps."""
    zone: tzinfo | None
    pushes: Mapping[str, Pushes] = field(default_factory=dict)
    refused: "WritesRefused | None" = None
    progress: Mapping[str, Progress] = field(default_factory=dict)
    stalls: Mapping[str, Stall] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WritesRefused:
    """The database refuses to write."""

    since: Millis
    """By `elapsed`: when that was first seen."""
    reason: str


def verdict(rule: Rule, results: ProbeResults) -> Verdict:
    """Verdict on one of the daemon's own rules."""
    return _JUDGES[rule.name](_limit(rule), results)


def _limit(rule: Rule) -> Decimal:
    """The limit of a rule: a duration in milliseconds, or a share, from its key in `[system]`."""
    nodes = walk(rule.when.tree)
    return next(
        Decimal(node.millis) if isinstance(node, DurationLiteral) else node.value
        for node in nodes
        if _is_limit(node)
    )


def _is_limit(node: Node) -> TypeGuard[DurationLiteral | Number]:
    return isinstance(node, DurationLiteral | Number)


def _verdict(holds: bool, detail: str) -> Verdict:
    return Verdict(when=holds, clear=not holds, detail=detail if holds else "")


def _account_not_judged(limit: Decimal, results: ProbeResults) -> Verdict:
    """Unknown while an account has judged nothing since a start: the trouble may not be over."""
    long = {name: each for name, each in results.stalls.items() if each.lasted >= limit}
    if not long:
        started = all(made.judged for made in results.progress.values())
        return _verdict(holds=False, detail="") if started else UNKNOWN
    first_seen = min(each.since for each in long.values())
    since = format_instant(results.now - (results.elapsed - first_seen), results.now, results.zone)
    named = ", ".join(list(long)[:NAMED])
    more = f" and {len(long) - NAMED} more" if len(long) > NAMED else ""
    remedy = "restart the service, and report this"
    return _verdict(
        holds=True, detail=f"readings of {named}{more} are not judged since {since}: {remedy}"
    )


def _channel_failing(limit: Decimal, results: ProbeResults) -> Verdict:
    """Unknown if only an earlier instance saw the failures, and nothing was tried since."""
    failing = {
        name: health.failing_since
        for name, health in _in_need(results)
        if health.failing_since is not None
    }
    long = [name for name, since in failing.items() if results.elapsed - since >= limit]
    if not long:
        return _verdict(holds=False, detail="")
    if all(results.channels[name].streak == 0 for name in long):
        return UNKNOWN
    worst = min(long, key=lambda name: failing[name])
    since = format_instant(
        results.now - (results.elapsed - failing[worst]), results.now, results.zone
    )
    answer = results.channels[worst].answer
    others = f"; so do {', '.join(name for name in long if name != worst)}" if len(long) > 1 else ""
    return _verdict(
        holds=True,
        detail=f"the channel {worst} fails since {since}{f': {answer}' if answer else ''}{others}",
    )


def _in_need(results: ProbeResults) -> Iterator[tuple[str, Health]]:
    """Channels that something waits for, or that refuse; the state of others is unknown."""
    return (
        (name, health)
        for name, health in results.channels.items()
        if health.refused or name in results.waiting
    )


def _clock_stepped(limit: Decimal, results: ProbeResults) -> Verdict:
    by = max(results.steps, key=abs, default=0)
    # Rounded, so that a minute less one millisecond is not shown as 59 s.
    size = abs(by) if abs(by) < MINUTE else round(abs(by), -3)
    detail = f"the clock of this machine was set by {'-' if by < 0 else '+'}{format_duration(size)}"
    return _verdict(by != 0 and abs(by) >= limit, detail)


def _disk_full(limit: Decimal, results: ProbeResults) -> Verdict:
    if results.disk is None:
        return UNKNOWN
    share = format((limit * 100).normalize(), "f")
    return _verdict(
        results.disk < limit, f"less than {share} % of the disk that holds the database is free"
    )


def _database_failing(limit: Decimal, results: ProbeResults) -> Verdict:
    if results.refused is None:
        return _verdict(holds=False, detail="")
    lasted = results.elapsed - results.refused.since
    since = format_instant(results.now - lasted, results.now, results.zone)
    return _verdict(
        lasted >= limit, f"nothing has been recorded since {since}: {results.refused.reason}"
    )


def _push_contradicted(_limit: Decimal, results: ProbeResults) -> Verdict:
    """Unknown if pushes arrive but few were compared since the start."""
    found = {
        name: ", ".join(pushes.contradicted)
        for name, pushes in results.pushes.items()
        if pushes.contradicted
    }
    if (
        not found
        and results.pushes
        and all(pushes.compared < pushes.limit for pushes in results.pushes.values())
    ):
        return UNKNOWN
    named = [f"{fields} of {name}" for name, fields in list(found.items())[:NAMED]]
    more = f" and of {len(found) - NAMED} more" if len(found) > NAMED else ""
    detail = (
        f"pushes contradict readings in {', '.join(named)}{more}, which readings alone tell until a"
        " restart"
    )
    return _verdict(bool(found), detail)


_JUDGES: Mapping[str, Callable[[Decimal, ProbeResults], Verdict]] = {
    "account-not-judged": _account_not_judged,
    "channel-failing": _channel_failing,
    "clock-stepped": _clock_stepped,
    "database-failing": _database_failing,
    "disk-full": _disk_full,
    "push-contradicted": _push_contradicted,
}


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
            await first(self._woken.wait(), self._context.clock.sleep(EVERY))

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
        if not _is_worth_recording(record):
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


def _is_worth_recording(record: Record) -> bool:
    return bool(record.alerts or record.notices or record.superseded)
