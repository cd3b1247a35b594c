"""Times of day where the clock is put forward or back, against a count of every minute."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from daemon.rules.local_time import day_around, skipped_days
from daemon.types import DAY, HOUR, LATEST, MINUTE, Millis

ZONES_AND_DAYS = [
    ("UTC", date(2026, 7, 1)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("America/Havana", date(2025, 11, 2)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("America/St_Johns", date(2010, 11, 7)),
    ("Antarctica/Troll", date(2026, 10, 25)),
    ("Antarctica/Casey", date(2010, 3, 5)),
    ("Pacific/Apia", date(2011, 12, 30)),
]
"""Days of the clock being put: by an hour or less or more, at midnight, and over midnight."""

TIMES = [time(0), time(0, 30), time(2), time(2, 30), time(23, 30)]


def instant(moment: datetime) -> Millis:
    return round(moment.timestamp() * 1_000)


def minutes(day: date) -> Iterator[Millis]:
    """Every minute of a day, of two before and two after, in UTC."""
    start = instant(datetime.combine(day - timedelta(days=2), time(), UTC))
    return iter(range(start, start + 5 * DAY, MINUTE))


def beginnings(day: date, begins: time, zone: tzinfo) -> list[Millis]:
    """First instants, date by date, at which the clock shows this time, or has skipped it."""
    shown: dict[date, Millis] = {}
    before: datetime | None = None
    for at in minutes(day):
        now = datetime.fromtimestamp(at / 1_000, UTC).astimezone(zone).replace(tzinfo=None)
        earliest = now.date() if before is None else before.date()
        for number in range(earliest.toordinal(), now.toordinal() + 1):
            each = date.fromordinal(number)
            wanted = datetime.combine(each, begins)
            passed = before is not None and before < wanted <= now
            if now == wanted or passed:
                shown.setdefault(each, at)
        before = now
    return sorted(shown.values())


@pytest.mark.parametrize("begins", TIMES)
@pytest.mark.parametrize(("name", "day"), ZONES_AND_DAYS)
def test_a_day_begins_where_the_clock_first_shows_its_time(
    name: str, day: date, begins: time
) -> None:
    """A time shown twice counts the first time; a skipped one counts at the jump."""
    zone = ZoneInfo(name)
    starts = beginnings(day, begins, zone)
    for at in minutes(day):
        if starts[0] <= at < starts[-1]:
            began = max(each for each in starts if each <= at)
            following = min(each for each in starts if each > at)
            assert day_around(at, begins, zone) == (began, following)


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 7, 1), 24)]
)
def test_days_on_which_the_clock_is_put_are_shorter_and_longer(
    day: tuple[int, int, int], hours: int
) -> None:
    """A day lasts from midnight to midnight, by the clock on the wall."""
    zone = ZoneInfo("Europe/Berlin")
    noon = instant(datetime(*day, 12, tzinfo=zone))
    began, until = day_around(noon, time(0), zone)
    assert until - began == hours * HOUR
    assert day_around(began, time(0), zone) == day_around(until - 1, time(0), zone)


def test_the_last_day_that_can_be_shown_has_an_end() -> None:
    """An instant in a damaged record is no reason to fail."""
    began, until = day_around(LATEST, time(0), UTC)
    assert began <= LATEST < until


def test_skipped_days_are_named_with_the_time_that_the_clock_shows() -> None:
    """In Berlin 02:30 is skipped once a year, noon never."""
    zone, first = ZoneInfo("Europe/Berlin"), date(2026, 1, 1)
    assert list(skipped_days(time(2, 30), zone, first, 365)) == [(date(2026, 3, 29), time(3))]
    assert list(skipped_days(time(12), zone, first, 365)) == []
