"""The rule that is nearest to firing."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.rules.evaluation.evaluator import Evaluator
from daemon.rules.evaluation.nearest import NearestRule, nearest_rule
from daemon.types import Balances, Severity
from tests.values import balances, reading, rule

HERE = replace(balances("499.71964459", al_freeze="150"), al_margin=Decimal(80))


CONDITIONS = (
    "available_margin < 100",
    "not available_margin >= 100",
    "100 < available_margin <= 500",
    "available_margin < 100 and al_freeze > 200",
    "available_margin <= 100 or al_freeze >= 200",
    "not (available_margin >= 100 and (al_freeze <= 200 or available_margin > 700))",
    "freeze_ratio > 80%",
)


def nearest(*conditions: str, at: Balances = HERE, firing: tuple[str, ...] = ()) -> str:
    rules = [rule(f"r{number}", when) for number, when in enumerate(conditions)]
    return str(nearest_rule(rules, at, firing))


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ("available_margin < 100", "nearest rule r0 below 100, 399.72 away"),
        ("100 > available_margin", "nearest rule r0 below 100, 399.72 away"),
        ("not available_margin >= 100", "nearest rule r0 below 100, 399.72 away"),
        ("al_freeze > 200", "nearest rule r0 above 200 (al_freeze 150), 50 away"),
        ("al_freeze + 1 > 2 * 100", "nearest rule r0 above 200 (al_freeze + 1 151), 49 away"),
        ("margin_usage > 80%", "nearest rule r0 above 80% (margin_usage 16.01%), 63.99% away"),
        ("available_margin < 500", "nearest rule r0 below 500, 0.2804 beyond it"),
        ("0 < available_margin < 100", "nearest rule r0 below 100, 399.72 away"),
        (
            "available_margin < 100 and al_freeze > 140",
            "nearest rule r0 below 100, 399.72 away",
        ),
        (
            "available_margin < 100 or al_freeze > 200",
            "nearest rule r0 above 200 (al_freeze 150), 50 away",
        ),
        (
            "not (available_margin >= 100 and al_freeze <= 200)",
            "nearest rule r0 above 200 (al_freeze 150), 50 away",
        ),
        (
            "delta(al_freeze, 10m) > 200 or available_margin < 100",
            "nearest rule r0 below 100, 399.72 away",
        ),
    ],
)
def test_the_distance_is_that_of_a_value_from_a_constant(condition: str, text: str) -> None:
    """Of `or` the nearest part counts, of `and` the farthest."""
    assert nearest(condition) == text


@pytest.mark.parametrize(
    "condition",
    [
        "age > 2m",
        "delta(al_freeze, 10m) > 200",
        "peak(al_freeze) > 200",
        "today(al_freeze) > 200",
        "prev(al_freeze) > 200",
        "available_margin < 15% * available_usdt",
        "al_freeze == 150",
        "cross_un_pnl < -50",
        "available_margin < 0 / 0",
        "al_margin / 0 > 1 / 0",
        "time_to(available_margin, 0, 30m) < 1h",
        "available_margin < 100 and delta(al_freeze, 10m) > 200",
    ],
)
def test_all_else_has_no_distance(condition: str) -> None:
    """Windows, durations, moving or endless limits, equality, and a field that was not sent."""
    assert nearest(condition) == "None"


def test_the_nearest_is_that_with_the_least_share_of_its_way_to_go() -> None:
    """50 of 200 is nearer than 400 of 500, whatever the fields are."""
    conditions = "available_margin < 100", "al_freeze > 200", "available_margin < 50"
    assert nearest(*conditions).startswith("nearest rule r1 ")
    assert nearest("available_margin < 0", "al_margin > 500").startswith("nearest rule r1 ")


def test_a_value_is_never_rounded_to_its_limit() -> None:
    """100.001 would read as 100, which is no better than its limit of 100; ratios likewise."""
    near = replace(HERE, al_margin=Decimal("100.001"))
    assert "(al_margin 100.001)" in nearest("al_margin < 100", at=near)
    usage = replace(HERE, al_margin=Decimal("79.99999"), available_margin=Decimal(100))
    told = nearest("margin_usage > 80%", at=usage)
    assert "above 80% (margin_usage 79.99999%)" in told


def test_rules_that_fire_come_first_by_severity() -> None:
    """Also where the value is above the limit again, and another rule is nearer to firing."""
    conditions = "available_margin < 100", "al_freeze > 200", "available_margin < 50"
    assert nearest(*conditions, firing=("r2",)) == "r2 below 50 fires"
    assert nearest(*conditions, firing=("r0", "r1")) == "r1 above 200 (al_freeze 150) fires"
    rules = [
        rule("low", "available_margin < 100"),
        rule("gone", "available_margin < 50", severity=Severity.CRITICAL),
    ]
    found = nearest_rule(rules, HERE, {"low", "gone"})
    assert found is not None
    assert found.rule == "gone"


def test_values_keep_their_digits_for_programs() -> None:
    """Two places are for people."""
    found = nearest_rule([rule("low", "available_margin < 100")], HERE, ())
    assert isinstance(found, NearestRule)
    assert (found.distance.value, found.distance.left) == (
        Decimal("499.71964459"),
        Decimal("399.71964459"),
    )


AMOUNTS = st.decimals(0, 1_000, places=2)


@given(AMOUNTS, AMOUNTS, st.sampled_from(CONDITIONS))
def test_the_distance_agrees_with_the_verdict(
    margin: Decimal, freeze: Decimal, condition: str
) -> None:
    """It is negative only where the condition holds, and positive only where it does not."""
    at, low = reading(1, available_margin=str(margin), al_freeze=str(freeze)), rule(when=condition)
    found = nearest_rule([low], at.balances, ())
    verdict = Evaluator([low]).read(at)["low"].when
    assert found is not None
    assert found.distance.left <= 0 if verdict else found.distance.left >= 0


def test_what_is_infinite_is_far_beyond() -> None:
    """C4: the margin is gone, so its usage has no end."""
    broke = replace(balances("0"), al_margin=Decimal(80))
    assert nearest("margin_usage > 80%", at=broke) == (
        "nearest rule r0 above 80% (margin_usage ∞), ∞ beyond it"
    )
