"""Mute windows: SEMANTICS E2, both DST days among them."""

import json
from datetime import UTC, datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.alerts.mutes import (
    DAYS,
    LONGEST,
    NO_MUTES,
    MutedRules,
    Mutes,
    MuteWindow,
    muted_rules,
    recorded_mutes,
    time_of_day,
    unknown_zone,
)
from daemon.types import DAY, HOUR, Millis
from tests.values import rule

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: tzinfo = UTC) -> Millis:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1_000)


def window(start: str, end: str, *days: str, name: str = "night") -> MuteWindow:
    return MuteWindow(
        name, frozenset(days or DAYS), time.fromisoformat(start), time.fromisoformat(end)
    )


NIGHT = window("23:00", "07:00", "sat", "sun")
"""2026-01-03 is a Saturday."""


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-01-03 22:59:59.999", None),
        ("2026-01-03 23:00", "2026-01-04 07:00"),
        ("2026-01-04 00:00", "2026-01-04 07:00"),
        ("2026-01-04 06:59:59.999", "2026-01-04 07:00"),
        ("2026-01-04 07:00", None),
        ("2026-01-05 03:00", "2026-01-05 07:00"),
        ("2026-01-05 23:30", None),
        ("2026-01-03 03:00", None),
    ],
    ids=[
        "before",
        "begins",
        "midnight",
        "last",
        "over",
        "sunday's",
        "monday has none",
        "friday has none",
    ],
)
def test_e2_days_name_the_day_on_which_a_window_begins(moment: str, until: str | None) -> None:
    """E2: a night from Saturday ends on Sunday; the beginning is in it, its end is not."""
    assert NIGHT.until(at(moment), UTC) == (None if until is None else at(until))


def test_e2_a_window_within_a_day() -> None:
    """E2: where the end is later than the start, both are of one day."""
    lunch = window("12:00", "13:00", "mon")
    found = [lunch.until(at(f"2026-01-05 {text}"), UTC) for text in ("11:59", "12:30", "13:00")]
    assert found == [None, at("2026-01-05 13:00"), None]


def test_e2_a_window_that_ends_when_it_begins_lasts_a_day() -> None:
    """E2: from noon to noon."""
    noon = window("12:00", "12:00", "sat")
    assert noon.until(at("2026-01-04 11:59"), UTC) == at("2026-01-04 12:00")
    assert noon.until(at("2026-01-04 12:00"), UTC) is None


def test_e2_windows_are_meant_in_the_persons_zone() -> None:
    """E2: 23:00 in Berlin is 22:00 UTC in winter, and the day is Berlin's."""
    assert NIGHT.until(at("2026-01-03 22:00"), BERLIN) == at("2026-01-04 06:00")
    assert NIGHT.until(at("2026-01-03 21:59"), BERLIN) is None


def test_e2_without_a_zone_it_is_the_systems() -> None:
    """E2: a whole day is one in every zone."""
    assert window("00:00", "00:00").until(at("2026-01-03 22:00"), None) is not None


def test_e2_the_night_in_which_the_clock_is_put_forward() -> None:
    """E2: from 23:00 to 07:00 it is an hour shorter (2026-03-29 in Berlin)."""
    end = NIGHT.until(at("2026-03-28 23:00", BERLIN), BERLIN)
    assert end == at("2026-03-29 07:00", BERLIN) == at("2026-03-28 23:00", BERLIN) + 7 * HOUR


def test_e2_the_night_in_which_the_clock_is_put_back() -> None:
    """E2: from 23:00 to 07:00 it is an hour longer (2026-10-25 in Berlin)."""
    end = NIGHT.until(at("2026-10-24 23:00", BERLIN), BERLIN)
    assert end == at("2026-10-25 07:00", BERLIN) == at("2026-10-24 23:00", BERLIN) + 9 * HOUR


def test_e2_a_time_that_is_shown_twice() -> None:
    """E2: it begins at the first 02:30 and ends after the second."""
    begins, ends = window("02:30", "04:00", "sun"), window("01:00", "02:30", "sun")
    first = at("2026-10-25 00:30")  # 02:30 in summer time
    assert begins.until(first, BERLIN) == at("2026-10-25 03:00")
    assert begins.until(first - 1, BERLIN) is None
    assert ends.until(first + HOUR - 1, BERLIN) == first + HOUR
    assert ends.until(first + HOUR, BERLIN) is None


