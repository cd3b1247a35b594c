"""Health of each channel from the recorded attempts: for `status`, and for the daemon's next start.

A test sent by `check --notify` is an attempt like any other. The daemon learns only that it
arrived; then it retries a parked channel (SEMANTICS F3). So its own failures are counted apart.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, select

from daemon.store.database.corruption import at_row
from daemon.store.operations import TEST, MessageKey
from daemon.store.schema import attempts, messages
from daemon.types import Millis, Outcome

MOST = 60
"""More than any service is known to accept within minutes."""

_OWN = messages.c.n > TEST
_DELIVERED = attempts.c.outcome == Outcome.DELIVERED.value
_FAILED = attempts.c.outcome.not_in((Outcome.DELIVERED.value, Outcome.NEVER_MADE.value))
_MADE = attempts.c.outcome.is_distinct_from(Outcome.NEVER_MADE.value)


@dataclass(frozen=True, slots=True)
class Streak:
    """Consecutive attempts that did not deliver, as far as their outcome is known."""

    count: int
    since: Millis
    """The end of the first attempt."""
    until: Millis
    """The end of the last attempt."""
    outcome: Outcome
    """The outcome of the last attempt."""
    detail: str
    """The detail of the last attempt."""
    retry_after: Millis | None = None
    """The pause that the service then requested."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Delivery results of one channel."""

    channel: str
    delivered_at: Millis | None
    """The end of the last attempt that delivered."""
    tested: bool
    """Whether that attempt was a test."""
    failing: Streak | None
    """Failed attempts since then."""
    own: Streak | None
    """Failed attempts by the daemon itself; they decide about parking."""
    begun: tuple[Millis, ...] = ()
    """Starts of the daemon's last attempts, oldest first; at most MOST."""


def deliveries(connection: Connection) -> list[Deliveries]:
    """Delivery results by channel, for all channels ever tried."""
    channels = connection.scalars(
        select(messages.c.channel).distinct().order_by(messages.c.channel)
    ).all()
    return [_of(connection, channel) for channel in channels]


def tested(connection: Connection, since: MessageKey) -> bool:
    """Whether a test reached the channel of this message in an attempt later than its own."""
    m, a = messages.c, attempts.c
    this = and_(m.channel == since.channel, m.at == since.at, m.n == since.n)
    own = select(a.id).join_from(attempts, messages).where(this).scalar_subquery()
    later = (
        select(a.id)
        .join_from(attempts, messages)
        .where(a.id > own, m.channel == since.channel, _DELIVERED, ~_OWN)
    )
    return connection.scalar(later.limit(1)) is not None


def _of(connection: Connection, channel: str) -> Deliveries:
    number, delivered_at, tested = _last_delivery(connection, channel)
    a = attempts.c
    failed = and_(messages.c.channel == channel, a.id > number, _FAILED)
    return Deliveries(
        channel=channel,
        delivered_at=delivered_at,
        tested=tested,
        failing=_streak(connection, failed),
        own=_streak(connection, failed & _OWN),
        begun=_begun(connection, channel),
    )


def _begun(connection: Connection, channel: str) -> tuple[Millis, ...]:
    chosen = (
        select(attempts.c.at)
        .join_from(attempts, messages)
        .where(messages.c.channel == channel, _OWN, _MADE)
    )
    last = connection.scalars(chosen.order_by(attempts.c.id.desc()).limit(MOST)).all()
    return tuple(reversed(last))


def _streak(connection: Connection, which: ColumnElement[bool]) -> Streak | None:
    a = attempts.c
    ends = (
        select(func.count(), func.min(a.id), func.max(a.id))
        .join_from(attempts, messages)
        .where(which)
    )
    count, first, last = connection.execute(ends).one()
    if not count:
        return None
    rows = {
        row.id: row for row in connection.execute(select(attempts).where(a.id.in_((first, last))))
    }
    with at_row("attempts", last):
        outcome = Outcome(rows[last].outcome)
    done = rows[last]
    return Streak(
        count, rows[first].done_at, done.done_at, outcome, done.detail or "", done.retry_after
    )


def _last_delivery(connection: Connection, channel: str) -> tuple[int, Millis | None, bool]:
    a = attempts.c
    chosen = (
        select(a.id, func.coalesce(a.done_at, a.at), messages.c.n)
        .join_from(attempts, messages)
        .where(messages.c.channel == channel, _DELIVERED)
        .order_by(a.id.desc())
        .limit(1)
    )
    found = connection.execute(chosen).one_or_none()
    return (0, None, False) if found is None else (found[0], found[1], found[2] <= TEST)
