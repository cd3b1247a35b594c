"""Allowed values of keys, type by type."""

from collections.abc import Callable
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.addresses import is_loopback
from daemon.config import Web
from daemon.config.parse import values
from daemon.config.problems import MistakeError
from daemon.rules.rule import AtLeast
from daemon.text.durations import duration_text
from daemon.types import DAY, Limit

GOOD: list[tuple[Callable[[object], object], object, object]] = [
    (values.text, "", ""),
    (values.secret, "k", "k"),
    (values.name, "main 2_b.c-d", "main 2_b.c-d"),
    (values.name, "größe", "größe"),
    (values.duration, "1h30m", 5_400_000),
    (values.duration, "0s", 0),
    (values.longer_than(400), "400ms", 400),
    (values.count, 3, 3),
    (values.limit, "50 per 10s", Limit(50, 10_000)),
    (values.percent, "12.5%", Decimal("0.125")),
    (values.at_least, "3 of 5", AtLeast(3, 5)),
    (values.flapping, "6 per 1d", Limit(6, DAY)),
    (values.days, ["sat"], ("sat",)),
    (values.limit_of_system(0), "7d", 7 * DAY),
    (values.between, ["23:00", "07:00"], ("23:00", "07:00")),
    (values.between, ["00:00", "24:00"], ("00:00", "24:00")),
    (values.between, ["22:00", "24:00"], ("22:00", "24:00")),
    (values.cron, "*/5 8-18 * * mon,fri", "*/5 8-18 * * mon,fri"),
    (values.cron, "0 8 L * mon#1", "0 8 L * mon#1"),
    (values.unit, "USDT", "USDT"),
    (values.unit, "", ""),
    (values.unit, "µ" * 12, "µ" * 12),
    (values.flag, True, True),
    (values.flag, False, False),
    (values.zone, "Europe/Berlin", ZoneInfo("Europe/Berlin")),
    (values.web, "127.0.0.1:8787", Web("127.0.0.1", 8787)),
    (values.web, "[::1]:80", Web("::1", 80)),
    (values.url("https", "http"), "http://127.0.0.1:1", "http://127.0.0.1:1"),
    (values.heartbeat, "https://example.com/x", "https://example.com/x"),
    (values.heartbeat, "http://localhost:80/x", "http://localhost:80/x"),
    (values.one_of(("a", "b")), "a", "a"),
    (values.unless_off(values.duration), "off", None),
    (values.unless_off(values.duration), "1s", 1000),
    (values.optional(values.duration, empty=None), "", None),
]

TWO_TIMES = (
    'must be two different times such as ["23:00", "07:00"]; a whole day is ["00:00", "24:00"]'
)

