"""Recent episodes of an account's rules, as the engine remembers them, read from the record.

The result must equal that of `alerts.flapping.remember`, which works in memory.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select

from daemon.store.codec import alert_of, value_of
from daemon.store.read.time_index import Steps
from daemon.store.rows import AccountId
from daemon.store.schema import alerts, transitions
from daemon.types import Alert, FlapEpisode, Millis, State

TELLING = (State.FIRING.value, State.RESOLVED.value)
"""States whose transition carries a value."""


def fired(
    connection: Connection, account_id: AccountId, since: Millis, steps: Steps
) -> dict[str, tuple[FlapEpisode, ...]]:
    """Episodes that fired at `since` or later, by rule, oldest first; instants corrected (A5)."""
    found = defaultdict[str, list[FlapEpisode]](list)
    rows = _recent(connection, account_id, since - max(0, *steps.moves))
    values = _values(connection, [row.id for row in rows])
    for row in rows:
        alert = alert_of(row)
        at = fired_at(alert, steps)
        if at is not None and at >= since and alert.swings is None:
            found[alert.rule].append(_episode(at, alert, values[row.id]))
    return {rule: tuple(swings) for rule, swings in found.items()}


def _recent(
    connection: Connection, account_id: AccountId, since: Millis
) -> Sequence[Row[Any, Any]]:
    """Alerts that had not ended before `since`, by the instants of their time."""
    chosen = select(alerts.c.id, alerts.c.data).where(
        alerts.c.account_id == account_id,
        or_(alerts.c.ended_at.is_(None), alerts.c.ended_at >= since),
    )
    return connection.execute(chosen.order_by(alerts.c.id)).all()


def fired_at(alert: Alert, steps: Steps) -> Millis | None:
    """The corrected instant at which it fired; None when it did not."""
    return None if alert.fired_at is None else alert.fired_at + moved(alert, steps)


def moved(alert: Alert, steps: Steps) -> Millis:
    """The correction of its instants: clock steps move an alert until it ends."""
    ended = alert.ended_at is not None and alert.ended_seq is not None
    return steps.moved(alert.ended_seq or 0) if ended else 0


def _values(connection: Connection, numbers: list[int]) -> Mapping[int, list[Decimal | None]]:
    """The values of each alert, by its number."""
    values = defaultdict[int, list[Decimal | None]](list)
    for row in _transitions_with_value(connection, numbers):
        values[row.alert_id].append(value_of(row))
    return values


def _transitions_with_value(connection: Connection, numbers: list[int]) -> Iterator[Row[Any]]:
    if numbers:
        chosen: Select[Any] = select(
            transitions.c.id, transitions.c.alert_id, transitions.c.value, transitions.c.exact
        )
        ours = transitions.c.alert_id.between(min(numbers), max(numbers))
        yield from connection.execute(chosen.where(ours, transitions.c.to_state.in_(TELLING)))


def _episode(at: Millis, alert: Alert, values: list[Decimal | None]) -> FlapEpisode:
    """An episode with its values; the duration of missing readings is no value of the rule."""
    known = [value for value in (alert.worst, *values) if value is not None and not alert.missing]
    judged = None if alert.missing else alert.judged
    return FlapEpisode(
        at, min(known, default=None), max(known, default=None), alert.meaning, judged
    )
