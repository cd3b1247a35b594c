"""Between values and rows: readings, alerts and facts as they lie in the tables, and back, exactly.

Pure: it knows the columns, no connection.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Row

from daemon.store.columns import clean, inexact
from daemon.types import Balances, Quality, Reading, Source, Unconfirmed

FIELDS = ("available_margin", "available_usdt", "almighty_gold", "al_margin", "al_freeze", "cross_un_pnl")
_amounts = attrgetter(*FIELDS)

T = TypeVar("T")


def plain(value: object) -> Any:
    """A value as JSON takes it, decimals as strings."""
    return msgspec.to_builtins(value, enc_hook=str)


def typed(kind: type[T], value: object) -> T:
    """The value that `plain` was given."""
    return msgspec.convert(value, kind)


def snapshot(reading: Reading | Unconfirmed) -> dict[str, object]:
    """The columns of a reading, but for its account."""
    if isinstance(reading, Unconfirmed):
        judged = replace(reading.reading, seq=reading.seq, at=reading.at, quality=Quality.UNCONFIRMED)
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


def _extra(unknown: Mapping[str, object], amounts: Mapping[str, Decimal | None]) -> dict[str, object] | None:
    """Unknown fields under their own names, made unlike ours; exact digits under ours."""
    extra = {f"{name}_" if name.rstrip("_") in FIELDS else clean(name): plain(value) for name, value in unknown.items()}
    exact = {name: str(value) for name, value in amounts.items() if value is not None and inexact(value)}
    return extra | exact or None


def reading(row: Row[Any]) -> Reading:
    """A row of `snapshots` as it was read; an unconfirmed one is what was judged, at its own instant."""
    extra: dict[str, Any] = row.extra or {}
    amounts = {name: Decimal(extra[name]) if name in extra else getattr(row, name) for name in FIELDS}
    unknown = {theirs(name): value for name, value in extra.items() if name not in FIELDS}
    balances = Balances(**amounts)
    return Reading(row.seq, row.at, Source(row.source), Quality(row.quality), row.exchange_at, balances, unknown)


def theirs(name: str) -> str:
    """An unknown field's own name, which `extra` may hold made unlike ours."""
    return name[:-1] if name.rstrip("_") in FIELDS else name


def value_columns(value: Decimal | None) -> dict[str, object]:
    """The columns `value` and `exact` of a transition."""
    return {"value": value, "exact": str(value) if value is not None and inexact(value) else None}


def value_of(row: Row[Any]) -> Decimal | None:
    exact = Decimal(row.exact) if row.exact is not None else None
    return exact if exact is not None else row.value
