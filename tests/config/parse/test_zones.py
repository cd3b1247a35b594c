"""B3: a time zone that does not exist is answered with what was meant, never with one far away."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from daemon.config.parse import values, zones
from tests.config.written import WHOLE, doubts, loaded, problems

SEASONS = (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC))


def hints(written: str) -> list[str]:
    """The zones that the sentence names."""
    (sentence,) = problems(f'[daemon]\ntimezone = "{written}"\n{WHOLE}')
    assert sentence.startswith("daemon.timezone: no such time zone as ")
    return re.findall(r'"([^"]+)"', sentence.partition("; ")[2])


def offsets(name: str) -> set[float]:
    """Hours that its clocks show more than UTC."""
    found = (each.astimezone(ZoneInfo(name)).utcoffset() or timedelta() for each in SEASONS)
    return {each / timedelta(hours=1) for each in found}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("HKT", ["Asia/Hong_Kong"]),
        ("hkt", ["Asia/Hong_Kong"]),
        ("CST", ["Asia/Shanghai", "America/Chicago"]),
        ("JST", ["Asia/Tokyo"]),
        ("SGT", ["Asia/Singapore"]),
        ("IST", ["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"]),
        ("CEST", ["Europe/Berlin"]),
        ("PST", ["America/Los_Angeles", "Asia/Manila"]),
        ("PDT", ["America/Los_Angeles"]),
        ("EDT", ["America/New_York"]),
        ("MSK", ["Europe/Moscow"]),
        ("AEST", ["Australia/Sydney", "Australia/Brisbane"]),
        ("BST", ["Europe/London", "Asia/Dhaka"]),
        ("Berlin", ["Europe/Berlin"]),
        ("berlin", ["Europe/Berlin"]),
        ("Hong Kong", ["Asia/Hong_Kong"]),
        ("hong_kong", ["Asia/Hong_Kong"]),
        ("europe/berlin", ["Europe/Berlin"]),
        ("Asia/HongKong", ["Asia/Hong_Kong"]),
        ("Asia/Singapor", ["Asia/Singapore"]),
        ("Asia/Beijing", ["Asia/Shanghai"]),
        ("Beijing", ["Asia/Shanghai"]),
        ("São Paulo", ["America/Sao_Paulo"]),
        ("Zürich", ["Europe/Zurich"]),
        ("New York", ["America/New_York"]),
        ("San Francisco", ["America/Los_Angeles"]),
        ("Tokio", ["Asia/Tokyo"]),
        ("XYZ", ["Asia/Hong_Kong", "Europe/Berlin"]),
        ("my zone", ["Asia/Hong_Kong", "Europe/Berlin"]),
    ],
)
def test_what_was_meant_is_named(written: str, expected: list[str]) -> None:
    """B3: abbreviations with all their readings, cities with their region."""
    assert hints(written) == expected


@pytest.mark.parametrize(("abbreviation", "found"), zones.ABBREVIATIONS.items())
def test_every_zone_of_the_table_exists(abbreviation: str, found: tuple[str, ...]) -> None:
    """B3: each suggested name is accepted."""
    assert abbreviation == abbreviation.lower()
    for name in (*found, *zones.KNOWN, *zones.PLACES.values()):
        assert values.zone(name) == ZoneInfo(name)


SPELLINGS = ("UTC{}", "GMT{}", "utc{}", "UTC {}", "{}")


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("hours", range(-11, 15))
def test_an_offset_is_answered_with_zones_that_have_it(spelling: str, hours: int) -> None:
    """B3: UTC+8 lies 8 hours ahead, in whatever spelling; never "Etc/GMT+8", which lies behind."""
    for sign in (f"{hours:+d}", f"{hours:+03d}:00", f"{hours:+03d}00"):
        found = (
            hints(spelling.format(sign)) if spelling.format(sign) not in {"GMT+0", "GMT-0"} else []
        )
        assert [
            name for name in found if hours not in offsets(name) or name.startswith("Etc/")
        ] == []
        assert found or hours == 0


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("UTC+8", ["Asia/Hong_Kong", "Asia/Singapore", "Asia/Shanghai"]),
        ("GMT+8", ["Asia/Hong_Kong", "Asia/Singapore", "Asia/Shanghai"]),
        ("+08:00", ["Asia/Hong_Kong", "Asia/Singapore", "Asia/Shanghai"]),
        ("UTC+5:30", ["Asia/Kolkata"]),
        ("+0545", ["Asia/Kathmandu"]),
        ("UTC+1", ["Africa/Lagos", "Europe/Berlin", "Europe/London"]),
        ("UTC-5", ["America/Bogota", "America/New_York", "America/Chicago"]),
        ("UTC+99", ["Asia/Hong_Kong", "Europe/Berlin"]),
    ],
)
def test_offsets_are_named_by_region(written: str, expected: list[str]) -> None:
    """B3: zones that have the offset all year come first."""
    assert hints(written) == expected


@pytest.mark.parametrize("letters", ["HKT", "XST", "HTS", "UCT+8", "ETS", "HSTT"])
def test_letters_alone_are_no_hint(letters: str) -> None:
    """B3: three letters that resemble each other may lie 18 hours apart."""
    assert [name for name in hints(letters) if "/" not in name] == []


EAST = '"Asia/Hong_Kong", "Asia/Singapore" or "Asia/Shanghai"'
WEST = '"America/Bogota", "America/New_York" or "America/Chicago"'


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        (
            "Etc/GMT+8",
            f"Etc/GMT+8 is 8 hours behind UTC; for 8 hours ahead of it write {EAST}",
        ),
        (
            "Etc/GMT-5",
            f"Etc/GMT-5 is 5 hours ahead of UTC; for 5 hours behind it write {WEST}",
        ),
        ("EST", 'EST knows no summer time; write "America/New_York" if yours does'),
        ("MST", 'MST knows no summer time; write "America/Denver" if yours does'),
    ],
)
def test_zones_that_are_not_what_they_seem_are_a_warning(zone: str, said: str) -> None:
    """B3: they exist, and most who write them mean something else."""
    assert doubts(loaded(f'[daemon]\ntimezone = "{zone}"\n{WHOLE}')) == [f"daemon.timezone: {said}"]


@pytest.mark.parametrize(
    "zone", ["", "UTC", "CET", "HST", "Etc/GMT+0", "Etc/UTC", "Singapore", "Asia/Hong_Kong"]
)
def test_other_zones_are_taken_as_they_are(zone: str) -> None:
    """B3: no warning without a reason."""
    assert doubts(loaded(f'[daemon]\ntimezone = "{zone}"\n{WHOLE}')) == []
