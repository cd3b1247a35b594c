"""Simulated balances: tokens, exact values, and the two forms on the wire."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.simulator.balances import (
    UNIT,
    SimulatedBalances,
    make_balances,
    push_frame,
    rest_fields,
    token_value,
)
from daemon.types import Balances

AMOUNTS = st.integers(min_value=0, max_value=10**6 * UNIT)


def test_tokens_are_values_digit_for_digit() -> None:
    """Quoted or not, a token is the exact number that it spells."""
    shown = SimulatedBalances(
        "996660.6064387699998485", "996660.6064387699998485", "0.0", '"10000"', "0"
    )
    told = Decimal("996660.6064387699998485")
    assert Balances(told, told, Decimal(0), Decimal(10000), Decimal(0)) == shown.balances()


@pytest.mark.parametrize("token", ["", "n/a", ".5", "NaN", '"Infinity"', "true", "null", "[1]"])
def test_what_is_no_number_is_refused_where_it_is_written(token: str) -> None:
    """A mistyped balance fails in the test that wrote it, with the field's name."""
    with pytest.raises(ValueError, match="al_margin"):
        SimulatedBalances(al_margin=token)


def test_rest_fields_are_those_of_the_official_sample() -> None:
    """Names and order are the sample's; crossUnPnl is sent only when set."""
    names = [
        "alFreeze",
        "alMargin",
        "almightyGold",
        "availableMargin",
        "availableUsdt",
        "time",
        "userId",
    ]
    assert names == list(rest_fields(SimulatedBalances(), 1, "2"))
    assert [*names, "crossUnPnl"] == list(
        rest_fields(SimulatedBalances(cross_un_pnl="-1.5"), 1, "2")
    )


def test_push_is_the_official_sample() -> None:
    """The sample push comes out byte for byte, but for white space."""
    entry = (
        '{"margin":0.0,"profitUnreal":0,"freeze":0.0,"size":0,"available":488.53777423,"currency":"usdt","type":7,'
        '"almightyGold":0,"transferAvailable":488.53777423,"userId":1162061,"availableMargin":488.53777423,"hold":0.0}'
    )
    expected = f'{{"biz":"futures","pairCode":"USDT","data":[{entry},{entry}],"type":"assets"}}'
    assert expected == push_frame(
        SimulatedBalances("488.53777423", "488.53777423", "0", "0.0", "0.0"), "1162061"
    )


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_generated_amounts_are_exact_and_add_up(
    usdt: int, gold: int, margin: int, freeze: int
) -> None:
    """Generated fields keep all digits, and available_margin is their sum within float noise."""
    shown = make_balances(usdt, gold, margin, freeze)
    tokens = (shown.available_usdt, shown.almighty_gold, shown.al_margin, shown.al_freeze)
    assert [int(token_value(token) * UNIT) for token in tokens] == [usdt, gold, margin, freeze]
    assert all(token_value(token) * UNIT % 1 == 0 for token in tokens)
    assert abs(token_value(shown.available_margin) * UNIT - usdt - gold) < 1


def test_a_float_tail_as_the_exchange_has_sent_one() -> None:
    """Sixteen digits come from adding floats, and zeros are told in two ways."""
    assert make_balances(5_807_556_766, 464_407_693, 0, 0) == SimulatedBalances(
        "62.719644589999994", "58.07556766", "4.64407693", "0.0", "0"
    )


def test_all_tokens_are_json() -> None:
    """Rendered JSON parses."""
    assert json.loads(push_frame(make_balances(1, 0, 0, 1), "7"))["data"][0]["userId"] == 7
