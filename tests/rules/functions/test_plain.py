"""`abs`, `least`, `greatest`: functions of one instant."""

import pytest

from tests.rules.functions.sliding import worth


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("abs(al_margin)", ["-5.0", "5", "-0", "-1e30"], ["5.0", "5", "0", "1E+30"]),
        ("abs(al_margin / 0)", ["-1"], ["Infinity"]),
        ("least(al_margin, 3, 2 * al_margin)", ["-5", "1", "7"], ["-10", "1", "3"]),
        ("greatest(al_margin, 3)", ["-5", "3.0", "7"], ["3", "3.0", "7"]),
        ("abs(-2 - 3)", ["1"], ["5"]),
    ],
)
def test_c3_plain_functions(text: str, values: list[str], expected: list[str]) -> None:
    """The value at this instant, exact."""
    assert worth(text, *values) == expected


def test_c2_unknown_arguments() -> None:
    """C2: with any argument unknown, the value is."""
    assert worth("least(al_margin, cross_un_pnl)", "1") == [None]
    assert worth("greatest(al_margin, 5)", None, "1") == [None, "5"]
    assert worth("abs(al_margin)", None) == [None]
