"""The hourly change in messages: its baseline is cached."""

from decimal import Decimal

from daemon.service.judging.hourly_change import ABOUT, RENEWED, HourlyBaseline
from daemon.types import HOUR, MINUTE, SECOND, Balances, Millis, Reading
from tests.fakes import ListJournal
from tests.values import T0, balances, reading

NOW = balances(available_margin="90")


class Past(ListJournal):
    """A record of one reading, and how often it was asked for."""

    def __init__(self, at: Millis = T0) -> None:
        super().__init__()
        self.reading = reading(1, at, available_margin="500")
        self.instants: list[Millis] = []

    async def standing(self, account: str, at: Millis) -> Reading | None:
        self.instants.append(at)
        await super().standing(account, at)
        return self.reading if self.reading.at <= at else None


def margin(moved: object) -> object:
    assert isinstance(moved, dict)
    return moved.get("available_margin")


async def test_c7_no_alert_waits_for_the_database() -> None:
    """C7: a cached reading is used, whatever its age; without one, messages do without."""
    past = Past()
    hourly_baseline = HourlyBaseline("main", past)
    assert hourly_baseline.hourly(T0 + HOUR, NOW) == {}
    await hourly_baseline.renew(T0 + HOUR)
    told = [
        margin(hourly_baseline.hourly(T0 + HOUR + later, NOW)) for later in (0, ABOUT, ABOUT + 1)
    ]
    assert told == [Decimal(-410), Decimal(-410), None]
    assert past.instants == [T0]


async def test_c7_it_is_read_for_the_next_input() -> None:
    """C7: with rare readings, it is read for an hour before the next one, not the last."""
    past = Past()
    hourly_baseline = HourlyBaseline("main", past)
    for minute in (0, 5):
        await hourly_baseline.renew(T0 + HOUR + minute * MINUTE)
    assert past.instants == [T0, T0 + 10 * MINUTE]
    past.reading = reading(2, T0 + 15 * MINUTE, available_margin="110")
    await hourly_baseline.renew(T0 + HOUR + 10 * MINUTE)
    told = [
        margin(hourly_baseline.hourly(T0 + HOUR + minute * MINUTE, NOW)) for minute in (9, 10, 15)
    ]
    assert told == [None, Decimal(-20), Decimal(-20)]


async def test_a_reading_of_less_than_an_hour_ago_is_none_of_an_hour_ago() -> None:
    """After the clock was set back, the baseline is read again."""
    past = Past()
    hourly_baseline = HourlyBaseline("main", past)
    await hourly_baseline.renew(T0 + HOUR)
    assert hourly_baseline.hourly(T0 + HOUR - 1, NOW) == {}
    await hourly_baseline.renew(T0 + HOUR - 1)
    assert past.instants == [T0, T0 - 1]


async def test_it_is_renewed_in_time() -> None:
    """Twice a minute, not with every reading."""
    past = Past()
    hourly_baseline = HourlyBaseline("main", past)
    for second in range(61):
        await hourly_baseline.renew(T0 + HOUR + second * SECOND)
    assert past.instants == [T0, T0 + RENEWED + SECOND, T0 + 2 * RENEWED + SECOND]


async def test_nothing_is_told_of_an_hour_that_nobody_saw() -> None:
    """No reading, one too old, or a database that cannot be read."""
    young, old, gone = Past(T0 + 1), Past(T0 - ABOUT - 1), Past()
    gone.unreadable = True
    for past in (young, old, gone):
        hourly_baseline = HourlyBaseline("main", past)
        await hourly_baseline.renew(T0 + HOUR)
        assert hourly_baseline.hourly(T0 + HOUR, NOW) == {}
    known = HourlyBaseline("main", Past())
    await known.renew(T0 + HOUR)
    assert known.hourly(T0 + HOUR, Balances()) == {}
