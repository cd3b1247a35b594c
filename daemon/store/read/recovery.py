"""Reads the recorded state from which the daemon continues: at a start, and after a failed commit.

Reads only, in the caller's short transaction. Instants are corrected by every clock step recorded
after them (SEMANTICS A5).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from daemon.alerts.channel_decisions import ChannelStatus
from daemon.store.bounded_extra import snapshot_rows
from daemon.store.codec import INSTANTS, alert_of, check, check_instants, reading, typed
from daemon.store.database.corruption import at_row
from daemon.store.operations import UNSETTLED, NoticeState, RecordCall
from daemon.store.read.flap_episodes import fired
from daemon.store.read.replay import ReadingStream
from daemon.store.read.time_index import ASKED, LAST, NO_STEPS, Steps, step_of, steps
from daemon.store.schema import (
    accounts,
    alerts,
    budget,
    epochs,
    gaps,
    messages,
    misses,
    notifications,
    rule_values,
    snapshots,
)
from daemon.store.write.inputs import OPEN
from daemon.types import (
    DAEMON_ACCOUNT,
    DAY,
    JUDGED,
    NEWS,
    AccountState,
    Alert,
    GapReason,
    Kind,
    Millis,
    Notice,
    NoticeKey,
    NotificationFacts,
    Quality,
    Reading,
    RecordedValue,
    Source,
)

PAGE = 2_000
LATEST = 200
"""Readings that show what is believed of an account: one of them has each field and a time."""


@dataclass(frozen=True, slots=True)
class KeptNotice:
    """A notification as recorded."""

    notice: Notice
    state: NoticeState
    attempts: int
    told_at: Millis | None
    """The last attempt that delivered it, or may have; if unknown, its beginning."""
    handed_over: bool
    """Other channels were notified instead."""
    begun: Millis
    """The beginning of its alert."""

    @property
    def maybe_repeat(self) -> bool:
        """Whether an attempt of unknown outcome went before, if it is not delivered."""
        return self.told_at is not None


@dataclass(frozen=True, slots=True)
class RecordedDelivery:
    """A channel's knowledge of one episode, under the key of the last message about it."""

    key: NoticeKey
    told: ChannelStatus
    begun: Millis
    """The beginning of the alert."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call to the exchange that left a reading or a miss."""

    account: str
    at: Millis


@dataclass(frozen=True, slots=True)
class LastLife:
    """State left by the daemon's previous run."""

    ended_at: Millis | None
    """None if the run was cut off."""
    watched: frozenset[str]
    """Accounts that it watched."""


@dataclass(frozen=True, slots=True)
class Start:
    """The point from which an account's windows are rebuilt."""

    account_id: int
    seq: int
    steps: tuple[tuple[int, Millis], ...]
    """Clock steps: (seq, by)."""


def load(connection: Connection, account: str) -> AccountState:
    """The recorded state of an account; empty for an unknown one."""
    if account == DAEMON_ACCOUNT:
        return _daemon(connection)
    account_id = _number(connection, account)
    if account_id is None:
        return AccountState(account)
    begun = _begun(connection, account)
    seq, at = _last(connection, account_id)
    if begun.seq > seq:
        seq, at = begun.seq, begun.at
    moves = steps(connection, account_id)
    return AccountState(
        account,
        seq,
        at,
        _judged_at(connection, account_id, begun, moves),
        _alerts(connection, account_id),
        None if begun.since is None else begun.since + moves.moved(begun.seq),
        fired(connection, account_id, at - DAY, moves),
        _values(connection, account_id),
    )


def last_life(connection: Connection) -> LastLife:
    """The run before the next start; one that watched nothing in a new database."""
    chosen = (
        select(epochs.c.id, epochs.c.ended_at, epochs.c.state).order_by(epochs.c.id.desc()).limit(1)
    )
    row = connection.execute(chosen).one_or_none()
    if row is None:
        return LastLife(None, frozenset())
    with at_row("epochs", row.id):
        states = typed(dict[str, AccountState], row.state)
    return LastLife(
        row.ended_at, frozenset(name for name, state in states.items() if state.since is not None)
    )


