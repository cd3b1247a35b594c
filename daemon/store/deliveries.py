"""How each channel has fared, as far as the recorded attempts tell: for `status`."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from daemon.store.schema import attempts, messages
from daemon.types import Millis, Outcome


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Of one channel."""

    channel: str
    delivered_at: Millis | None
    """The end of the last attempt that delivered."""
    failures: int
    """Attempts since then that did not, as far as their outcome is known."""
    detail: str
    """What the last of them said."""
    failing_since: Millis | None = None
    """The end of the first of them."""


def deliveries(connection: Connection) -> list[Deliveries]:
    """By channel, of all that were ever tried."""
    channels = connection.scalars(select(messages.c.channel).distinct().order_by(messages.c.channel)).all()
    return [_of(connection, channel) for channel in channels]


def _of(connection: Connection, channel: str) -> Deliveries:
    number, delivered_at = _last_delivery(connection, channel)
    a = attempts.c
    failed = and_(a.id > number, a.outcome.is_not(None), a.outcome != Outcome.DELIVERED.value)
    tried = select(a.detail).join_from(attempts, messages).where(messages.c.channel == channel, failed)
    count = connection.scalar(select(func.count()).select_from(tried.subquery())) or 0
    detail = connection.scalar(tried.order_by(a.id.desc()).limit(1))
    began = select(a.done_at).join_from(attempts, messages).where(messages.c.channel == channel, failed)
    failing_since = connection.scalar(began.order_by(a.id).limit(1))
    return Deliveries(channel, delivered_at, count, detail or "", failing_since)


def _last_delivery(connection: Connection, channel: str) -> tuple[int, Millis | None]:
    a = attempts.c
    chosen = (
        select(a.id, func.coalesce(a.done_at, a.at))
        .join_from(attempts, messages)
        .where(messages.c.channel == channel, a.outcome == Outcome.DELIVERED.value)
        .order_by(a.id.desc())
        .limit(1)
    )
    found = connection.execute(chosen).one_or_none()
    return (0, None) if found is None else (found[0], found[1])
