"""Converts rows of the past to the values that `History` returns."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Select, func, select

from daemon.store.codec import alert_of, check_instants, typed, value_of
from daemon.store.database.corruption import UNREADABLE, at_row
from daemon.store.operations import UNSETTLED, NoticeState
from daemon.store.schema import (
    accounts,
    alerts,
    attempts,
    gaps,
    messages,
    notifications,
    transitions,
)
from daemon.types import (
    AccountState,
    Alert,
    GapReason,
    Kind,
    Millis,
    Miss,
    MissReason,
    Notice,
    NoticeKey,
    NotificationFacts,
    Outcome,
    State,
    Transition,
    TransitionReason,
)

_NOT_ARRIVED = (*UNSETTLED, NoticeState.REFUSED.value)
"""Outcomes after which other channels may be notified instead."""

_Told: TypeAlias = tuple[int, str, int, str]


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An alert with all its transitions, in order. `account` is "" for the daemon itself."""

    account: str
    alert: Alert
    transitions: tuple[Transition, ...]


@dataclass(frozen=True, slots=True)
class PastTransition:
    """A transition as recorded, and its account."""

    id: int
    """The order of recording."""
    code: str
    """The code of the alert."""
    transition: Transition


@dataclass(frozen=True, slots=True)
class PastMove:
    """A transition, and its alert as it is now."""

    transition: Transition
    alert: Alert


@dataclass(frozen=True, slots=True)
class PastNotice:
    """A notification and the results of its delivery."""

    id: int
    """The order of recording."""
    notice: Notice
    state: NoticeState
    done_at: Millis | None
    attempts: int
    tried_at: Millis | None
    """The start of the last attempt."""
    outcome: Outcome | None
    """Its outcome, if known."""
    detail: str
    """Its detail; "" without one."""
    told_at: Millis | None
    """The last attempt that notified, or may have notified, the channel."""
    message: int | None
    """The number of the last message that carried it."""
    title: str
    """The title of that message."""
    handed_to: tuple[str, ...]
    """Channels that were notified instead of this one."""

    @property
    def is_waiting(self) -> bool:
        return self.state.value in UNSETTLED


@dataclass(frozen=True, slots=True)
class PastGap:
    account: str
    seq: int
    started_at: Millis
    ended_at: Millis
    reason: GapReason
    missed: int
    step: Millis | None
    """The size of a clock step, in ms."""


@dataclass(frozen=True, slots=True)
class PastEpoch:
    started_at: Millis
    ended_at: Millis | None
    reason: str
    end_reason: str | None
    version: str
    rules: object
    state: Mapping[str, AccountState]


def alert_rows() -> Select[Any]:
    name = func.coalesce(accounts.c.name, "").label("account")
    return select(alerts.c.id, alerts.c.data, name).join_from(alerts, accounts, isouter=True)


def with_transitions(connection: Connection, rows: Sequence[Row[Any]]) -> list[PastAlert]:
    ours = transitions.c.alert_id.in_([row.id for row in rows])
    found = defaultdict(list)
    for each in connection.execute(select(transitions).where(ours).order_by(transitions.c.id)):
        found[each.alert_id].append(each)
    return [_alert(row, found[row.id]) for row in rows]


def transition_rows(account_id: int | None) -> Select[Any]:
    """Transitions of one account; of the daemon itself for None."""
    return (
        select(transitions, alerts.c.rule, alerts.c.seq, alerts.c.code)
        .join_from(transitions, alerts)
        .where(alerts.c.account_id.is_not_distinct_from(account_id))
    )


def transition(row: Row[Any]) -> PastTransition:
    return PastTransition(row.id, row.code, _transition(row.rule, row.seq, row))


def move_rows() -> Select[Any]:
    """Transitions of accounts, each with its alert."""
    chosen = select(transitions, alerts.c.rule, alerts.c.seq, alerts.c.data)
    return chosen.join_from(transitions, alerts).join(accounts)


def move(row: Row[Any]) -> PastMove:
    with at_row("alerts", row.alert_id):
        alert = typed(Alert, row.data)
    return PastMove(_transition(row.rule, row.seq, row), alert)


