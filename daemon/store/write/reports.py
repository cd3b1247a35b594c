"""Due reports as rows: waiting from issue until delivered or superseded.

In the caller's transaction. Keys that the database does not hold are skipped, as for notifications.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select, update

from daemon.store.operations import UNSETTLED, NoticeState, ReportKey, ScheduleReports
from daemon.store.rows import insert
from daemon.store.schema import messages, reports
from daemon.types import Millis, Outcome


@dataclass(frozen=True, slots=True)
class OpenReport:
    """A report that waits."""

    key: ReportKey
    maybe_repeat: bool
    """An attempt of unknown outcome went before."""


def issue(connection: Connection, new: ScheduleReports) -> None:
    for key in new.reports:
        names = {"name": key.name, "channel": key.channel, "due_at": key.due_at}
        insert(connection, reports, **names, state=NoticeState.QUEUED.value, at=new.at, attempts=0)
    for key in new.superseded:
        open_ = _is(key) & reports.c.state.in_(UNSETTLED)
        gone = (
            update(reports).where(open_).values(state=NoticeState.SUPERSEDED.value, done_at=new.at)
        )
        connection.execute(gone)


def claim(connection: Connection, key: ReportKey, message_id: int | None) -> None:
    sending = {
        "state": NoticeState.SENDING.value,
        "message_id": message_id,
        "attempts": reports.c.attempts + 1,
    }
    connection.execute(
        update(reports).where(_is(key), reports.c.state.in_(UNSETTLED)).values(sending)
    )


def mark(connection: Connection, key: ReportKey, at: Millis, outcome: Outcome) -> None:
    """Record the outcome; a report that arrived is delivered, even if superseded meanwhile."""
    if outcome is Outcome.DELIVERED:
        delivered = {"state": NoticeState.DELIVERED.value, "done_at": at, "told_at": at}
        connection.execute(update(reports).where(_is(key)).values(delivered))
        return
    told = {"told_at": at} if outcome is Outcome.UNKNOWN else {}
    again = update(reports).where(_is(key), reports.c.state == NoticeState.SENDING.value)
    connection.execute(again.values(state=NoticeState.QUEUED.value, **told))


def doubt(connection: Connection) -> None:
    """Queue reports again that were being sent when the last run ended: they may have arrived."""
    claimed_at = (
        select(messages.c.at).where(messages.c.id == reports.c.message_id).scalar_subquery()
    )
    doubtful = update(reports).where(reports.c.state == NoticeState.SENDING.value)
    connection.execute(doubtful.values(state=NoticeState.QUEUED.value, told_at=claimed_at))


def open_reports(connection: Connection) -> list[OpenReport]:
    """Reports that wait or are being sent, in order of issue."""
    chosen = select(reports).where(reports.c.state.in_(UNSETTLED)).order_by(reports.c.id)
    rows = connection.execute(chosen).all()
    return [
        OpenReport(ReportKey(row.name, row.due_at, row.channel), row.told_at is not None)
        for row in rows
    ]


def _is(key: ReportKey) -> ColumnElement[bool]:
    r = reports.c
    return (r.name == key.name) & (r.channel == key.channel) & (r.due_at == key.due_at)
