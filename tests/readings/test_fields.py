"""Fields: names in both spellings, and derived values."""

from dataclasses import fields
from decimal import Decimal

import pytest

from daemon.readings.fields import (
    AGE,
    CORE,
    NAMES,
    SENT,
    SPELLINGS,
    VALUES,
    exchange_spelling,
    find_field,
)
from daemon.types import Balances

GIVEN = Balances(
    available_margin=Decimal(400),
    available_usdt=Decimal(380),
    almighty_gold=Decimal(20),
    al_margin=Decimal(100),
    al_freeze=Decimal(20),
)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("available_margin", "available_margin"),
        ("availableMargin", "available_margin"),
        ("availableUsdt", "available_usdt"),
        ("almightyGold", "almighty_gold"),
        ("alMargin", "al_margin"),
        ("alFreeze", "al_freeze"),
        ("crossUnPnl", "cross_un_pnl"),
        ("freezeRatio", "freeze_ratio"),
        ("age", "age"),
        ("Available_Margin", None),
        ("balance", None),
        ("", None),
    ],
)
def test_named(word: str, expected: str | None) -> None:
    """DESIGN 2: the exchange's spelling of a field names it as well as ours; nothing else does."""
    assert find_field(word) == expected


def test_spellings() -> None:
    """Every field can be named in both spellings."""
    assert set(SPELLINGS) == {*NAMES, *map(exchange_spelling, NAMES)}


def test_sent_fields_are_those_of_a_reading() -> None:
    """The fields that are sent are those that balances hold, the five of every reading first."""
    assert tuple(field.name for field in fields(Balances)) == SENT
    assert (*CORE, "cross_un_pnl") == SENT


def test_age_has_no_value_in_balances() -> None:
    """`age` is a name only: it depends on when one asks."""
    assert set(NAMES) - set(VALUES) == {AGE}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("available_margin", "400"),
        ("free_margin", "300"),
        ("equity", "500"),
        ("margin_usage", "0.25"),
        ("freeze_ratio", "0.05"),
    ],
)
def test_values(name: str, expected: str) -> None:
    """DESIGN 2: the fields sent and those derived from them."""
    assert VALUES[name](GIVEN) == Decimal(expected)


@pytest.mark.parametrize("name", VALUES)
def test_missing_is_unknown(name: str) -> None:
    """Promise 5: a field that was not sent is unknown, and what is derived from it too."""
    assert VALUES[name](Balances()) is None


@pytest.mark.parametrize("name", ["free_margin", "equity", "margin_usage", "freeze_ratio"])
@pytest.mark.parametrize(
    "given",
    [Balances(available_margin=Decimal(1)), Balances(al_margin=Decimal(1), al_freeze=Decimal(1))],
)
def test_half_known_is_unknown(name: str, given: Balances) -> None:
    """Promise 5: one missing side makes a derived field unknown."""
    assert VALUES[name](given) is None


def test_equity_is_rounded_once() -> None:
    """Promise 7: a sum of three amounts is rounded once, not after the first two."""
    parts = ("1", "0.5e-27", "0.5e-27")
    available, bound, frozen = map(Decimal, parts)
    given = Balances(available_usdt=available, al_margin=bound, al_freeze=frozen)
    assert VALUES["equity"](given) == Decimal("1.000000000000000000000000001")


@pytest.mark.parametrize(("frozen", "expected"), [("5", "Infinity"), ("0", "0")])
def test_ratios_of_nothing(frozen: str, expected: str) -> None:
    """C4: anything of nothing is infinite, nothing of nothing is 0."""
    given = Balances(
        available_margin=Decimal(0), al_margin=Decimal(frozen), al_freeze=Decimal(frozen)
    )
    assert [VALUES[name](given) for name in ("margin_usage", "freeze_ratio")] == [
        Decimal(expected)
    ] * 2


def test_not_a_number_is_unknown() -> None:
    """A value that is no number is unknown, in derived fields too."""
    given = Balances(available_margin=Decimal("NaN"), al_margin=Decimal(1))
    assert [
        VALUES[name](given) for name in ("available_margin", "free_margin", "margin_usage")
    ] == [None] * 3
