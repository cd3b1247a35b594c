"""Converts readings, alerts and facts to rows and back, exactly.

Pure: it knows the columns, no connection.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from operator import attrgetter
from types import NoneType
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Row

from daemon.store.columns import clean, inexact
from daemon.store.database.corruption import CAUSES, Damaged, at_row
from daemon.types import LATEST, Alert, Balances, Quality, Reading, Source, Unconfirmed

FIELDS = (
    "available_margin",
    "available_usdt",
    "almighty_gold",
    "al_margin",
    "al_freeze",
    "cross_un_pnl",
)
_amounts = attrgetter(*FIELDS)

MOST_DIGITS = 80
"""Most characters of an amount's text: no exchange sends a longer one."""

MOST_EXPONENT = 1_000_000
"""Largest exponent of a transition's value; arithmetic on readings stays below (`exact`)."""

_MOST = Decimal("1e24")
_MOST_PLACES = 40
"""The limit of amounts and of their places; marginwatch never wrote any beyond."""

_MOST_POWER = 1_000
"""Limit of powers of ten and of digits; numbers of alerts and messages stay below."""

AMOUNTS: frozenset[type] = frozenset({Decimal, NoneType})
INSTANTS: frozenset[type] = frozenset({int})

T = TypeVar("T")


def plain(value: object) -> Any:
    """A value for JSON, with decimals as strings."""
    return msgspec.to_builtins(value, enc_hook=str)


def typed(kind: type[T], value: object) -> T:
    """The value that `plain` was given; raises ValueError for a number too large to use."""
    found = msgspec.convert(value, kind)
    if _may_hold_huge(value):
        _must_be_sizeable(found)
    return found


_HUGE = re.compile(r"[-+]?[0-9.]*[eE][-+]?[0-9]{4,}")


def _may_hold_huge(value: object) -> bool:
    """Whether a text may hold an implausibly large number; a quick look, as nearly none does."""
    if isinstance(value, str):
        return len(value) >= _MOST_POWER or _HUGE.fullmatch(value) is not None
    if isinstance(value, dict):
        return any(map(_may_hold_huge, value.values()))
    if isinstance(value, list):
        return any(map(_may_hold_huge, value))
    return isinstance(value, Decimal)


def _must_be_sizeable(value: object) -> None:
    """Check numbers only: an account may be called 1E2024."""
    if isinstance(value, Decimal):
        if (
            value.is_finite()
            and max(abs(value.adjusted()), len(value.as_tuple().digits)) >= _MOST_POWER
        ):
            raise ValueError("a number of another size")
    elif isinstance(value, Mapping):
        for each in value.values():
            _must_be_sizeable(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _must_be_sizeable(each)
    elif is_dataclass(value):
        for each in fields(value):
            _must_be_sizeable(getattr(value, each.name))


def snapshot(reading: Reading | Unconfirmed) -> dict[str, object]:
    """The columns of a reading, without its account."""
    if isinstance(reading, Unconfirmed):
        judged = replace(
            reading.reading, seq=reading.seq, at=reading.at, quality=Quality.UNCONFIRMED
        )
        return snapshot(judged)
    amounts = dict(zip(FIELDS, _amounts(reading.balances), strict=True))
    return {
        "seq": reading.seq,
        "at": reading.at,
        "exchange_at": reading.exchange_at,
        "source": reading.source.value,
        "quality": reading.quality.value,
        **amounts,
        "extra": _extra(reading.extra, amounts),
    }


def _extra(
    unknown: Mapping[str, object], amounts: Mapping[str, Decimal | None]
) -> dict[str, object] | None:
    """Unknown fields, renamed so that they cannot collide with ours, and exact digits."""
    extra = {
        f"{name}_" if name.rstrip("_") in FIELDS else clean(name): plain(value)
        for name, value in unknown.items()
    }
    exact = {
        name: str(value) for name, value in amounts.items() if value is not None and inexact(value)
    }
    return extra | exact or None


def reading(row: Row[Any]) -> Reading:
    """A reading from a row of `snapshots`; if unconfirmed, with its judged values and instant."""
    try:
        return _reading(row)
    except CAUSES as error:
        raise Damaged("snapshots", row.seq, row.account_id) from error


def _reading(row: Row[Any]) -> Reading:
    extra: dict[str, Any] = row.extra or {}
    amounts = {
        name: digits(extra[name]) if name in extra else getattr(row, name) for name in FIELDS
    }
    unknown = {theirs(name): value for name, value in extra.items() if name not in FIELDS}
    check(AMOUNTS, amounts.values())
    if not all(value is None or plausible(value) for value in amounts.values()):
        raise ValueError("an amount of another size")
    check_instants(row.at, row.exchange_at or 0)
    balances = Balances(**amounts)
    return Reading(
        row.seq,
        row.at,
        Source(row.source),
        Quality(row.quality),
        row.exchange_at,
        balances,
        unknown,
    )


def digits(text: object) -> Decimal:
    """An amount from its digits; raises ValueError for a text that no version has written."""
    if (
        not isinstance(text, str)
        or len(text) > MOST_DIGITS
        or not plausible(value := Decimal(text))
    ):
        raise ValueError("no digits of an amount")
    return value


def plausible(value: Decimal) -> bool:
    """Whether an amount is of a recordable size; others would need gigabytes to show or sum."""
    if value.is_nan():
        return True  # unknown, and judged as such
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= _MOST_PLACES and value.copy_abs() < _MOST


def check(kinds: frozenset[type], values: Iterable[object]) -> None:
    """Raise TypeError when a column holds a value of another type: SQLite keeps any value."""
    if not kinds.issuperset(map(type, values)):
        raise TypeError("a value of another type")


def check_instants(*values: Any) -> None:
    """Raise TypeError for values that are no instants, ValueError for those beyond the calendar."""
    check(INSTANTS, values)
    if max(values) > LATEST:
        raise ValueError("a time that is out of range")


def theirs(name: str) -> str:
    """The original name of an unknown field, which `extra` may hold renamed."""
    return name[:-1] if name.rstrip("_") in FIELDS else name


def value_columns(value: Decimal | None) -> dict[str, object]:
    """The columns `value` and `exact` of a transition."""
    return {"value": value, "exact": str(value) if value is not None and inexact(value) else None}


def value_of(row: Row[Any]) -> Decimal | None:
    """The exact value of a row of `transitions`."""
    with at_row("transitions", row.id):
        value: Decimal | None = row.value if row.exact is None else Decimal(row.exact)
        check(AMOUNTS, (value,))
        if value is not None and abs(value.adjusted()) > MOST_EXPONENT:
            raise ValueError("a value of another size")
        return value


def alert_of(row: Row[Any] | Row[Any, Any]) -> Alert:
    """The alert of a row with the `id` and the `data` of `alerts`."""
    with at_row("alerts", row.id):
        return typed(Alert, row.data)
