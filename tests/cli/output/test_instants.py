"""Instants as people type them: the last one for looking back, the next one for a silence."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.cli.output import times
from daemon.cli.output.instants import parse_future, parse_instant
from daemon.errors import UsageError
from daemon.types import DAY, HOUR, MINUTE
from tests.fakes import NOON

BERLIN = ZoneInfo("Europe/Berlin")
"""NOON is 12:00 there, on Thursday 2026-01-01."""


def shown(at: int) -> str:
    return times.format_time(at, BERLIN)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("now", NOON),
        ("24h", NOON - DAY),
        ("1h30m", NOON - 90 * MINUTE),
        ("7d ago", NOON - 7 * DAY),
        ("2026-01-01T11:00:00Z", NOON),
        ("2026-01-01T11:00:00.250+00:00", NOON + 250),
        ("2026-01-01 12:00", NOON),
        ("2026-01-01", NOON - 12 * HOUR),
        ("999999999999999d", 0),
    ],
)
def test_an_instant_is_read_as_programs_write_it(text: str, meant: int) -> None:
    """ISO 8601, in the configured zone where none is named; durations are ago."""
    assert parse_instant(text, NOON, BERLIN) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("03:12", "2026-01-01 03:12:00"),
        ("3:12", "2026-01-01 03:12:00"),
        ("12:00", "2026-01-01 12:00:00"),
        ("12:00:01", "2025-12-31 12:00:01"),
        ("20:20", "2025-12-31 20:20:00"),
        ("02:30+02:00", "2026-01-01 01:30:00"),
        ("today", "2026-01-01 00:00:00"),
        ("Today 03:12", "2026-01-01 03:12:00"),
        ("yesterday", "2025-12-31 00:00:00"),
        ("yesterday  20:20", "2025-12-31 20:20:00"),
        ("thu", "2026-01-01 00:00:00"),
        ("thursday 13:00", "2025-12-25 13:00:00"),
        ("MON 07:00", "2025-12-29 07:00:00"),
        ("fri", "2025-12-26 00:00:00"),
    ],
)
def test_looking_back_a_time_of_day_or_a_weekday_is_the_last_one(text: str, meant: str) -> None:
    """A day alone is its beginning."""
    assert shown(parse_instant(text, NOON, BERLIN)) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("07:00", "2026-01-02 07:00:00"),
        ("12:01", "2026-01-01 12:01:00"),
        ("12:00", "2026-01-02 12:00:00"),
        ("today 20:00", "2026-01-01 20:00:00"),
        ("tomorrow 07:00", "2026-01-02 07:00:00"),
        ("tomorrow", "2026-01-02 00:00:00"),
        ("thu", "2026-01-08 00:00:00"),
        ("thu 13:00", "2026-01-01 13:00:00"),
        ("monday 07:00", "2026-01-05 07:00:00"),
        ("2026-01-03", "2026-01-03 00:00:00"),
    ],
)
def test_ahead_it_is_the_next_one(text: str, meant: str) -> None:
    """A silence ends in the morning, not on the last one."""
    assert shown(parse_future(text, NOON, BERLIN)) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "soon",
        "24",
        "2026-13-01",
        "-5h",
        "mo",
        "25:00",
        "03:12 mon",
        "mon tue",
        "mon 7",
        ":",
    ],
)
def test_what_is_no_instant_is_bad_usage(text: str) -> None:
    """One sentence that shows how to write one, of the past or of the future."""
    with pytest.raises(UsageError, match="is not a time: write 03:12, yesterday 20:20, mon 07:00"):
        parse_instant(text, NOON, BERLIN)
    if text != "-5h":
        with pytest.raises(UsageError, match="is not a time: write 07:00, tomorrow 07:00"):
            parse_future(text, NOON, BERLIN)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2h", '"2h" is a duration, not a time: use --for 2h'),
        ("yesterday 20:20", '"yesterday 20:20" lies in the past: 2025-12-31 20:20:00'),
        ("today 03:00", '"today 03:00" lies in the past: 2026-01-01 03:00:00'),
    ],
)
def test_an_end_that_is_none_is_bad_usage(text: str, sentence: str) -> None:
    """A silence that ends before it begins was meant otherwise."""
    with pytest.raises(UsageError) as raised:
        parse_future(text, NOON, BERLIN)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("now", "text", "meant"),
    [
        ("2026-10-25T12:00+01:00", "02:30", "comes twice that day: write 02:30+02:00 or"),
        ("2026-10-25T12:00+01:00", "02:30+02:00", "2026-10-25 02:30:00"),
        ("2026-10-25T01:00+02:00", "02:30", "2026-10-24 02:30:00"),
        ("2026-03-29T12:00+02:00", "02:30", "never comes that day"),
        ("2026-03-30T12:00+02:00", "yesterday 02:30", "never comes that day"),
    ],
)
def test_an_hour_that_comes_twice_or_never_is_refused(now: str, text: str, meant: str) -> None:
    """With its offset it is one instant; the day before, there is no doubt."""
    try:
        found = shown(parse_instant(text, times.parse_iso(now, UTC), BERLIN))
    except UsageError as error:
        found = str(error)
    assert meant in found


@given(
    st.integers(1_577_836_800_000, 1_893_456_000_000),
    st.times(),
    st.sampled_from(["", "mon", "sunday", "today", "yesterday"]),
)
def test_the_last_and_the_next_lie_on_their_sides(here: int, clock: object, day: str) -> None:
    """Never is a time of day of the future looked back to, nor one of the past waited for."""
    text = f"{day} {clock}".strip()
    if day not in {"today", "yesterday"}:
        assert here - 7 * DAY <= parse_instant(text, here, UTC) <= here
        assert here < parse_future(text, here, UTC) <= here + 7 * DAY
    else:
        at = parse_instant(text, here, UTC)
        assert (here - at) // DAY in {-1, 0, 1}
