"""Computes when a report is due: cron as in crontab(5), by wall time. Sends nothing.

Fields: minute, hour, day of month, month, day of week. Sunday is 0 and 7. If both a day of the
month and a day of the week are given, either matches. A time that a clock change skips is due at
the change; one that comes twice counts the first time. So a daily report is due once on both DST
days.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from cronsim import CronSim, CronSimError

from daemon.types import HOUR, Millis

EXAMPLES = 'such as "0 8 * * *" for every day at 8:00, or "0 8 * * mon" for Mondays'

FARTHEST: Millis = 3 * HOUR
"""The longest clock change of any zone: a search from this far away misses nothing."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ANY = datetime(2000, 1, 1)  # noqa: DTZ001 -- wall time without a zone
_MINUTE, _MILLISECOND = timedelta(minutes=1), timedelta(milliseconds=1)


def problem(cron: str) -> str | None:
    """The mistake in it: the rest of the sentence "cron …"; None if there is none."""
    if len(cron.split()) != 5:
        return f"must be five fields, {EXAMPLES}"
    try:
        next(CronSim(cron, _ANY))
    except CronSimError as error:
        return _none(str(error).removeprefix("Bad ").replace("-", " "))
    except StopIteration:
        return f"names a time that never comes; write one {EXAMPLES}"
    return None


def due(cron: str, zone: tzinfo | None, after: Millis) -> Millis:
    """The first instant after this one at which it is due; without a zone, the system's is used.

    Raises:
        ValueError: for what `problem` objects to.

    """
    return _first(at for at in _instants(cron, zone, after - FARTHEST) if at > after)


def previous(cron: str, zone: tzinfo | None, before: Millis) -> Millis:
    """The last instant before this one at which it was due. Raises as `due` does."""
    return _first(at for at in _instants(cron, zone, before + FARTHEST, back=True) if at < before)


def _none(part: str) -> str:
    upward = (
        '; Sunday is 0 and 7, and a range goes upward, as in "6-7"' if part == "day of week" else ""
    )
    return (
        f"names an impossible {part}{upward}; write minute, hour, day of month, month, day of"
        f" week, {EXAMPLES}"
    )


def _first(instants: Iterator[Millis]) -> Millis:
    try:
        return next(instants)
    except (CronSimError, StopIteration):
        raise ValueError("it is never due") from None


def _instants(
    cron: str, zone: tzinfo | None, start: Millis, *, back: bool = False
) -> Iterator[Millis]:
    """Due instants from `start` on, in one direction; some may come twice."""
    for wall in CronSim(cron, _wall(start, zone), reverse=back):
        yield _instant(wall, zone)


def _instant(wall: datetime, zone: tzinfo | None) -> Millis:
    """The instant when the wall clock first shows this time, or is set forward over it."""
    while (
        _wall(at := (wall.replace(tzinfo=zone).astimezone(UTC) - _EPOCH) // _MILLISECOND, zone)
        != wall
    ):
        wall += _MINUTE
    return at


def _wall(at: Millis, zone: tzinfo | None) -> datetime:
    return (_EPOCH + at * _MILLISECOND).astimezone(zone).replace(tzinfo=None, fold=0)
