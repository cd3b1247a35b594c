"""The search for a value at which a rule would both fire and clear."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.config.checks import overlap as contradiction
from daemon.rules.language.parse import parse_condition


@pytest.mark.parametrize(
    ("when", "clear_when", "found"),
    [
        ("available_margin < 100", "available_margin > 90", "available_margin = 95"),
        ("available_margin < 100", "available_margin < 120", "available_margin = 90"),
        ("availableMargin < 100", "available_margin < 100", "available_margin = 90"),
        ("available_margin <= 100", "available_margin >= 100", "available_margin = 100"),
        ("available_margin < -100", "available_margin > -120", "available_margin = -110"),
        ("margin_usage > 80%", "margin_usage > 0.5", "margin_usage = 0.88"),
        ("al_freeze > 0", "al_freeze != 5", "al_freeze = 2.5"),
        ("2 * al_freeze > 200", "al_freeze < 100 or al_freeze > 500", "al_freeze = 550"),
        ("al_freeze > 100 * 2", "al_freeze < 300", "al_freeze = 250"),
        ("not age < 2m", "age < 3m", "age = 2m"),
        ("50 < al_margin < 100", "al_margin < 60", "al_margin = 55"),
        ("available_margin < 100", "available_margin > 120", None),
        ("available_margin < 100", "available_margin >= 100", None),
        ("age > 2m", "age < 1m", None),
        ("age < 0s", "age < 1m", None),
        ("al_freeze == 0 / 0", "al_freeze == 0 / 0", None),
        ("al_freeze < 1 / 0", "al_freeze > 5", "al_freeze = 5.5"),
    ],
)
def test_a_value_where_both_are_true_is_named(
    when: str, clear_when: str, found: str | None
) -> None:
    """Looked for at the numbers of both conditions, between them and beside them."""
    assert contradiction.example(parse_condition(when), parse_condition(clear_when)) == found


@pytest.mark.parametrize(
    ("when", "clear_when"),
    [
        ("available_margin < 100", "al_freeze < 1"),
        ("available_margin < 100", "available_margin < 200 and al_freeze < 1"),
        ("available_margin < 100 and al_freeze > 1", "available_margin < 200"),
        ("delta(al_freeze, 10m) > 200", "al_freeze < 150"),
        ("al_freeze > 200", "abs(al_freeze) > 100"),
        ("1 < 2", "1 < 2"),
    ],
)
def test_it_applies_to_one_plain_field_alone(when: str, clear_when: str) -> None:
    """With windows, or with several fields, no single value says whether both are true."""
    assert contradiction.example(parse_condition(when), parse_condition(clear_when)) is None


levels = st.decimals(-1_000, 1_000, allow_nan=False, places=2)
HOLDS = {
    "<": lambda value, level: value < level,
    "<=": lambda value, level: value <= level,
    ">": lambda value, level: value > level,
    ">=": lambda value, level: value >= level,
    "==": lambda value, level: value == level,
}


@given(st.sampled_from(sorted(HOLDS)), levels, st.sampled_from(sorted(HOLDS)), levels)
@example("<", Decimal(0), ">", Decimal("-0.01"))
def test_thresholds_are_decided_exactly(
    fires: str, one: Decimal, clears: str, other: Decimal
) -> None:
    """Every overlap of two thresholds is found, and every found one is real."""
    found = contradiction.example(
        parse_condition(f"al_freeze {fires} {one}"), parse_condition(f"al_freeze {clears} {other}")
    )
    beside = [level + step for level in (one, other) for step in (-5_000, 0, 5_000)]
    overlap = [
        value
        for value in (*beside, (one + other) / 2)
        if HOLDS[fires](value, one) and HOLDS[clears](value, other)
    ]
    assert (found is not None) == bool(overlap)
    if found is not None:
        value = Decimal(found.removeprefix("al_freeze = "))
        assert HOLDS[fires](value, one)
        assert HOLDS[clears](value, other)
