"""The horizontal axis (daemon/charts/time_axis.py): round local times, days where needed."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.charts.chart import ChartSpan
from daemon.charts.time_axis import MOST, local_time, time_ticks
from daemon.types import DAY, HOUR, MINUTE, SECOND, Millis

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (None, ZoneInfo("UTC"), BERLIN, ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe"))
LONGEST = 30 * 366 * DAY


def at(text: str, zone: ZoneInfo = BERLIN) -> Millis:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1_000)


def labels(since: str, until: str) -> list[str]:
    return [
        tick.label.replace("\n", "/")
        for tick in time_ticks(ChartSpan(at(since), at(until)), BERLIN)
    ]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (
            "2026-01-10T03:12:21",
            "2026-01-10T03:13:21",
            ["03:12:30/10 Jan", "03:12:45", "03:13:00", "03:13:15"],
        ),
        ("2026-01-10T02:12", "2026-01-10T03:12", ["02:15/10 Jan", "02:30", "02:45", "03:00"]),
        ("2026-01-09T21:12", "2026-01-10T03:12", ["22:00/9 Jan", "00:00/10 Jan", "02:00"]),
        ("2026-01-09T03:12", "2026-01-10T03:12", ["06:00/9 Jan", "12:00", "18:00", "00:00/10 Jan"]),
        ("2026-01-03T03:12", "2026-01-10T03:12", ["5 Jan/2026", "7 Jan", "9 Jan"]),
        ("2025-12-10T03:12", "2026-01-10T03:12", ["15 Dec/2025", "22 Dec", "29 Dec", "5 Jan/2026"]),
        ("2025-01-10T03:12", "2026-01-10T03:12", ["Apr/2025", "Jul", "Oct", "Jan/2026"]),
        ("2020-01-10T03:12", "2026-01-10T03:12", ["2022", "2024", "2026"]),
    ],
)
def test_f8_ticks_are_round_local_times(since: str, until: str, expected: list[str]) -> None:
    """F8: at any length, with the day or the year below where it is another one."""
    assert labels(since, until) == expected


def test_f8_both_days_of_summer_time_are_right() -> None:
    """F8: two o'clock is left out in spring; the hours around it lie where they were."""
    assert labels("2026-03-28T22:00", "2026-03-29T06:00") == [
        "22:00/28 Mar",
        "00:00/29 Mar",
        "04:00",
        "06:00",
    ]
    assert labels("2026-10-24T22:00", "2026-10-25T06:00") == [
        "22:00/24 Oct",
        "00:00/25 Oct",
        "02:00",
        "04:00",
        "06:00",
    ]


@given(st.integers(0, 60 * 366 * DAY), st.integers(0, LONGEST), st.sampled_from(ZONES))
def test_f8_a_phone_has_room_for_all_of_them(
    since: Millis, length: Millis, zone: ZoneInfo | None
) -> None:
    """F8: one to five ticks, in order, within the picture; the first shows the day or the year."""
    span = ChartSpan(since, since + length)
    found = time_ticks(span, zone)
    assert 1 <= len(found) <= MOST
    assert all(span.since <= tick.at <= span.until for tick in found)
    assert all(before.at < after.at for before, after in pairwise(found))
    assert "\n" in found[0].label or found[0].label.isdigit()


@given(st.integers(0, 60 * 366 * DAY), st.integers(2 * SECOND, LONGEST), st.sampled_from(ZONES))
def test_f8_a_tick_says_its_own_time(since: Millis, length: Millis, zone: ZoneInfo | None) -> None:
    """F8: what stands under a tick is the local time there, to the second at least."""
    for tick in time_ticks(ChartSpan(since, since + length), zone):
        shown, then = tick.label.partition("\n")[0], local_time(tick.at, zone)
        assert shown in {
            f"{then:%H:%M:%S}",
            f"{then:%H:%M}",
            f"{then.day} {then:%b}",
            f"{then:%b}",
            f"{then:%Y}",
        }
        if length < 3 * DAY and length > 5 * MINUTE:
            assert (then.second, then.microsecond) == (0, 0)


def test_f8_a_moment_has_a_tick_too() -> None:
    """F8: a span without a round time is named by its beginning."""
    assert [
        tick.label for tick in time_ticks(ChartSpan(HOUR + 100, HOUR + 300), ZoneInfo("UTC"))
    ] == ["01:00:00\n1 Jan"]