def start(
    connection: Connection, account: str, since: Millis, *, pushes: bool = False
) -> Start | None:
    """The last judged reading at or before `since`, else the first one (SEMANTICS C1).

    See `AccountRows.begin`.
    """
    account_id = _number(connection, account)
    if account_id is None:
        return None
    steps = _steps(connection, account_id)
    # Between two steps our clock never went back, so that the first stretch that reaches `since`
    # decides.
    bounds = [0, *(seq for seq, _ in steps), None]
    for after, before in reversed(list(pairwise(bounds))):
        limit = since - _moved(steps, after or 0)
        chosen = _newest(account_id, limit, after or 0, before)
        found = connection.scalar(chosen if pushes else chosen.where(ASKED))
        if found is not None:
            return Start(account_id, found, steps)
    return Start(account_id, 1, steps)


def standing(connection: Connection, account: str, at: Millis) -> Reading | None:
    """The last judged reading at or before an instant."""
    begin = start(connection, account, at, pushes=True)
    found = [] if begin is None else page(connection, begin, 1)
    return next((reading for reading in found if reading.at <= at), None)


def page(connection: Connection, begin: Start, most: int) -> list[Reading]:
    """Judged readings from `begin` on, in order."""
    readings, _ = ReadingStream(begin.account_id, unknown=False).judged(
        connection, begin.seq - 1, LAST, most
    )
    return [replace(each, at=each.at + _moved(begin.steps, each.seq)) for each in readings]


def latest(connection: Connection, account: str) -> list[Reading]:
    """The last own readings, of any quality, oldest first."""
    chosen = (
        snapshot_rows()
        .where(snapshots.c.account_id == _number(connection, account), snapshots.c.seq > 0)
        .order_by(snapshots.c.seq.desc())
        .limit(LATEST)
    )
    return [reading(row) for row in reversed(connection.execute(chosen).all())]


def open_notices(connection: Connection) -> list[KeptNotice]:
    """Notifications queued, or being sent when the daemon ended, oldest first."""
    found = _kept(connection, _notices().where(notifications.c.alert_id.in_(_waiting())))
    return [kept for kept in found if kept.state.value in UNSETTLED]


def episode_deliveries(connection: Connection) -> list[RecordedDelivery]:
    """Each channel's knowledge of alerts that are open or still have notifications waiting."""
    chosen = _notices().where(or_(alerts.c.state.in_(OPEN), alerts.c.id.in_(_waiting())))
    known: dict[tuple[str, str, int, str], RecordedDelivery] = {}
    for kept in _kept(connection, chosen):
        key = kept.notice.key
        episode = (key.account, key.rule, key.alert_seq, key.channel)
        known[episode] = RecordedDelivery(
            key,
            updated_status(known[episode].told if episode in known else ChannelStatus(), kept),
            kept.begun,
        )
    return list(known.values())


def _waiting() -> Select[int]:
    """Alerts with notifications still to be sent."""
    return select(notifications.c.alert_id).where(notifications.c.state.in_(UNSETTLED))


def updated_status(told: ChannelStatus, kept: KeptNotice) -> ChannelStatus:
    """A channel's status after one more notification.

    A notification superseded before an attempt adds nothing, and takes its announcement back.
    """
    if kept.maybe_repeat and kept.state is not NoticeState.DELIVERED:
        told = replace(told, doubtful=told.doubtful | {kept.notice.key})
    refused = kept.state is NoticeState.REFUSED
    if kept.notice.key.kind is Kind.ACK:
        return replace(told, acked=True)
    if kept.notice.key.kind not in NEWS:
        return replace(told, ended=True, end_given_up=refused)
    told = told.announced(kept.notice.facts)
    if kept.told_at is not None and (told.told_at is None or kept.told_at >= told.told_at):
        told = replace(told, told_at=kept.told_at, last=kept.notice.facts)
    waiting = kept.notice.key if kept.state.value in UNSETTLED else told.waiting
    sure = told.sure or kept.state is NoticeState.DELIVERED
    told = replace(told, sure=sure, waiting=waiting, given_up=refused)
    return told.superseded() if kept.state is NoticeState.SUPERSEDED else told


def _values(connection: Connection, account_id: int) -> tuple[RecordedValue, ...]:
    """The values that rules keep of an account, in the order of their keys."""
    chosen = select(rule_values).where(rule_values.c.account_id == account_id)
    found = []
    for row in connection.execute(chosen):
        with at_row("rule_values", (row.rule, row.expression), account_id):
            found.append(RecordedValue(row.rule, row.expression, typed(Decimal, row.value)))
    return tuple(sorted(found, key=lambda each: each.key))


