"""Data of a report's span: accounts, channels, alerts, and times without the daemon.

Instants are corrected (SEMANTICS A5). Imported readings are left out: no daemon watched then. Few
queries; each reads its span by an index, or a table that stays small.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, func, or_, select

from daemon.messages.report_data import Down, Posted, ReportedAlert, ReportSpan, Watched
from daemon.store.codec import alert_of
from daemon.store.database.corruption import at_row
from daemon.store.operations import TEST, UNSETTLED
from daemon.store.read.aggregates import ReadingAggregates
from daemon.store.read.flap_episodes import fired_at, moved
from daemon.store.read.time_index import LAST, NO_STEPS, AccountRows, Steps, steps
from daemon.store.schema import (
    accounts,
    alerts,
    attempts,
    epochs,
    messages,
    misses,
    notifications,
    snapshots,
)
from daemon.store.write.epochs import CRASH
from daemon.types import MINUTE, Alert, Millis, MissReason, Outcome


def watched(
    connection: Connection, account_id: int, account: str, span: ReportSpan, patience: Millis
) -> Watched:
    """The record of an account; gaps are times without judged readings longer than `patience`."""
    record = AccountRows.of(connection, account_id)
    extent = record.extent(0, LAST)
    begun = span.until if extent is None else min(max(span.since, extent.first_at), span.until)
    judged = ReadingAggregates(record, *_between(record, snapshots, span))
    readings, courses = judged.summaries()
    return Watched(
        account=account,
        since=begun,
        readings=readings,
        courses=courses,
        misses=_missed(record, span),
        gaps=tuple(judged.gaps(ReportSpan(begun, span.until), patience)),
    )


def episodes(connection: Connection, span: ReportSpan) -> list[ReportedAlert]:
    """Alerts that fired in the span, or before it and still lasted, in order of beginning."""
    rows = connection.execute(select(accounts.c.id, accounts.c.name)).all()
    names: dict[int | None, str] = {None: "", **{row.id: row.name for row in rows}}
    clocks: dict[int | None, Steps] = {
        None: NO_STEPS,
        **{row.id: steps(connection, row.id) for row in rows},
    }
    moves = [0, *(move for each in clocks.values() for move in each.moves)]
    within = and_(
        alerts.c.started_at < span.until - min(moves),
        or_(alerts.c.ended_at.is_(None), alerts.c.ended_at >= span.since - max(moves)),
    )
    chosen: Select[Any] = (
        select(alerts.c.id, alerts.c.data, alerts.c.account_id).where(within).order_by(alerts.c.id)
    )
    found = [
        _episode(names[row.account_id], alert_of(row), clocks[row.account_id], span)
        for row in connection.execute(chosen)
    ]
    return [each for each in found if each is not None]


def posted(
    connection: Connection, channels: Sequence[str], span: ReportSpan, now: Millis
) -> list[Posted]:
    """Messages sent in the span, by channel, and those waiting for over a minute at `now`.

    Tests are left out.
    """
    m, delivered = messages.c, attempts.c.outcome == Outcome.DELIVERED.value
    failed = attempts.c.outcome.not_in((Outcome.DELIVERED.value, Outcome.NEVER_MADE.value))
    counts = select(m.channel, func.count().filter(delivered), func.count().filter(failed))
    within = and_(m.channel.in_(channels), m.at >= span.since, m.at < span.until, m.n > TEST)
    rows = connection.execute(
        counts.join_from(messages, attempts).where(within).group_by(m.channel)
    )
    sent, waits = {channel: (good, bad) for channel, good, bad in rows}, _waiting(connection, now)
    return [
        Posted(name, *sent.get(name, (0, 0)), len(waits[name]), min(waits[name], default=None))
        for name in channels
    ]


def _waiting(connection: Connection, now: Millis) -> Mapping[str, Sequence[Millis]]:
    """The start of each wait, by channel; after a mute window, its end."""
    n, found = notifications.c, defaultdict[str, list[Millis]](list)
    for row in connection.execute(
        select(n.id, n.channel, n.at, n.facts).where(n.state.in_(UNSETTLED))
    ):
        with at_row("notifications", row.id):
            since = max(row.at, row.facts.get("not_before") or row.at)
        if now - since > MINUTE:
            found[row.channel].append(since)
    return found


def downs(connection: Connection, span: ReportSpan, patience: Millis) -> list[Down]:
    """Times between two runs longer than `patience` that touch the span.

    The first run has none before it.
    """
    e = epochs.c
    before = select(func.max(e.id)).where(e.ended_at < span.since).scalar_subquery()
    chosen = (
        select(e.started_at, e.ended_at, e.end_reason)
        .where(e.id >= func.coalesce(before, 0))
        .order_by(e.id)
    )
    runs = connection.execute(chosen).all()
    found = [
        Down(ReportSpan(ended.ended_at, begun.started_at), ended.end_reason == CRASH)
        for ended, begun in pairwise(runs)
        if ended.ended_at is not None
    ]
    return [each for each in found if each.stretch.lasted > patience and each.stretch.overlap(span)]


def _episode(account: str, alert: Alert, clock: Steps, span: ReportSpan) -> ReportedAlert | None:
    """The alert of a report; None if it did not fire in the span."""
    since = fired_at(alert, clock)
    until = None if alert.ended_at is None else alert.ended_at + moved(alert, clock)
    if since is None or since >= span.until or (until is not None and until < span.since):
        return None
    return ReportedAlert(account, alert.rule, alert.severity, since, until, alert.code)


def _between(record: AccountRows, table: Table, span: ReportSpan) -> tuple[int, int]:
    """Counters of our first and last row of a table in the span; if there is none, first > last."""
    first, beyond = record.first(table, span.since), record.first(table, span.until)
    return LAST if first is None else max(first, 1), LAST if beyond is None else beyond - 1


def _missed(record: AccountRows, span: ReportSpan) -> dict[MissReason, int]:
    m, (first, last) = misses.c, _between(record, misses, span)
    ours = and_(m.account_id == record.account_id, m.seq >= first, m.seq <= last)
    rows = record.connection.execute(
        select(m.reason, func.count()).where(ours).group_by(m.reason)
    ).all()
    return {MissReason(reason): count for reason, count in rows}