def test_e2_a_time_that_is_skipped() -> None:
    """E2: a skipped time counts as reached at the jump: 03:00 is between 02:30 and 03:30."""
    forward = at("2026-03-29 01:00")  # 02:00 in winter time, shown as 03:00
    begins, ends, both = (
        window("02:30", "04:00"),
        window("01:00", "02:30"),
        window("02:30", "03:30"),
    )
    assert begins.until(forward, BERLIN) == at("2026-03-29 02:00")
    assert begins.until(forward - 1, BERLIN) is None
    assert ends.until(forward - 1, BERLIN) == forward
    assert ends.until(forward, BERLIN) is None
    assert both.until(forward, BERLIN) == forward + HOUR // 2
    within = window("02:10", "02:50")
    assert [within.until(forward + more, BERLIN) for more in (-1, 0)] == [None, None]


def test_e2_windows_without_a_pause_count_as_one() -> None:
    """E2: an end is told when the last of them is over; others and unknown names do not matter."""
    evening = window("20:00", "23:00", name="evening")
    late = window("12:00", "12:30", name="noon")
    mutes = Mutes({"night": NIGHT, "evening": evening, "noon": late}, UTC)
    names = ("gone", "night", "evening", "noon")
    assert mutes.until(names, at("2026-01-03 21:00")) == at("2026-01-04 07:00")
    assert mutes.until(["evening"], at("2026-01-03 21:00")) == at("2026-01-03 23:00")
    assert mutes.until(names, at("2026-01-04 07:00")) is None
    assert Mutes().until(names, at("2026-01-03 21:00")) is None


def test_e2_of_overlapping_windows_the_last_to_end_counts() -> None:
    """E2: what is muted twice is muted until both are over."""
    mutes = Mutes(
        {"a": window("20:00", "22:00", name="a"), "b": window("21:00", "23:30", name="b")}, UTC
    )
    assert mutes.until(("a", "b"), at("2026-01-03 20:30")) == at("2026-01-03 23:30")


def test_e2_the_rules_that_are_muted_are_named_with_the_end() -> None:
    """Those of the same windows together; none outside of them, or without a window."""
    mutes = Mutes({"night": window("23:00", "07:00"), "lunch": window("12:00", "13:00")}, UTC)
    rules = [
        rule("a", mute=("night",)),
        rule("b"),
        rule("c", mute=("night",)),
        rule("d", mute=("lunch", "night")),
        rule("e", mute=("lunch",)),
    ]
    end = at("2026-01-02T07:00")
    assert muted_rules(rules, mutes, at("2026-01-02T03:00")) == [
        MutedRules(("night",), end, ("a", "c")),
        MutedRules(("lunch", "night"), end, ("d",)),
    ]
    assert muted_rules(rules, mutes, at("2026-01-02T09:00")) == []


def test_e2_windows_that_fill_the_week_do_not_end() -> None:
    """E2: an end told then waits for a week, not for ever, and asking takes no longer than that."""
    always = Mutes({"always": window("00:00", "00:00")}, UTC)
    begun = at("2026-01-03 22:00")
    end = always.until(["always"], begun)
    assert end is not None
    assert begun + 7 * DAY <= end <= begun + LONGEST
    halves = Mutes(
        {"a": window("00:00", "12:00", name="a"), "b": window("12:00", "00:00", name="b")}, UTC
    )
    assert halves.until(("a", "b"), begun) == at("2026-01-11 12:00")


CHANGING = [
    "Europe/Berlin",
    "America/Havana",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]
"""Zones that change their clocks in the night, at midnight, by half an hour, and by a whole day."""


