"""Begins an instance of the daemon: load what is recorded, commit a new epoch, fill the queue.

    store ──► open_account (pure): clock step? configuration change ──► ONE epoch ──► queue, owners

An account may begin with two inputs: a clock step, where the record ends in the future, and the
change of the configuration. The latter retires the alerts whose rule or account is gone or means
something else now. `begin` blocks: it runs in a thread of its own, before any loop does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import TypeAlias

from daemon import __version__
from daemon.alerts.channel_decisions import NotificationPolicy, ToldBy
from daemon.alerts.decide import decide
from daemon.alerts.engine import NameAlert
from daemon.alerts.mutes import NO_MUTES, Mutes
from daemon.alerts.notification_facts import EvaluationSnapshot
from daemon.clock import Clock
from daemon.errors import StoreError
from daemon.readings.slots import slots_passed
from daemon.rules.rule import Rule
from daemon.service.clock_monitor import STEP
from daemon.service.delivery.queue import NotificationQueue, QueuedNotification
from daemon.service.supervisor import RELOAD
from daemon.store import Store
from daemon.store.operations import CommitFailed, Operation, Rejected, Reroute, StartEpoch, Written
from daemon.store.read.recovery import LastLife
from daemon.text.numbers import format_absence
from daemon.types import (
    DAEMON_ACCOUNT,
    SECOND,
    AccountState,
    ClockStep,
    ConfigChange,
    Gap,
    GapReason,
    Input,
    Millis,
    Notice,
    Outcome,
    Record,
    base,
)

MISSED = 2
"""Intervals from which on a time without the daemon is worth a line."""

Absence: TypeAlias = tuple[Millis, Millis]
"""Start and end of a time without the daemon, both of wall time."""


@dataclass(frozen=True, slots=True)
class AccountStart:
    """Start of one account."""

    state: AccountState
    stepped: Record | None
    """A clock step (SEMANTICS A5), to be recorded before the epoch; None if there is none."""
    changed: Record
    """The change of the configuration, recorded with the epoch."""


@dataclass(frozen=True, slots=True)
class StartConfig:
    """Configuration that all accounts start with."""

    rules: Sequence[Rule]
    channels: Sequence[str]
    accounts: Mapping[str, str]
    """Configured accounts with their exchange; the alerts of others are retired."""
    name_alert: NameAlert
    mutes: Mutes = NO_MUTES
    every: Mapping[str, Millis] = field(default_factory=dict)
    """By account: the effective interval."""
    system_zone: str = ""
    """Name of the machine's time zone; empty if it has none."""

    def written(self) -> dict[str, object]:
        """Rules and mutes as recorded with an epoch, for later replays."""
        mutes = self.mutes.written(self.system_zone)
        return {"rules": [rule.written() for rule in self.rules], "mutes": mutes}


@dataclass(frozen=True, slots=True)
class StartResult:
    """Result of a start."""

    states: Mapping[str, AccountState]
    """The state of every configured account."""
    absent: Absence | None
    """The time without the daemon before this start; None at the first start of all."""
    own: AccountState
    """The recorded state of the daemon's own alerts.

    Loaded here, because the database may be gone when the self monitor first looks, which it has to
    report.
    """
    open_alerts: int = 0
    """Alerts that were open before this start."""
    waiting: int = 0
    """Notifications that waited to be sent before this start."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A time without the daemon, and what was open when it began."""

    since: Millis
    until: Millis
    open_alerts: int
    waiting: int
    """Notifications that waited to be sent."""

    def sentence(self, zone: tzinfo | None) -> str:
        alerts = f"{self.open_alerts} alert{' was' if self.open_alerts == 1 else 's were'} open"
        messages = f"{self.waiting} message{'' if self.waiting == 1 else 's'} waited"
        return f"{format_absence(self.since, self.until, self.until, zone)}; {alerts}; {messages}"

    def fields(self, zone: tzinfo | None) -> dict[str, object]:
        """The same for programs, with instants that have their offset."""
        start, end = (
            datetime.fromtimestamp(at / SECOND, UTC).astimezone(zone)
            for at in (self.since, self.until)
        )
        return {
            "from": start,
            "until": end,
            "seconds": (self.until - self.since) // SECOND,
            "open_alerts": self.open_alerts,
            "messages_waiting": self.waiting,
        }


