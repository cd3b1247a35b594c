"""What messages tell of the hour before: read ahead of need."""

from decimal import Decimal

from daemon.service.judging.hindsight import ABOUT, FRESH, Hindsight
from daemon.types import HOUR, SECOND, Balances, Millis, Reading
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


async def test_what_was_read_ahead_is_not_read_again() -> None:
    """An alert that comes within the minute waits for no database."""
    past = Past()
    hindsight = Hindsight("main", past)
    await hindsight.renew(T0 + HOUR)
    assert margin(await hindsight.hourly(T0 + HOUR + FRESH - 1, NOW)) == Decimal(-410)
    assert past.instants == [T0]


async def test_it_is_read_when_nobody_did_or_too_long_ago() -> None:
    """Of the hour before, whichever it is: also where the clock was set back."""
    past = Past()
    hindsight = Hindsight("main", past)
    for at in (T0 + HOUR, T0 + HOUR + FRESH, T0 + HOUR):
        assert margin(await hindsight.hourly(at, NOW)) == Decimal(-410)
    assert past.instants == [T0, T0 + FRESH, T0]


async def test_it_is_renewed_in_time() -> None:
    """Twice a minute, not with every reading."""
    past = Past()
    hindsight = Hindsight("main", past)
    for second in range(61):
        await hindsight.renew(T0 + HOUR + second * SECOND)
    assert past.instants == [T0, T0 + 30 * SECOND, T0 + 60 * SECOND]


async def test_nothing_is_told_of_an_hour_that_nobody_saw() -> None:
    """No reading, one too old, or a database that cannot be read."""
    young, old, gone = Past(T0 + 1), Past(T0 - ABOUT - 1), Past()
    gone.unreadable = True
    assert [dict(await Hindsight("main", past).hourly(T0 + HOUR, NOW)) for past in (young, old, gone)] == [{}, {}, {}]
    assert await Hindsight("main", Past()).hourly(T0 + HOUR, Balances()) == {}
