"""Fields of a reading and derived fields: their names, and their values in given balances.

A field that was not sent is unknown, never zero (promise 5), and so are the fields derived from it.
`age` has a name here but no value: it depends on the time of the question.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import attrgetter
from types import MappingProxyType
from typing import TypeAlias

from daemon.readings.exact import known, share, subtracted, total
from daemon.types import Balances

Value: TypeAlias = Callable[[Balances], Decimal | None]

SENT = (
    "available_margin",
    "available_usdt",
    "almighty_gold",
    "al_margin",
    "al_freeze",
    "cross_un_pnl",
)
"""Fields that the exchange sends, in USDT; it leaves the last one out at times."""

CORE = SENT[:5]
"""Five fields that every complete reading has."""

AGE = "age"
"""Time since the last judged reading: the only field that is a duration."""


def _sent(name: str) -> Value:
    get: Value = attrgetter(name)

    def value(balances: Balances) -> Decimal | None:
        return known(get(balances))

    return value


def _derived(name: str, combine: Callable[[Decimal, Decimal], Decimal | None]) -> Value:
    left, right = map(_sent, MADE_OF[name])

    def value(balances: Balances) -> Decimal | None:
        first, second = left(balances), right(balances)
        return None if first is None or second is None else combine(first, second)

    return value


def _total(name: str) -> Value:
    parts = [_sent(part) for part in MADE_OF[name]]

    def value(balances: Balances) -> Decimal | None:
        known_parts = [part for each in parts if (part := each(balances)) is not None]
        return total(known_parts) if len(known_parts) == len(parts) else None

    return value


FREE_MARGIN = "free_margin"
EQUITY = "equity"

DERIVED_AMOUNTS = (FREE_MARGIN, EQUITY)
"""Derived fields that are amounts."""

MADE_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        FREE_MARGIN: ("available_margin", "al_margin"),
        EQUITY: ("available_usdt", "al_margin", "al_freeze"),
        "margin_usage": ("al_margin", "available_margin"),
        "freeze_ratio": ("al_freeze", "available_margin"),
    },
)
"""Sent fields that each derived field is made of."""

RATIOS = frozenset({"margin_usage", "freeze_ratio"})
"""Derived fields that are ratios."""

VALUES: Mapping[str, Value] = MappingProxyType(
    {name: _sent(name) for name in SENT}
    | {
        # A cautious estimate: the exchange's page says that available_margin includes al_margin,
        # its samples leave it open. Messages that use it say so.
        FREE_MARGIN: _derived(FREE_MARGIN, subtracted),
        # Coupons are left out: they expire. No page says whether available_usdt already contains
        # al_margin or al_freeze (fact sheet 6), so this is an estimate too.
        EQUITY: _total(EQUITY),
        "margin_usage": _derived("margin_usage", share),
        "freeze_ratio": _derived("freeze_ratio", share),
    },
)
"""Value of each field in given balances; None is unknown."""

NAMES = (*VALUES, AGE)
"""All fields that a rule can name."""

ESTIMATES: Mapping[str, str] = MappingProxyType(
    {
        FREE_MARGIN: "a cautious estimate: available_margin less al_margin",
        EQUITY: (
            "an estimate: available_usdt, al_margin and al_freeze added up, in case none of them"
            " contains another"
        ),
    },
)
"""What messages say about a derived amount that the exchange does not send."""

WORSE_WHEN_HIGH = frozenset({"al_margin", "al_freeze", "margin_usage", "freeze_ratio", AGE})
"""Fields for which more is worse; for the others, less is worse."""

SIGNS: Mapping[str, bool] = MappingProxyType(
    {
        "exchange_unchanged": True,
        "clock_skew": True,
        "rule_unknown": True,
        "key_refused": False,
        "rate_limited": False,
        "answers_unusable": False,
        "account_not_judged": True,
        "channel_failing": True,
        "clock_step": True,
        "database_failing": True,
        "disk_free": False,
        "push_contradicted": False,
    },
)
"""Signals that only system rules can name (SEMANTICS D7), and whether each is a duration."""


def exchange_spelling(name: str) -> str:
    """Name in the exchange's spelling: `available_margin` is `availableMargin`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


_BY_SPELLING: Mapping[str, str] = MappingProxyType(
    {exchange_spelling(name): name for name in NAMES} | {name: name for name in NAMES}
)

SPELLINGS = tuple(_BY_SPELLING)
"""All names that people may write for a field."""


def find_field(word: str) -> str | None:
    """Field that `word` names, in either spelling; None if there is none."""
    return _BY_SPELLING.get(word)
