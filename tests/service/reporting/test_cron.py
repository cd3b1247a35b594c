"""When a report is due (daemon/service/reporting/cron.py): standard cron by the clock on the
wall.
"""

import os
import time
from collections.abc import Iterator
from datetime import datetime, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.service.reporting import cron
from daemon.types import DAY, HOUR, MINUTE, Millis

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
)
NEVER = ("0 8 30 2 *", "0 8 * *", "75 8 * * *", "0 8 * * 8", "0 8 lastx * *", "0 8 * 2 mon#6")

MINUTES = st.sampled_from(["0", "30", "59", "*/20", "10,35"])
HOURS = st.sampled_from(["0", "1", "2", "3", "8", "23", "*", "1-3", "*/6"])
DAYS = st.sampled_from(["*", "1", "L", "*/10"])
WEEKDAYS = st.sampled_from(["*", "0", "7", "mon-fri", "6-7", "sun#2"])
CRONS = st.builds(lambda *fields: " ".join(fields), MINUTES, HOURS, DAYS, st.just("*"), WEEKDAYS)
INSTANTS = st.integers(1_300_000_000_000, 1_900_000_000_000)


def at(written: str, fold: int = 0, zone: tzinfo = BERLIN) -> Millis:
    return round(
        datetime.fromisoformat(written).replace(tzinfo=zone, fold=fold).timestamp() * 1_000
    )


def shown(instant: Millis, zone: tzinfo = BERLIN) -> str:
    return datetime.fromtimestamp(instant / 1_000, zone).strftime("%a %Y-%m-%d %H:%M %z")


def following(expression: str, after: Millis, count: int) -> list[str]:
    found = []
    for _ in range(count):
        after = cron.due(expression, BERLIN, after)
        found.append(shown(after))
    return found


@pytest.mark.parametrize(
    ("expression", "first", "second"),
    [
        ("0 8 * * *", "Thu 2026-01-01 08:00 +0100", "Fri 2026-01-02 08:00 +0100"),
        ("30 6,18 * * *", "Thu 2026-01-01 06:30 +0100", "Thu 2026-01-01 18:30 +0100"),
        ("0 8 * * 0", "Sun 2026-01-04 08:00 +0100", "Sun 2026-01-11 08:00 +0100"),
        ("0 8 * * 7", "Sun 2026-01-04 08:00 +0100", "Sun 2026-01-11 08:00 +0100"),
        ("0 8 * * 1", "Mon 2026-01-05 08:00 +0100", "Mon 2026-01-12 08:00 +0100"),
        ("0 8 * * 5-7", "Fri 2026-01-02 08:00 +0100", "Sat 2026-01-03 08:00 +0100"),
        ("0 8 * * */2", "Thu 2026-01-01 08:00 +0100", "Sat 2026-01-03 08:00 +0100"),
        ("0 8 * jan mon-fri", "Thu 2026-01-01 08:00 +0100", "Fri 2026-01-02 08:00 +0100"),
        ("0 8 13 * 5", "Fri 2026-01-02 08:00 +0100", "Fri 2026-01-09 08:00 +0100"),
        ("0 8 L * *", "Sat 2026-01-31 08:00 +0100", "Sat 2026-02-28 08:00 +0100"),
        ("0 8 29 2 *", "Tue 2028-02-29 08:00 +0100", "Sun 2032-02-29 08:00 +0100"),
    ],
)
def test_cron_means_what_it_means_elsewhere(expression: str, first: str, second: str) -> None:
    """0 and 7 are Sunday; of a day of the month and one of the week either will do."""
    assert following(expression, at("2026-01-01"), 2) == [first, second]


def test_what_is_due_now_was_due_and_is_due_again() -> None:
    """Both look beyond the instant itself, so that each report follows the one before."""
    eight = at("2026-01-02T08:00")
    assert shown(cron.due("0 8 * * *", BERLIN, eight)) == "Sat 2026-01-03 08:00 +0100"
    assert shown(cron.due("0 8 * * *", BERLIN, eight - 1)) == "Fri 2026-01-02 08:00 +0100"
    assert shown(cron.previous("0 8 * * *", BERLIN, eight)) == "Thu 2026-01-01 08:00 +0100"
    assert shown(cron.previous("0 8 * * *", BERLIN, eight + 1)) == "Fri 2026-01-02 08:00 +0100"