def begin(
    store: Store,
    notifications: NotificationQueue,
    config: StartConfig,
    clock: Clock,
    reason: str = "start",
) -> StartResult:
    """Load the recorded states, commit the start, and fill the notification queue.

    Raises:
        StoreError: where the database cannot be read or refuses to write.

    """
    waiting = _remember(store, notifications, clock)
    names = [*config.accounts, *(name for name in store.stateful() if name not in config.accounts)]
    known, now = {name: store.load(name) for name in names}, _now(notifications, clock)
    own = store.load(DAEMON_ACCOUNT)
    for state in known.values():
        # Before any clock step: a step moves only open alerts.
        notifications.resume(state)
    starts = {
        name: open_account(known[name], notifications.channel_status(name), config, now)
        for name in names
    }
    last = store.last_life()
    absent = absence(last, known.values(), now)
    expected = {name: every for name, every in config.every.items() if name in last.watched}
    absences = () if reason == RELOAD else tuple(gaps(absent, known, starts, expected))
    _commit(store, notifications, config, starts, clock, reason, absences)
    _redirect(store, notifications, config, clock)
    for start in starts.values():
        notifications.resume(start.state)
    open_alerts = sum(len(state.alerts) for state in (*known.values(), own))
    states = {name: starts[name].state for name in config.accounts}
    return StartResult(states, absent, own, open_alerts, waiting)


def missed(started: StartResult, every: Mapping[str, Millis]) -> Missed | None:
    """The time without the daemon before a start; None where it is below two intervals.

    `every` are the effective intervals by account.
    """
    if started.absent is None or not every:
        return None
    since, until = started.absent
    if until - since < MISSED * min(every.values()):
        return None
    return Missed(since, until, started.open_alerts, started.waiting)


def _now(notifications: NotificationQueue, clock: Clock) -> Millis:
    """Wall time by the offset of the beginning: account owners handle later clock steps."""
    return notifications.instant(DAEMON_ACCOUNT, clock.elapsed())


def _remember(store: Store, notifications: NotificationQueue, clock: Clock) -> int:
    """Fill the queue from the record; return the number of notifications that wait."""
    for known in store.episode_deliveries():
        notifications.remember(known.key, known.told, known.begun)
    open_notices = list(store.open_notices())
    for kept in open_notices:
        notifications.keep(
            QueuedNotification(
                kept.notice, clock.elapsed(), handed_over=kept.handed_over, kept=True
            )
        )
    return len(open_notices)


def _redirect(
    store: Store, notifications: NotificationQueue, config: StartConfig, clock: Clock
) -> None:
    """Reroute notifications of removed channels to the configured ones (promise 2).

    The same for an end whose channel gave up the firing: others were told of that, and wait for the
    end.
    """
    notices = [
        entry.notice
        for channel in notifications.channels()
        for entry in notifications.open(channel)
    ]
    gone = [each for each in notices if each.key.channel not in config.channels]
    unheard = [
        each
        for each in notices
        if each not in gone
        and notifications.is_unheard_end(each.key)
        and notifications.gave_up(each.key)
    ]
    if not config.channels or not (gone or unheard):
        return
    handed = _reroute(notifications, config, gone, giving_up=True)
    handed += _reroute(notifications, config, unheard, giving_up=False)
    keys = tuple(notice.key for notice in gone)
    _write(store, Reroute(_now(notifications, clock), tuple(handed), refused=keys))
    for notice in handed:
        notifications.queue(notice, clock.elapsed())
    notifications.sending(keys)
    notifications.settle(keys, Outcome.REFUSED, clock.elapsed(), give_up=True)


