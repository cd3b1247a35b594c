"""Simulated balances: the JSON tokens that go over the wire, digit for digit.

Writes the two forms in which CoinW sends balances: the answer of getUserAssets and the `assets`
push. It does not compute with the numbers, and knows no time and no connection.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TypeAlias

from daemon.types import Balances, Millis

Fields: TypeAlias = Mapping[str, str]
"""JSON tokens by the exchange's field names."""

UNIT = 100_000_000
"""Generated amounts are whole multiples of a hundred-millionth USDT."""


@dataclass(frozen=True, slots=True)
class SimulatedBalances:
    """Balances in USDT as JSON tokens: `0`, `0.0`, `499.71964459000003`, or quoted text (`"12.5"`).

    Raises ValueError for a token that is no JSON number, so a mistyped test fails where it was
    written.
    """

    available_margin: str = "0.0"
    available_usdt: str = "0"
    almighty_gold: str = "0.0"
    al_margin: str = "0"
    al_freeze: str = "0"
    cross_un_pnl: str | None = None
    """Not on the official page, but seen live by one client; sent only if set."""

    def __post_init__(self) -> None:
        for name, token in asdict(self).items():
            if token is not None and not _is_number(token):
                raise ValueError(
                    f"{name} is {token!r}, which is no JSON number; write it like 12.5 or 0.0."
                )

    def balances(self) -> Balances:
        """The same numbers as exact values, to compare with the daemon's record."""
        values = {
            name: token_value(token) for name, token in asdict(self).items() if token is not None
        }
        return Balances(**values)


def token_value(token: str) -> Decimal:
    """The exact value of a JSON token, quoted or not."""
    return Decimal(token.strip('"'))


def _is_number(token: str) -> bool:
    try:
        value = json.loads(token.strip('"'), parse_float=Decimal, parse_constant=str)
    except ValueError:
        return False
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def make_balances(usdt: int, gold: int, margin: int, freeze: int) -> SimulatedBalances:
    """Build balances from amounts in `UNIT`s, with the number formats the exchange mixes.

    The sum is computed with floats, because tails such as 62.719644589999994 come from there.
    """
    return SimulatedBalances(
        available_margin=repr(usdt / UNIT + gold / UNIT),
        available_usdt=_token(usdt, zero="0"),
        almighty_gold=_token(gold, zero="0.0"),
        al_margin=_token(margin, zero="0.0"),
        al_freeze=_token(freeze, zero="0"),
    )


def _token(amount: int, zero: str) -> str:
    return f"{Decimal(amount) / UNIT:f}" if amount else zero


def rest_fields(shown: SimulatedBalances, time: Millis, user_id: str) -> dict[str, str]:
    """The object `data` of getUserAssets; fields in the order of the official sample."""
    fields = {
        "alFreeze": shown.al_freeze,
        "alMargin": shown.al_margin,
        "almightyGold": shown.almighty_gold,
        "availableMargin": shown.available_margin,
        "availableUsdt": shown.available_usdt,
        "time": str(time),
        "userId": user_id,
    }
    return fields if shown.cross_un_pnl is None else {**fields, "crossUnPnl": shown.cross_un_pnl}


def push_frame(shown: SimulatedBalances, user_id: str) -> str:
    """An `assets` push as in the official sample: each entry twice, no time, `pairCode` USDT."""
    entry = render(
        {
            "margin": shown.al_margin,
            "profitUnreal": "0",
            "freeze": shown.al_freeze,
            "size": "0",
            "available": shown.available_usdt,
            "currency": '"usdt"',
            "type": "7",
            "almightyGold": shown.almighty_gold,
            "transferAvailable": shown.available_usdt,
            "userId": user_id,
            "availableMargin": shown.available_margin,
            "hold": "0.0",
        }
    )
    return f'{{"biz":"futures","pairCode":"USDT","data":[{entry},{entry}],"type":"assets"}}'


def render(fields: Fields) -> str:
    """A JSON object; tokens are written as they are."""
    pairs = (f'"{name}":{token}' for name, token in fields.items())
    return "{" + ",".join(pairs) + "}"