def stateful(connection: Connection) -> list[str]:
    """Accounts with open alerts, or with values that rules keep."""
    alerting = select(alerts.c.account_id).where(alerts.c.state.in_(OPEN))
    chosen = select(accounts.c.name).where(
        or_(accounts.c.id.in_(alerting), accounts.c.id.in_(select(rule_values.c.account_id)))
    )
    return list(connection.scalars(chosen.order_by(accounts.c.id)))


def codes(connection: Connection) -> set[str]:
    """Codes of all alerts ever raised."""
    return set(connection.scalars(select(alerts.c.code)))


def user_ids(connection: Connection) -> dict[str, str]:
    """The user id of every account ever recorded, by name; "" when unknown."""
    rows = connection.execute(select(accounts.c.name, accounts.c.user_id).order_by(accounts.c.id))
    return {row.name: row.user_id or "" for row in rows}


def external_calls(connection: Connection, since: Millis) -> list[RecordCall]:
    """Calls made by commands."""
    rows = connection.execute(select(budget).where(budget.c.at >= since).order_by(budget.c.at))
    return [_booked(row) for row in rows]


def _booked(row: Row[Any]) -> RecordCall:
    host, _, endpoint = row.endpoint.rpartition("/")
    return RecordCall(row.at, endpoint, row.user, row.n, host)


def calls(connection: Connection, since: Millis) -> list[RecordedCall]:
    """Calls of the daemon itself whose result was recorded, oldest first."""
    # Account by account: that is how their rows are indexed.
    names = connection.execute(select(accounts.c.id, accounts.c.name)).all()
    found = [
        RecordedCall(row.name, at) for row in names for at in _called(connection, row.id, since)
    ]
    return sorted(found, key=lambda call: call.at)


def _called(connection: Connection, account_id: int, since: Millis) -> Iterator[Millis]:
    for table in (snapshots, misses):
        chosen = select(table.c.seq, table.c.at).where(
            table.c.account_id == account_id, table.c.at >= since
        )
        chosen = chosen.where(table.c.seq > 0)
        if table is snapshots:
            chosen = chosen.where(snapshots.c.source.in_((Source.REST, Source.CONFIRM)))
            chosen = chosen.where(
                snapshots.c.quality != Quality.UNCONFIRMED
            )  # a second row of one call
        for row in connection.execute(chosen):
            with at_row(table.name, row.seq, account_id):
                check(INSTANTS, (row.at,))
            yield row.at


def _number(connection: Connection, account: str) -> int | None:
    return connection.scalar(select(accounts.c.id).where(accounts.c.name == account))


def _last(connection: Connection, account_id: int) -> tuple[int, Millis]:
    """Counter and instant of the last input that has a row of its own."""
    found = [(0, 0)]
    for instant in (snapshots.c.at, misses.c.at, gaps.c.ended_at):
        chosen = select(instant.table.c.seq, instant).where(
            instant.table.c.account_id == account_id
        )
        chosen = chosen.where(instant.table.c.seq > 0).order_by(instant.table.c.seq.desc()).limit(1)
        for seq, at in connection.execute(chosen):
            with at_row(instant.table.name, seq, account_id):
                check_instants(at)
            found.append((seq, at))
    return max(found)


def _begun(connection: Connection, account: str) -> AccountState:
    """The account's state at the last start or reload that named it."""
    before: int | None = None
    while True:
        chosen = select(epochs.c.id, epochs.c.state).order_by(epochs.c.id.desc()).limit(4)
        rows = connection.execute(
            chosen if before is None else chosen.where(epochs.c.id < before)
        ).all()
        for row in rows:
            with at_row("epochs", row.id):
                states = typed(dict[str, object], row.state)
                if account in states:
                    return typed(AccountState, states[account])
            before = row.id
        if not rows:
            return AccountState(account)


def _judged_at(
    connection: Connection, account_id: int, begun: AccountState, moves: Steps
) -> Millis | None:
    """The instant of the last judged reading; from the epoch if that reading has no row."""
    newest = connection.execute(
        select(snapshots.c.seq, snapshots.c.at)
        .where(
            snapshots.c.account_id == account_id,
            snapshots.c.seq > 0,
            snapshots.c.quality.in_(JUDGED),
        )
        .order_by(snapshots.c.seq.desc())
        .limit(1),
    ).one_or_none()
    seq, at = begun.seq, begun.judged_at
    if newest is not None and (newest.seq > seq or at is None):
        seq, at = newest.seq, newest.at
    return None if at is None else at + moves.moved(seq)