def _reroute(
    notifications: NotificationQueue,
    config: StartConfig,
    notices: Iterable[Notice],
    *,
    giving_up: bool,
) -> list[Notice]:
    handed: list[Notice] = []
    escalations = {rule.name: rule.escalates_to for rule in config.rules}
    for notice in notices:
        others = [name for name in config.channels if name != notice.key.channel]
        later = escalations.get(base(notice.key.rule), ())
        handed += notifications.reroute(notice, others, giving_up=giving_up, later=later)
    return handed


def _commit(
    store: Store,
    notifications: NotificationQueue,
    config: StartConfig,
    starts: Mapping[str, AccountStart],
    clock: Clock,
    reason: str,
    absences: tuple[Gap, ...],
) -> None:
    """Write the clock steps, then the epoch with the rules in force; adopt them once on disk."""
    stepped = [start.stepped for start in starts.values() if start.stepped is not None]
    epoch = StartEpoch(
        at=_now(notifications, clock),
        reason=reason,
        version=__version__,
        rules=config.written(),
        accounts=config.accounts,
        records=tuple(start.changed for start in starts.values()),
        state={name: start.state for name, start in starts.items()},
        gaps=absences,
    )
    for record in stepped:
        _write(store, record)
    _write(store, epoch)
    for record in (*stepped, *epoch.records):
        notifications.adopt(record, clock.elapsed())


def _write(store: Store, operation: Operation) -> None:
    try:
        written = store.submit(operation).result()
    except (CommitFailed, Rejected) as error:
        raise StoreError(
            f"the database does not take the beginning of this run: {error}"
        ) from error
    if written is not Written.COMMITTED:
        raise StoreError(
            "the database refuses to write: see that nothing locks it and that its disk is not full"
        )


def watching(rules: Iterable[Rule], account: str) -> dict[str, Rule]:
    """The rules that watch the account, by name, in the order of the configuration."""
    return {rule.name: rule for rule in rules if rule.watches(account)}


def open_account(
    recorded: AccountState, told: ToldBy, config: StartConfig, now: Millis
) -> AccountStart:
    """Begin one account at `now` from its recorded state."""
    state, stepped = recorded, None
    by = now - recorded.at
    if by < -STEP:
        state, stepped = _take(recorded, ClockStep(recorded.seq + 1, now, by), {}, told, config)
    configured = recorded.account in config.accounts
    rules = watching(config.rules, recorded.account) if configured else {}
    state, changed = _take(
        state, ConfigChange(state.seq + 1, max(now, state.at)), rules, told, config
    )
    # No readings are expected of a removed account.
    return AccountStart(state if configured else replace(state, since=None), stepped, changed)


def _take(
    state: AccountState, event: Input, rules: Mapping[str, Rule], told: ToldBy, config: StartConfig
) -> tuple[AccountState, Record]:
    decision = decide(
        state,
        event,
        EvaluationSnapshot(),
        NotificationPolicy(rules, config.channels, config.mutes),
        told,
        config.name_alert,
    )
    return decision.state, decision.record


def absence(last: LastLife, known: Iterable[AccountState], now: Millis) -> Absence | None:
    """The time since the last instance ended; after a kill, since the last input of any account.

    None before the first start of all.
    """
    ended_at = max((last.ended_at or 0, *(state.at for state in known)))
    return (ended_at, now) if 0 < ended_at <= now else None


def gaps(
    absent: Absence | None,
    known: Mapping[str, AccountState],
    starts: Mapping[str, AccountStart],
    every: Mapping[str, Millis],
) -> Iterator[Gap]:
    """Turn the downtime into one gap per account that missed a slot; `every`: its interval.

    There is no gap if no slot passed (SEMANTICS B3), or if the first attempt now comes no later
    than `every` after the last one.
    """
    if absent is None:
        return
    for name, interval in every.items():
        since, until = max(absent[0], known[name].at), absent[1]
        missed = (
            0 if until - known[name].at <= interval else slots_passed(name, interval, since, until)
        )
        if missed:
            yield Gap(
                name, starts[name].changed.event.seq, since, until, GapReason.DAEMON_DOWN, missed
            )
