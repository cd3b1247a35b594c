"""Times of day by the clock on the wall, also where the clock is put forward or back. Pure.

A time that the clock shows twice has a first and a last instant. A time that the clock skips counts
as reached when the clock is put forward, as it then shows a later time. A zone of None is that of
the system.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from daemon.types import LATEST, Millis

_DAY = timedelta(days=1)
_LAST_DAY = date(9999, 12, 30).toordinal()
"""The last day that every time zone can show."""


def instant_of(day: date, at: time, zone: tzinfo | None, *, fold: int) -> Millis:
    """Instant at which the clock shows this time.

    `fold` 0 is the first such instant, 1 the last. For a time that the clock skips, it is the
    instant of the jump.
    """
    wanted = datetime.combine(day, at)
    early, late = sorted(_instant(wanted.replace(tzinfo=zone, fold=each)) for each in (0, 1))
    if wall_clock(late, zone) == wanted:
        return late if fold else early
    return early + bisect_left(
        range(early, late), wanted, key=lambda instant: wall_clock(instant, zone)
    )


def wall_clock(at: Millis, zone: tzinfo | None) -> datetime:
    """Local date and time at an instant, without the zone."""
    return datetime.fromtimestamp(at / 1_000, UTC).astimezone(zone).replace(tzinfo=None)


def day_around(at: Millis, begins: time, zone: tzinfo | None) -> tuple[Millis, Millis]:
    """The day that contains an instant, from one `begins` to the next, as instants.

    A day begins at the first instant that shows the time: one day in spring has 23 hours, one in
    autumn 25.
    """
    today = wall_clock(at, zone).date()
    # Where the clock is put back over midnight, the date of tomorrow may have begun already.
    last = min(today.toordinal() + 2, _LAST_DAY)
    days = map(date.fromordinal, range(today.toordinal() - 1, last + 1))
    starts = [instant_of(day, begins, zone, fold=0) for day in days]
    until = min((each for each in starts if each > at), default=LATEST + 1)
    return max(each for each in starts if each <= at), until


def skipped_days(
    begins: time, zone: tzinfo | None, first: date, count: int
) -> Iterator[tuple[date, time]]:
    """Days on which the clock skips a time of day, each with the time that it shows instead."""
    for day in (first + number * _DAY for number in range(count)):
        shown = wall_clock(instant_of(day, begins, zone, fold=0), zone)
        if shown != datetime.combine(day, begins):
            yield day, shown.time()


def _instant(moment: datetime) -> Millis:
    return round(moment.timestamp() * 1_000)
