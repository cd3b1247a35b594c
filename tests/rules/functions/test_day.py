"""`today` and `since`: the change since a time of day."""

from datetime import UTC, datetime, time, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from daemon.rules.functions._day import LOOK_BACK, DayChange
from daemon.types import HOUR, MINUTE, SECOND, Millis

BERLIN = ZoneInfo("Europe/Berlin")


def at(moment: str, zone: tzinfo = UTC) -> Millis:
    return round(datetime.fromisoformat(moment).replace(tzinfo=zone).timestamp() * 1_000)


def changes(
    state: DayChange, *series: tuple[str, str | None], zone: tzinfo = UTC
) -> list[str | None]:
    """The change after each reading (local time, value)."""
    found = [
        state.read(at(moment, zone), None if value is None else Decimal(value))
        for moment, value in series
    ]
    return [None if each is None else str(each) for each in found]


def test_a_day_compares_with_how_the_account_stood_as_it_began() -> None:
    """The last reading at or before the time of day, so that no loss falls between two days."""
    assert changes(
        DayChange(time(0), UTC),
        ("2026-05-01 23:59:50", "100"),
        ("2026-05-01 23:59:58", "90"),
        ("2026-05-02 00:00:03", "85"),
        ("2026-05-02 23:59:59", "70"),
        ("2026-05-03 00:00:00", "71"),
        ("2026-05-03 00:00:05", "60"),
    ) == ["0", "-10", "-5", "-20", "0", "-11"]


def test_a_reading_of_more_than_an_hour_before_does_not_count() -> None:
    """After a pause over midnight a day compares with its first reading."""
    assert changes(
        DayChange(time(0), UTC),
        ("2026-05-01 22:59:59", "100"),
        ("2026-05-02 08:00:00", "80"),
        ("2026-05-02 09:00:00", "75"),
    ) == ["0", "0", "-5"]
    assert changes(
        DayChange(time(0), UTC), ("2026-05-01 23:00:00", "100"), ("2026-05-02 08:00:00", "80")
    ) == ["0", "-20"]


def test_readings_without_a_value_are_left_out() -> None:
    """The last value of the day counts, as with `delta`; without one the change is unknown."""
    assert changes(
        DayChange(time(8), UTC),
        ("2026-05-01 07:00:00", None),
        ("2026-05-01 07:30:00", "5"),
        ("2026-05-01 08:10:00", None),
        ("2026-05-01 08:20:00", "7"),
        ("2026-05-01 08:30:00", None),
    ) == [None, "0", None, "2", "2"]


def test_a_miss_shows_the_change_by_then() -> None:
    """At a miss after midnight there is no reading of the new day yet."""
    state = DayChange(time(0), UTC)
    changes(state, ("2026-05-01 23:00:00", "5"), ("2026-05-01 23:30:00", "6"))
    assert state.advance(at("2026-05-01 23:59:59")) == 1
    assert state.advance(at("2026-05-02 00:00:00")) is None
    assert DayChange(time(0), UTC).advance(0) is None


def test_the_day_on_which_the_clock_is_put_forward() -> None:
    """02:30 is skipped on 2026-03-29 in Berlin: the day begins at 03:00."""
    assert changes(
        DayChange(time(2, 30), BERLIN),
        ("2026-03-29 01:59:00", "5"),
        ("2026-03-29 03:00:00", "6"),
        ("2026-03-29 03:01:00", "8"),
        zone=BERLIN,
    ) == ["0", "0", "2"]


def test_the_day_on_which_the_clock_is_put_back() -> None:
    """02:30 is shown twice on 2026-10-25 in Berlin: the first counts."""
    state = DayChange(time(2, 30), BERLIN)
    first = at("2026-10-25 00:30")  # 02:30 in summer time
    assert state.read(first, Decimal(5)) == 0
    assert state.read(first + HOUR, Decimal(8)) == 3
    assert state.read(first + 24 * HOUR, Decimal(9)) == 4
    assert state.read(first + 25 * HOUR, Decimal(9)) == 0


@pytest.mark.parametrize("by", [-10 * SECOND, 10 * SECOND])
def test_a5_a_step_of_the_clock_moves_readings_to_the_day_on_which_they_are_meant(by: int) -> None:
    """A5: after a step, the change is that of readings moved by it."""
    midnight = at("2026-05-02 00:00")
    told = [
        (midnight - 15 * SECOND, "1"),
        (midnight - 5 * SECOND, "2"),
        (midnight + 5 * SECOND, "4"),
        (midnight + 15 * SECOND, "8"),
    ]
    stepped, meant = DayChange(time(0), UTC), DayChange(time(0), UTC)
    for instant, value in told:
        stepped.read(instant, Decimal(value))
        meant.read(instant + by, Decimal(value))
    stepped.shift(by)
    for later in (16 * SECOND, 2 * HOUR, 30 * HOUR):
        assert stepped.advance(midnight + later) == meant.advance(midnight + later)


def test_readings_of_earlier_days_are_forgotten() -> None:
    """Memory holds one day: what is older is dropped, and the change stays right."""
    state, start = DayChange(time(0), UTC), at("2026-05-01 00:00")
    for minute in range(4 * 24 * 60):
        found = state.read(start + minute * MINUTE, Decimal(minute))
        assert found == minute % (24 * 60)
    assert len(state._ring) <= 2 * (LOOK_BACK // MINUTE + 64)
    assert state.memory(MINUTE) == 70 * (LOOK_BACK // MINUTE + 1)