@given(
    st.integers(at("1990-01-01"), at("2037-01-01")),
    st.sampled_from(CHANGING).map(ZoneInfo),
    st.sampled_from(DAYS),
)
@example(at("2015-11-01 04:30"), ZoneInfo("America/Havana"), "sun")
@example(at("2015-11-01 05:30"), ZoneInfo("America/Havana"), "sat")
@example(at("2015-11-01 05:30"), ZoneInfo("America/Havana"), "sun")
@example(at("2018-02-18 01:30"), ZoneInfo("America/Sao_Paulo"), "sat")
@example(at("2018-02-18 02:30"), ZoneInfo("America/Sao_Paulo"), "sat")
@example(at("2011-12-30 09:59"), ZoneInfo("Pacific/Apia"), "thu")
@example(at("2011-12-30 10:00"), ZoneInfo("Pacific/Apia"), "sat")
def test_b4_a_whole_day_is_a_whole_day(moment: Millis, zone: ZoneInfo, day: str) -> None:
    """B4: a day lasts from its first to its last instant, also if clocks change at midnight."""
    whole = MuteWindow("day", frozenset({day}), time_of_day("00:00"), time_of_day("24:00"))
    shown = datetime.fromtimestamp(moment / 1_000, UTC).astimezone(zone)
    assert (whole.until(moment, zone) is not None) == (DAYS[shown.weekday()] == day)


def test_b4_the_last_minute_belongs_to_the_day() -> None:
    """B4: what ends at 24:00 is quiet at 23:59:59.999, and not a moment longer."""
    evening = MuteWindow("evening", frozenset({"mon"}), time_of_day("22:00"), time_of_day("24:00"))
    assert evening.until(at("2026-01-05 23:59:59.999"), UTC) == at("2026-01-06 00:00")
    assert evening.until(at("2026-01-06 00:00"), UTC) is None


def test_b4_the_end_of_a_day_is_recorded_as_it_is_written() -> None:
    """B4: `24:00`, which is read back."""
    day = MuteWindow("day", frozenset(DAYS), time_of_day("00:00"), time_of_day("24:00"))
    assert day.written()["between"] == ["00:00", "24:00"]
    assert recorded_mutes({"mutes": Mutes({"day": day}, BERLIN).written()}) == Mutes(
        {"day": day}, BERLIN
    )


@pytest.mark.parametrize(
    ("recorded", "unknown"),
    [
        ({"mutes": {"timezone": "Mars/Olympus"}}, "Mars/Olympus"),
        ({"mutes": {"timezone": 7}}, "7"),
        ({"mutes": {"timezone": "Europe/Berlin"}}, ""),
        ({"mutes": {"timezone": ""}}, ""),
        ({"mutes": []}, ""),
        ({}, ""),
        ([], ""),
    ],
)
def test_promise_6_a_recorded_time_zone_that_is_not_known_here_is_named(
    recorded: object, unknown: str
) -> None:
    """An empty one is the system's, and earlier versions recorded none."""
    assert unknown_zone(recorded) == unknown


names = st.text("ab-. ", min_size=1, max_size=5)
windows = st.builds(MuteWindow, names, st.frozensets(st.sampled_from(DAYS)), st.times(), st.times())
zones = st.sampled_from([None, BERLIN, ZoneInfo("UTC")])


@given(st.lists(windows), zones)
def test_e2_mute_windows_are_read_back_as_they_were(
    every: list[MuteWindow], zone: tzinfo | None
) -> None:
    """E2: with their time zone, and through JSON, in which epochs hold them."""
    mutes = Mutes({each.name: each for each in every}, zone)
    assert recorded_mutes(json.loads(json.dumps({"rules": [], "mutes": mutes.written()}))) == mutes


def test_e2_mute_windows_are_recorded_as_a_person_writes_them() -> None:
    """E2: the days in the order of the week, times to the minute; no time zone is the system's."""
    written = {"name": "night", "days": ["sat", "sun"], "between": ["23:00", "07:00"]}
    assert Mutes({"night": NIGHT}, BERLIN).written() == {
        "timezone": "Europe/Berlin",
        "windows": [written],
    }
    assert NO_MUTES.written() == {"timezone": "", "windows": []}


@pytest.mark.parametrize(
    "written",
    [
        [],
        {"rules": []},
        {"mutes": None},
        {"mutes": {"timezone": "Mars/Olympus", "windows": []}},
        {"mutes": {"timezone": "", "windows": ["night"]}},
        {
            "mutes": {
                "timezone": "",
                "windows": [{"name": "a", "days": [], "between": ["noon", "1"]}],
            }
        },
    ],
)
def test_e2_mute_windows_that_nobody_knows(written: Any) -> None:
    """E2: an earlier version recorded none; one that is not understood is not guessed."""
    assert recorded_mutes(written) is None
