"""Rows of the past into values: what `History` gives."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Select, func, select

from daemon.store.codec import reading, typed, value_of
from daemon.store.operations import GapReason, NoticeState
from daemon.store.schema import accounts, alerts, attempts, gaps, notifications, snapshots, transitions
from daemon.types import (
    AccountState,
    Alert,
    ClockStep,
    Facts,
    Kind,
    Millis,
    Miss,
    MissReason,
    Notice,
    NoticeKey,
    Quality,
    Reading,
    State,
    Transition,
    Unconfirmed,
)


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An alert with all its transitions, in their order. `account` is empty where it is about the daemon itself."""

    account: str
    alert: Alert
    transitions: tuple[Transition, ...]


@dataclass(frozen=True, slots=True)
class PastNotice:
    """A notification and how it fared."""

    notice: Notice
    state: NoticeState
    done_at: Millis | None
    attempts: int
    detail: str
    """What the last attempt that has an outcome said; empty where it said nothing."""


@dataclass(frozen=True, slots=True)
class PastGap:
    account: str
    seq: int
    started_at: Millis
    ended_at: Millis
    reason: GapReason
    missed: int
    step: Millis | None
    """By how much the clock was set, for a clock step."""


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


def _alert(row: Row[Any], changes: Sequence[Row[Any]]) -> PastAlert:
    alert = typed(Alert, row.data)
    return PastAlert(row.account, alert, tuple(_transition(alert, change) for change in changes))


def _transition(alert: Alert, row: Row[Any]) -> Transition:
    states = State(row.from_state), State(row.to_state)
    return Transition(alert.rule, alert.seq, row.at, *states, row.reason, value_of(row))


def notice_rows() -> Select[Any]:
    n = notifications.c
    return (
        select(n.id, n.channel, n.kind, n.seq, n.state, n.at, n.done_at, n.attempts, n.facts)
        .add_columns(alerts.c.rule, alerts.c.seq.label("alert_seq"), attempts.c.detail)
        .add_columns(func.coalesce(accounts.c.name, "").label("account"))
        .join_from(notifications, alerts)
        .join(accounts, accounts.c.id == alerts.c.account_id, isouter=True)
        .join(attempts, attempts.c.message_id == n.message_id, isouter=True)
    )


def notice(row: Row[Any]) -> PastNotice:
    key = NoticeKey(row.account, row.rule, row.alert_seq, row.channel, Kind(row.kind), row.seq)
    told = Notice(key, row.at, typed(Facts, row.facts))
    return PastNotice(told, NoticeState(row.state), row.done_at, row.attempts, row.detail or "")


def gap_rows() -> Select[Any]:
    return select(gaps, accounts.c.name.label("account")).join(accounts).order_by(gaps.c.started_at, gaps.c.seq)


def gap(row: Row[Any]) -> PastGap:
    span = row.started_at, row.ended_at
    return PastGap(row.account, row.seq, *span, GapReason(row.reason), row.missed, row.step_ms)


def epoch(row: Row[Any]) -> PastEpoch:
    state = typed(dict[str, AccountState], row.state)
    return PastEpoch(row.started_at, row.ended_at, row.reason, row.end_reason, row.version, row.rules, state)


def unconfirmed(connection: Connection, row: Row[Any]) -> Unconfirmed:
    """The suspect is the last one before; where that is pruned, this row has its values."""
    table = snapshots.c
    before = (
        select(snapshots)
        .where(table.account_id == row.account_id, table.seq < row.seq, table.quality == Quality.SUSPECT)
        .order_by(table.seq.desc())
        .limit(1)
    )
    held = connection.execute(before).one_or_none()
    suspect = reading(held) if held is not None else replace(reading(row), quality=Quality.SUSPECT)
    return Unconfirmed(row.seq, row.at, suspect)


def miss(row: Row[Any]) -> Miss:
    return Miss(row.seq, row.at, MissReason(row.reason), row.detail)


def clock_step(row: Row[Any]) -> ClockStep:
    return ClockStep(row.seq, row.ended_at, row.step_ms)


_Input: TypeAlias = Callable[[Row[Any]], Reading | Miss | ClockStep]

INPUTS: Mapping[str, _Input] = {"snapshots": reading, "misses": miss, "gaps": clock_step}
"""By table: what its rows were."""
