"""Begins a life of the daemon in the store: what is recorded is loaded, and a new epoch is
committed.

Blocking: for a thread of its own, before any loop runs. What the accounts become is decided in
`opening`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from daemon import __version__
from daemon.clock import Clock
from daemon.errors import StoreError
from daemon.service.delivery.queue import NotificationQueue, QueuedNotification
from daemon.service.judging.absence import absence, gaps
from daemon.service.judging.opening import AccountStart, StartConfig, open_account
from daemon.service.supervisor import RELOAD
from daemon.store import Store
from daemon.store.operations import CommitFailed, Operation, Rejected, Reroute, StartEpoch, Written
from daemon.types import DAEMON_ACCOUNT, AccountState, Gap, Millis, Outcome


@dataclass(frozen=True, slots=True)
class StartResult:
    """What a life begins with."""

    states: Mapping[str, AccountState]
    """Of every configured account."""
    absent: tuple[Millis, Millis] | None
    """From when to when nobody watched; None in the first life of all."""
    own: AccountState
    """The recorded state of the daemon's own alerts. Loaded here, as the others are: when the watch
    over the daemon first looks, the database may be gone, which it has to tell."""


def begin(
    store: Store,
    notifications: NotificationQueue,
    setting: StartConfig,
    clock: Clock,
    reason: str = "start",
) -> StartResult:
    """What is recorded, with the beginning committed and the ledger filled.

    Raises:
        StoreError: where the database cannot be read or refuses to write.

    """
    _remember(store, notifications, clock)
    names = [
        *setting.accounts,
        *(name for name in store.alerting() if name not in setting.accounts),
    ]
    known, now = {name: store.load(name) for name in names}, _now(notifications, clock)
    own = store.load(DAEMON_ACCOUNT)
    for state in known.values():
        notifications.resume(
            state
        )  # a step of the clock that is found now moves nothing of what was over before
    openings = {
        name: open_account(known[name], notifications.told(name), setting, now) for name in names
    }
    last = store.last_life()
    absent = absence(last, known.values(), now)
    expected = (
        {}
        if reason == RELOAD
        else {name: setting.every[name] for name in setting.every if name in last.watched}
    )
    _commit(
        store,
        notifications,
        setting,
        openings,
        clock,
        reason,
        tuple(gaps(absent, known, openings, expected)),
    )
    _redirect(store, notifications, setting, clock)
    for account_start in openings.values():
        notifications.resume(account_start.state)
    return StartResult({name: openings[name].state for name in setting.accounts}, absent, own)


def _now(notifications: NotificationQueue, clock: Clock) -> Millis:
    """By the clock as it stood when this life began: a step since then is the owners' to notice."""
    return notifications.instant(DAEMON_ACCOUNT, clock.elapsed())


def _remember(store: Store, notifications: NotificationQueue, clock: Clock) -> None:
    for known in store.episode_deliveries():
        notifications.remember(known.key, known.told, known.begun)
    for kept in store.open_notices():
        notifications.keep(
            QueuedNotification(
                kept.notice, clock.elapsed(), handed_over=kept.handed_over, kept=True
            )
        )


def _redirect(
    store: Store, notifications: NotificationQueue, setting: StartConfig, clock: Clock
) -> None:
    """What waits for a channel that is no longer configured goes to those that are (promise 2).

    So does an end whose channel gave up the firing: others were told of that in its stead, and wait
    for the end.
    """
    notices = [
        entry.notice
        for channel in notifications.channels()
        for entry in notifications.open(channel)
    ]
    gone = [each for each in notices if each.key.channel not in setting.channels]
    shared = [
        each
        for each in notices
        if notifications.unheard(each.key) and notifications.gave_up(each.key)
    ]
    if not setting.channels or not (gone or shared):
        return
    keys = tuple(notice.key for notice in gone)
    handed = [
        notice
        for each in (*gone, *(one for one in shared if one not in gone))
        for notice in notifications.elsewhere(
            each, _others(setting, each.key.channel), giving_up=each in gone
        )
    ]
    _write(store, Reroute(_now(notifications, clock), tuple(handed), refused=keys))
    for notice in handed:
        notifications.queue(notice, clock.elapsed())
    notifications.sending(keys)
    notifications.settle(keys, Outcome.REFUSED, clock.elapsed(), give_up=True)


def _others(setting: StartConfig, channel: str) -> list[str]:
    return [name for name in setting.channels if name != channel]


def _commit(
    store: Store,
    notifications: NotificationQueue,
    setting: StartConfig,
    openings: Mapping[str, AccountStart],
    clock: Clock,
    reason: str,
    absences: tuple[Gap, ...],
) -> None:
    """Clock steps first, then the epoch with the rules in force; adopted when they are on disk."""
    stepped = [
        account_start.stepped
        for account_start in openings.values()
        if account_start.stepped is not None
    ]
    epoch = StartEpoch(
        at=_now(notifications, clock),
        reason=reason,
        version=__version__,
        rules=setting.written(),
        accounts=setting.accounts,
        records=tuple(account_start.changed for account_start in openings.values()),
        state={name: account_start.state for name, account_start in openings.items()},
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
