"""Mistakes are gathered, put in order and shown without secrets."""

import datetime as dt

import pytest

from daemon.config.problems import Problems, did_you_mean, format_value
from daemon.errors import ConfigError


def test_all_problems_are_raised_in_the_order_of_the_file() -> None:
    """Tables come in documented order, then by index; what is outside of all tables comes first."""
    problems = Problems()
    for place in ("budget.host", "rules[10].when", "rules[2].when", "accounts[0].name", "evry"):
        problems.add(place, "x")
    with pytest.raises(ConfigError) as caught:
        problems.raise_if_any()
    assert caught.value.problems == [
        "evry: x",
        "accounts[0].name: x",
        "rules[2].when: x",
        "rules[10].when: x",
        "budget.host: x",
    ]
    assert caught.value.exit_status == 78


def test_without_problems_nothing_is_raised() -> None:
    """A load without mistakes goes on."""
    Problems().raise_if_any()


def test_known_secrets_are_blotted_out() -> None:
    """Promise 9: a sentence that repeats an adapter's text shows no secret; the longest first."""
    problems = Problems()
    problems.add("channels[0].url", "cannot use abcdefgh12345678")
    with pytest.raises(ConfigError) as caught:
        problems.raise_if_any({"abcdefgh", "abcdefgh12345678", "url"})
    assert caught.value.problems == ["channels[0].url: cannot use ***"]


@pytest.mark.parametrize(
    ("place", "within"),
    [
        ("rules[0]", True),
        ("rules[0].when", True),
        ("rules", True),
        ("rules[0].whe", False),
        ("rules[1]", False),
    ],
)
def test_a_place_contains_what_is_inside_it(place: str, within: bool) -> None:
    """A mistake at a key is a mistake within its table, and not within its neighbours."""
    problems = Problems()
    problems.add("rules[0].when", "x")
    assert problems.within(place) == within


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        ("x" * 50, '"' + "x" * 39 + '…"'),
        (1.5, "1.5"),
        (False, "false"),
        ({"a": 1}, "a table"),
        ([1], "a list"),
        (10**50, "a number of that size"),
        (dt.date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_values_are_shown_as_the_file_has_them(value: object, text: str) -> None:
    """A shown value is short and can be recognised in the file."""
    assert format_value(value) == text


def test_only_close_names_are_suggested() -> None:
    """A guess far from anything known is not answered by another guess."""
    assert did_you_mean("chanels", {"channels", "rules"}) == '; did you mean "channels"?'
    assert did_you_mean("lwo-*", {"low-margin", "rules"}) == '; did you mean "low-*"?'
    assert did_you_mean("xyz", {"channels", "rules"}) == ""