def _alert(row: Row[Any], changes: Sequence[Row[Any]]) -> PastAlert:
    alert = alert_of(row)
    return PastAlert(
        row.account, alert, tuple(_transition(alert.rule, alert.seq, change) for change in changes)
    )


def _transition(rule: str, alert_seq: int, row: Row[Any]) -> Transition:
    with at_row("transitions", row.id):
        states = State(row.from_state), State(row.to_state)
        check_instants(row.at)
    return Transition(rule, alert_seq, row.at, *states, _reason(row.reason), value_of(row))


def _reason(recorded: str) -> TransitionReason | str:
    """The reason; the text itself where another version knew one that this one does not."""
    try:
        return TransitionReason(recorded)
    except ValueError:
        return recorded


def notice_rows() -> Select[Any]:
    n = notifications.c
    return (
        select(
            n.id,
            n.alert_id,
            n.channel,
            n.kind,
            n.seq,
            n.state,
            n.at,
            n.done_at,
            n.told_at,
            n.attempts,
            n.facts,
        )
        .add_columns(alerts.c.rule, alerts.c.seq.label("alert_seq"))
        .add_columns(n.message_id, messages.c.title)
        .add_columns(attempts.c.at.label("tried_at"), attempts.c.outcome, attempts.c.detail)
        .add_columns(func.coalesce(accounts.c.name, "").label("account"))
        .join_from(notifications, alerts)
        .join(accounts, accounts.c.id == alerts.c.account_id, isouter=True)
        .join(messages, messages.c.id == n.message_id, isouter=True)
        .join(attempts, attempts.c.message_id == n.message_id, isouter=True)
    )


def notices(connection: Connection, rows: Sequence[Row[Any]]) -> list[PastNotice]:
    handed = _handed(connection, {row.alert_id for row in rows if row.state in _NOT_ARRIVED})
    return [_notice(row, handed[row.alert_id, row.kind, row.seq, row.channel]) for row in rows]


def _handed(connection: Connection, numbers: Collection[int]) -> Mapping[_Told, list[str]]:
    """Channels notified instead of another, by alert, kind, counter and that channel."""
    n, found = notifications.c, defaultdict[_Told, list[str]](list)
    siblings = select(n.id, n.alert_id, n.kind, n.seq, n.channel, n.facts).where(
        n.alert_id.in_(numbers)
    )
    for row in connection.execute(siblings.order_by(n.id)):
        with at_row("notifications", row.id):
            by = row.facts.get("handed_over_by")
        if by:
            found[row.alert_id, row.kind, row.seq, by].append(row.channel)
    return found


def _notice(row: Row[Any], handed_to: Iterable[str]) -> PastNotice:
    with at_row("notifications", row.id):
        key = NoticeKey(row.account, row.rule, row.alert_seq, row.channel, Kind(row.kind), row.seq)
        return PastNotice(
            id=row.id,
            notice=Notice(key, row.at, typed(NotificationFacts, row.facts)),
            state=NoticeState(row.state),
            done_at=row.done_at,
            attempts=row.attempts,
            tried_at=row.tried_at,
            outcome=None if row.outcome is None else Outcome(row.outcome),
            detail=row.detail or "",
            told_at=row.told_at,
            message=row.message_id,
            title=row.title or "",
            handed_to=tuple(handed_to),
        )


def gap_rows() -> Select[Any]:
    return (
        select(gaps, accounts.c.name.label("account"))
        .join(accounts)
        .order_by(gaps.c.started_at, gaps.c.seq)
    )


def gap(row: Row[Any]) -> PastGap:
    span = row.started_at, row.ended_at
    with at_row("gaps", row.seq, row.account_id):
        return PastGap(row.account, row.seq, *span, GapReason(row.reason), row.missed, row.step_ms)


def epoch(row: Row[Any]) -> PastEpoch:
    with at_row("epochs", row.id):
        if row.rules is UNREADABLE:
            raise ValueError("the rules are no JSON")
        state = typed(dict[str, AccountState], row.state)
        return PastEpoch(
            row.started_at, row.ended_at, row.reason, row.end_reason, row.version, row.rules, state
        )


def miss(row: Row[Any]) -> Miss:
    with at_row("misses", row.seq, row.account_id):
        check_instants(row.at)
        return Miss(row.seq, row.at, MissReason(row.reason), row.detail)
