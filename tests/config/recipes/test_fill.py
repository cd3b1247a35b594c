"""Placeholders of a recipe, and the limits that it takes."""

import tomllib
from decimal import Decimal

import pytest

from daemon.config.problems import MistakeError
from daemon.config.recipes import Filling, Recipe, case_tables, parse_limit, rule_tables

AMOUNT = Recipe(
    name="low",
    group="Margin",
    need="It is low.",
    rule="""
[[mutes]]
name = "${name}-night"

[[rules]]
name = "${name}"
when = "x < ${limit} - ${1.2 * limit}"
""",
    test="""
[[tests]]
name = "${name}: fires"
series.available_margin = "${5 * limit + 1} ${1000 - 10 * limit - 0.5}"
""",
    limit="100",
)
SHARE = Recipe("share", "Margin", "It is much.", 'when = "x > ${limit}%"', "", "20%")
FIXED = Recipe("fixed", "Margin", "It is so.", "", "")


def test_name_and_limit_are_filled_in_and_computed() -> None:
    """Sums of products, exact and without an exponent; the need stands above as a comment."""
    filling = Filling("my low", Decimal("2.50"))
    assert rule_tables(AMOUNT, filling) == (
        "# It is low.\n"
        '[[mutes]]\nname = "my low-night"\n\n'
        '[[rules]]\nname = "my low"\nwhen = "x < 2.5 - 3"\n'
    )
    (case,) = tomllib.loads(case_tables(AMOUNT, filling))["tests"]
    assert case == {"name": "my low: fires", "series": {"available_margin": "13.5 974.5"}}


def test_a_share_is_counted_in_points() -> None:
    """`${limit}%` is written as the person wrote it."""
    assert 'when = "x > 12.5%"' in rule_tables(SHARE, Filling("a", parse_limit(SHARE, "12.5%")))


def test_accounts_and_channels_are_keys_of_the_rule_alone() -> None:
    """A mute window beside the rule has no such keys."""
    tables = tomllib.loads(
        rule_tables(AMOUNT, Filling("a", Decimal(1), ("grid-*", 'a"b'), ("hook",)))
    )
    assert tables["mutes"] == [{"name": "a-night"}]
    assert tables["rules"][0]["accounts"] == ["grid-*", 'a"b']
    assert tables["rules"][0]["channels"] == ["hook"]


def test_a_rule_escalates_to_the_channel_that_is_named() -> None:
    """After a quarter of an hour; the test may name the channel, too."""
    filling = Filling("a", Decimal(1), channels=("hook",), escalate_to='my "call"')
    (rule,) = tomllib.loads(rule_tables(AMOUNT, filling))["rules"]
    assert rule["escalate"] == [{"after": "15m", "channels": ['my "call"']}]
    calling = Recipe("call", "Margin", "It calls.", "", 'told = "${call}: ${name}"')
    assert case_tables(calling, Filling("a", escalate_to="ring")) == 'told = "ring: a"'


def test_a_test_is_played_on_an_account_that_the_rule_watches() -> None:
    """The series moves from the default account to the one that is named."""
    filling = Filling("a", Decimal(1), ("grid-*",), played_on="grid 1")
    (case,) = tomllib.loads(case_tables(AMOUNT, filling))["tests"]
    assert case["accounts"] == {"grid 1": {"available_margin": "6 989.5"}}
    assert "series" not in case


@pytest.mark.parametrize(
    ("recipe", "written", "expected"),
    [
        (AMOUNT, None, "100"),
        (AMOUNT, " 0.00000001 ", "0.00000001"),
        (AMOUNT, "999999999999.99999999", "999999999999.99999999"),
        (SHARE, None, "20"),
        (SHARE, "99.9%", "99.9"),
        (FIXED, None, "0"),
    ],
)
def test_a_limit_is_the_one_that_was_written(
    recipe: Recipe, written: str | None, expected: str
) -> None:
    """Without one the default of the recipe."""
    assert parse_limit(recipe, written) == Decimal(expected)


@pytest.mark.parametrize(
    ("recipe", "written", "sentence"),
    [
        (FIXED, "5", "cannot be chosen: fixed has none"),
        (AMOUNT, "5%", 'must be an amount in USDT such as 100, not "5%"'),
        (SHARE, "5", 'must be a percentage such as 20%, not "5"'),
        (AMOUNT, "0", "must be above 0 and below 1000000000000, with at most 8 decimal places"),
        (AMOUNT, "-5", "must be above 0"),
        (AMOUNT, "1e3", "must be above 0"),
        (AMOUNT, "NaN", "must be above 0"),
        (AMOUNT, "٣", "must be above 0"),
        (AMOUNT, "1000000000000", "must be above 0"),
        (AMOUNT, "1.123456789", "must be above 0"),
        (SHARE, "100%", "must be above 0 and below 100%"),
        (SHARE, "%", "must be above 0"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(recipe: Recipe, written: str, sentence: str) -> None:
    """The sentence says what would be right."""
    with pytest.raises(MistakeError) as caught:
        parse_limit(recipe, written)
    assert str(caught.value).startswith(sentence)