def _alerts(connection: Connection, account_id: int) -> dict[str, Alert]:
    chosen = select(alerts.c.id, alerts.c.data).where(
        alerts.c.account_id == account_id, alerts.c.state.in_(OPEN)
    )
    found = [alert_of(row) for row in connection.execute(chosen.order_by(alerts.c.id))]
    return {alert.rule: alert for alert in found}


def _daemon(connection: Connection) -> AccountState:
    """The state of the daemon's own alerts. Its inputs have no rows: the last transition counts."""
    ours = alerts.c.account_id.is_(None)
    found = [
        alert_of(row) for row in connection.execute(select(alerts.c.id, alerts.c.data).where(ours))
    ]
    told = connection.scalar(
        select(func.max(notifications.c.seq)).join_from(notifications, alerts).where(ours)
    )
    seq = max((max(alert.seq, alert.ended_seq or 0) for alert in found), default=0)
    at = max((alert.ended_at or alert.fired_at or alert.started_at for alert in found), default=0)
    live = {alert.rule: alert for alert in found if alert.ended_at is None}
    lately = fired(connection, None, at - DAY, NO_STEPS)
    return AccountState(DAEMON_ACCOUNT, max(seq, told or 0), at, alerts=live, fired=lately)


def _steps(connection: Connection, account_id: int) -> tuple[tuple[int, Millis], ...]:
    rows = connection.execute(
        select(gaps.c.seq, gaps.c.step_ms)
        .where(gaps.c.account_id == account_id, gaps.c.reason == GapReason.CLOCK_STEP)
        .order_by(gaps.c.seq),
    )
    return tuple(step_of(account_id, row) for row in rows)


def _moved(steps: tuple[tuple[int, Millis], ...], seq: int) -> Millis:
    """The correction of an instant of input `seq`, in ms."""
    return sum(by for step, by in steps if step > seq)


def _newest(account_id: int, limit: Millis, after: int, before: int | None) -> Select[int]:
    chosen = select(func.max(snapshots.c.seq)).where(
        snapshots.c.account_id == account_id,
        snapshots.c.seq > after,
        snapshots.c.at <= limit,
        snapshots.c.quality.in_(JUDGED),
    )
    return chosen if before is None else chosen.where(snapshots.c.seq < before)


def _notices() -> Select[Any]:
    n, a = notifications.c, alerts.c
    return (
        select(n.id, n.channel, n.kind, n.seq, n.state, n.at, n.told_at, n.attempts, n.facts)
        .add_columns(n.alert_id, a.rule, a.seq.label("alert_seq"), a.started_at)
        .add_columns(
            func.coalesce(accounts.c.name, "").label("account"), messages.c.at.label("claimed_at")
        )
        .join_from(notifications, alerts)
        .join(accounts, isouter=True)
        .join(messages, messages.c.id == n.message_id, isouter=True)
        .order_by(n.id)
    )


def _kept(connection: Connection, chosen: Select[Any]) -> list[KeptNotice]:
    rows = connection.execute(chosen).all()
    handed = set(_handed(rows))
    return [_one(row, handed=(row.alert_id, row.kind, row.channel) in handed) for row in rows]


def _handed(rows: Iterable[Row[Any]]) -> Iterator[tuple[int, str, str]]:
    """Notifications given to other channels; each names the channel that failed."""
    for row in rows:
        with at_row("notifications", row.id):
            by = row.facts.get("handed_over_by")
        if by:
            yield row.alert_id, row.kind, by


def _one(row: Row[Any], *, handed: bool) -> KeptNotice:
    with at_row("notifications", row.id):
        key = NoticeKey(row.account, row.rule, row.alert_seq, row.channel, Kind(row.kind), row.seq)
        state = NoticeState(row.state)
        told_at = row.claimed_at if state is NoticeState.SENDING else row.told_at
        notice = Notice(key, row.at, typed(NotificationFacts, row.facts))
        return KeptNotice(notice, state, row.attempts, told_at, handed, row.started_at)