def test_days_on_which_clocks_are_set_have_their_report() -> None:
    """In spring 02:30 comes at 03:00, in autumn the first time: 23 and 25 hours apart."""
    assert following("30 2 * * *", at("2026-03-28T12:00"), 2) == [
        "Sun 2026-03-29 03:00 +0200",
        "Mon 2026-03-30 02:30 +0200",
    ]
    assert following("30 2 * * *", at("2026-10-24T12:00"), 2) == [
        "Sun 2026-10-25 02:30 +0200",
        "Mon 2026-10-26 02:30 +0100",
    ]
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25)):
        noon = at(f"{day}T12:00")
        assert noon - cron.previous("0 12 * * *", BERLIN, noon) == hours * HOUR


def test_the_hour_that_comes_again_is_due_once() -> None:
    """Asked within its second coming, 02:30 was due with the first."""
    again = at("2026-10-25T02:15", fold=1)
    assert shown(cron.previous("30 2 * * *", BERLIN, again)) == "Sun 2026-10-25 02:30 +0200"
    assert shown(cron.due("30 2 * * *", BERLIN, again)) == "Mon 2026-10-26 02:30 +0100"


def test_a_day_that_a_zone_leaves_out_is_made_up_for() -> None:
    """Samoa went from the 29th to the 31st; what was due on the 30th was due at that midnight."""
    apia = ZoneInfo("Pacific/Apia")
    found = cron.due("0 8 * * *", apia, at("2011-12-29T08:00", zone=apia))
    assert shown(found, apia) == "Sat 2011-12-31 00:00 +1400"


@given(CRONS, st.sampled_from(ZONES), INSTANTS)
def test_due_and_previous_are_two_sides_of_one(expression: str, name: str, instant: Millis) -> None:
    """Nothing is due between them: spans have no gap and no overlap, whatever the clocks do."""
    zone = ZoneInfo(name)
    after = cron.due(expression, zone, instant)
    before = cron.previous(expression, zone, after)
    assert before <= instant < after
    assert cron.due(expression, zone, before) == after
    assert cron.previous(expression, zone, before + 1) == before
    assert after % MINUTE == 0


@given(st.sampled_from(ZONES), INSTANTS)
def test_a_daily_report_comes_every_day(name: str, instant: Millis) -> None:
    """At most a day and the largest clock change apart; seven make a week."""
    zone = ZoneInfo(name)
    first = cron.due("30 2 * * *", zone, instant)
    dues = [first]
    for _ in range(7):
        dues.append(cron.due("30 2 * * *", zone, dues[-1]))
    assert max(after - before for before, after in pairwise(dues)) <= DAY + 2 * HOUR


@pytest.fixture
def new_york() -> Iterator[None]:
    """The system's time zone, for as long as the test lasts."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/New_York"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def test_no_zone_is_that_of_the_system(new_york: None) -> None:
    """By its rules, on the days too on which its clocks are set."""
    zone = ZoneInfo("America/New_York")
    for day in ("2026-03-07", "2026-03-08", "2026-10-31", "2026-11-01", "2026-06-01"):
        for expression in ("30 2 * * *", "30 1 * * *"):
            instant = at(f"{day}T00:00", zone=zone)
            assert cron.due(expression, None, instant) == cron.due(expression, zone, instant)
            assert cron.previous(expression, None, instant) == cron.previous(
                expression, zone, instant
            )


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("0 8 * *", "must be five fields"),
        ("0 0 8 * * *", "must be five fields"),
        ("75 8 * * *", "names an impossible minute"),
        ("0 24 * * *", "names an impossible hour"),
        ("0 8 30 2 *", "names an impossible day of month"),
        ("0 8 * 13 *", "names an impossible month"),
        ("0 8 * * sat-sun", 'a range goes upward, as in "6-7"'),
        ("0 8 * 2 mon#5", None),
        ("0 8 */31 2 1L", "names a time that never comes"),
        ("@daily", "must be five fields"),
    ],
)
def test_what_is_wrong_is_said_with_an_example(expression: str, sentence: str | None) -> None:
    """One sentence, and how it is written."""
    found = cron.problem(expression)
    if sentence is None or found is None:
        assert found == sentence
        return
    assert sentence in found
    assert '"0 8 * * mon" for Mondays' in found


@pytest.mark.parametrize("expression", NEVER)
def test_what_never_comes_is_never_due(expression: str) -> None:
    """A ValueError, without a call of `problem` before."""
    for ask in (cron.due, cron.previous):
        with pytest.raises(ValueError, match="never due"):
            ask(expression, BERLIN, at("2026-01-01"))