BAD: list[tuple[Callable[[object], object], object, str]] = [
    (values.text, 5, "must be a text in quotes, not 5"),
    (values.text, True, "must be a text in quotes, not true"),
    (values.text, ["a"], "must be a text in quotes, not a list"),
    (values.text, {}, "must be a text in quotes, not a table"),
    (values.hidden, 12345, "must be a text in quotes"),
    (values.secret, "", "is empty; write env:NAME, file:PATH, credential:NAME or the text itself"),
    (values.name, "a!", 'must be 1 to 64 letters, digits, spaces or _ . -, not "a!"'),
    (values.name, " a", 'must be 1 to 64 letters, digits, spaces or _ . -, not " a"'),
    (values.name, "", 'must be 1 to 64 letters, digits, spaces or _ . -, not ""'),
    (
        values.unit,
        "x" * 13,
        f'must be a word of at most 12 characters such as "USDT", not "{13 * "x"}"',
    ),
    (values.unit, " a", 'must be a word of at most 12 characters such as "USDT", not " a"'),
    (
        values.unit,
        "a\u202e",
        'must be a word of at most 12 characters such as "USDT", not "a\\u202e"',
    ),
    (values.unit, 5, "must be a text in quotes, not 5"),
    (values.flag, "no", 'must be true or false, without quotes, not "no"'),
    (values.flag, 0, "must be true or false, without quotes, not 0"),
    (values.duration, 5, 'must be a duration such as "90s" or "1h30m", not 5'),
    (values.duration, "5 s", 'must be a duration such as "90s" or "1h30m", not "5 s"'),
    (values.duration, "400d", 'must be at most 366d, not "400d"'),
    (values.longer_than(400), "399ms", 'must be at least 400ms, not "399ms"'),
    (values.count, True, "must be a whole number from 1 up, without quotes, not true"),
    (values.count, 0, "must be a whole number from 1 up, without quotes, not 0"),
    (values.limit, "0 per 1s", 'must be a limit such as "50 per 10s", not "0 per 1s"'),
    (values.limit, "5 per 0s", 'must be a limit such as "50 per 10s", not "5 per 0s"'),
    (values.percent, "0%", 'must be a percentage such as "50%", not "0%"'),
    (values.at_least, "6 of 5", 'must ask for no more than the 5 that are counted, not "6 of 5"'),
    (values.at_least, "0 of 5", 'must ask for at least 1, not "0 of 5"'),
    (
        values.at_least,
        "3 of 100000",
        'must count at most the last 9999 readings, not "3 of 100000"',
    ),
    (values.at_least, f"3 of {'9' * 5000}", f'must be like "3 of 5", not "3 of {"9" * 34}…"'),
    (values.at_least, "3 in 5", 'must be like "3 of 5", not "3 in 5"'),
    (values.at_least, 3, 'must be like "3 of 5", not 3'),
    (values.flapping, "often", 'must be a limit such as "6 per 1h", not "often"'),
    (values.flapping, "6 per 25h", 'must span at most 1d, not "6 per 25h"'),
    (values.days, [], "names no day; leave it out for every day"),
    (values.limit_of_system(0), "8d", 'must be at most 7d, not "8d"'),
    (values.limit_of_system(250), "249ms", 'must be at least 250ms, not "249ms"'),
    (
        values.unless_off(values.limit_of_system(1)),
        "never",
        'must be a duration such as "90s" or "1h30m", not "never"; "off" turns it off',
    ),
    (
        values.unless_off(values.limit_of_system(1)),
        "8d",
        'must be at most 7d, not "8d"; "off" turns it off',
    ),
    (values.between, ["07:00"], TWO_TIMES),
    (values.between, ["00:00", "00:00"], TWO_TIMES),
    (
        values.between,
        ["24:00", "07:00"],
        'must not begin with "24:00"; write "00:00", and in days the day that then begins',
    ),
    (values.between, ["07:00", "24:01"], 'must be times from "00:00" to "24:00", not "24:01"'),
    (values.between, ["07:00", "25:00"], 'must be times from "00:00" to "24:00", not "25:00"'),
    (values.cron, "0 8 * *", 'must be five fields such as "0 8 * * *", not "0 8 * *"'),
    (values.list_of(values.text), "a", 'must be a list such as ["one", "two"], not "a"'),
    (values.list_of(values.text), [1], "must be a text in quotes, not 1"),
    (values.one_of(("a", "b")), 10**50, "must be one of a b, not a number of that size"),
    (
        values.one_of(("ok", "keep")),
        "kep",
        'must be one of ok keep, not "kep"; did you mean "keep"?',
    ),
    (values.zone, "Europe/Berln", 'no such time zone as "Europe/Berln"; write "Europe/Berlin"'),
    (
        values.zone,
        "../etc",
        (
            'no such time zone as "../etc"; write a region and a city, such as "Asia/Hong_Kong"'
            ' or "Europe/Berlin"'
        ),
    ),
    (values.web, "8787", 'must be HOST:PORT such as "127.0.0.1:8787", or "" for off, not "8787"'),
    (
        values.web,
        "h:99999",
        'must be HOST:PORT such as "127.0.0.1:8787", or "" for off, not "h:99999"',
    ),
    (values.url("https"), "ftp://h", 'must be an address that begins with "https://"'),
    (values.url("https"), "ftp://u:hunter2@h", "must not hold a user or password"),
    (values.url("https"), "https://h:port", 'must be an address that begins with "https://"'),
    (values.heartbeat, "example.com", 'must be an address that begins with "https://"'),
    (
        values.heartbeat,
        "http://e.com/x",
        "plain http shows the address to everyone on the way; write https",
    ),
    (
        values.heartbeat,
        "https://e.com/x y",
        "holds a space or a character that no address has; copy the address again",
    ),
    (
        values.heartbeat,
        "https://e.com/ü",
        "holds a space or a character that no address has; copy the address again",
    ),
]


@pytest.mark.parametrize(("parse", "written", "meant"), GOOD)
def test_a_good_value_is_understood(
    parse: Callable[[object], object], written: object, meant: object
) -> None:
    """Every kind of value is parsed to what it means."""
    assert parse(written) == meant


@pytest.mark.parametrize(("parse", "written", "sentence"), BAD)
def test_a_bad_value_is_explained(
    parse: Callable[[object], object], written: object, sentence: str
) -> None:
    """Every kind of mistake is one short sentence, without a value that may be secret."""
    with pytest.raises(MistakeError) as caught:
        parse(written)
    assert str(caught.value) == sentence


def test_a_bad_expression_is_shown_with_a_caret() -> None:
    """The sentence is followed by the text, and a caret under the character at fault."""
    with pytest.raises(MistakeError) as caught:
        values.expression("available_margin < < 5")
    lines = str(caught.value).splitlines()
    assert lines[1:] == ["    available_margin < < 5", "                       ^"]


@given(st.integers(0, 366 * DAY))
def test_a_written_duration_reads_back(millis: int) -> None:
    """Any duration, written canonically, is read as the same milliseconds."""
    assert values.duration(duration_text(millis)) == millis


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
    ],
)
def test_loopback_is_this_machine_alone(host: str, own: bool) -> None:
    """Promise 9: only addresses of the machine itself may be reached unencrypted."""
    assert is_loopback(host) == own
