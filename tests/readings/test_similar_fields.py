"""The field that is suggested for a name that no field has."""

import pytest

from daemon.readings.fields import AGE, NAMES, VALUES, exchange_spelling, find_field
from daemon.readings.similar_fields import similar_field


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("margin", "balance", "available", "free", "Margin", "free_balance"), "available_margin"),
        (("accountBalance", "avaliable_margin", "availableMargni"), "available_margin"),
        (("usdt", "USDT", "availble_usdt"), "available_usdt"),
        (("coupons", "gold", "megaCoupon", "almighty"), "almighty_gold"),
        (("position", "positions", "used_margin", "hold", "alMargn"), "al_margin"),
        (("frozen", "freeze", "openOrders", "locked", "al_frezze"), "al_freeze"),
        (("pnl", "unrealized_pnl", "uPnl", "cross_pnl"), "cross_un_pnl"),
        (("Equity", "equty", "total", "totalBalance"), "equity"),
        (("usage", "MARGIN_USAGE", "marginUse"), "margin_usage"),
        (("free_margn", "FreeMargin"), "free_margin"),
        (("Age", "ages"), AGE),
        (("xyz", "", "___", "x" * 1_000, "clock_skew", "ß"), None),
    ],
)
def test_suggested(words: tuple[str, ...], field: str | None) -> None:
    """Words that people use, typing errors and other spellings, each with our name of the field."""
    assert {word: similar_field(word) for word in words} == dict.fromkeys(words, field)


def test_only_fields_that_are_asked_for_are_suggested() -> None:
    """A picture has no `age`, and a series only what the exchange sends."""
    assert similar_field("ages", VALUES) is None
    assert similar_field("total", ("al_margin",)) is None


@pytest.mark.parametrize("name", NAMES)
def test_any_spelling_leads_to_the_field(name: str) -> None:
    """Capitals and hyphens are no names, and lead to the name."""
    for word in (name.upper(), name.replace("_", "-"), exchange_spelling(name).upper()):
        assert (find_field(word) in {None, name}, similar_field(word)) == (True, name)
