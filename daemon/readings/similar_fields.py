"""The field that a person probably means by a name that no field has. Pure."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from daemon.readings.fields import EQUITY, NAMES

_LONGEST = 40
"""Characters of a word that are compared."""

_USUAL_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # availableMargin is the "available margin balance" of the exchange's page.
        "available_margin": (
            *("margin", "balance", "available", "free"),
            *("margin balance", "available balance", "free balance", "account balance"),
        ),
        "available_usdt": ("usdt", "usdt balance"),
        # "Available mega coupon balance"; clients call it gold.
        "almighty_gold": ("coupon", "coupons", "mega coupon", "mega coupons", "gold"),
        # "Holding assets (for filled orders)".
        "al_margin": ("position", "positions", "holding", "hold", "used", "used margin"),
        # "Frozen assets (for unfilled orders)".
        "al_freeze": ("frozen", "freeze", "orders", "open orders", "locked"),
        "cross_un_pnl": ("pnl", "upnl", "unrealized pnl", "unrealised pnl", "profit"),
        EQUITY: ("total", "total balance"),
        "margin_usage": ("usage",),
    },
)
"""Words that people use for a field, after the exchange's own descriptions."""


def similar_field(word: str, fields: Collection[str] = NAMES) -> str | None:
    """The field probably meant by `word`, as the documentation spells it; None if none is near."""
    plain = _plain(word[:_LONGEST])
    usual = {
        _plain(each): name
        for name, words in _USUAL_WORDS.items()
        for each in words
        if name in fields
    }
    if plain in usual:
        return usual[plain]
    spelled = {_plain(name): name for name in fields}
    near = get_close_matches(plain, spelled, n=1)
    return spelled[near[0]] if near else None


def _plain(word: str) -> str:
    """The word without what differs between spellings: capitals, blanks, lines and hyphens."""
    return "".join(character for character in word.casefold() if character.isalnum())
