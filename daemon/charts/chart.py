"""What a chart shows: one field of one account over a span, thinned to what a picture can hold.
Pure.

Nothing here knows how it is drawn; `thinning` makes the lines, `drawn` has a process draw them. As
JSON it goes to that process: numbers with all their digits, the time zone by its name.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from daemon.types import Millis


class Unit(StrEnum):
    """What the numbers are."""

    USDT = "usdt"
    RATIO = "ratio"
    PERCENT = "percent"
    """A ratio that is written as a percentage."""
    DURATION = "duration"
    """Milliseconds."""


class Point(NamedTuple):
    at: Millis
    value: Decimal


class ChartSpan(NamedTuple):
    since: Millis
    until: Millis


class Level(NamedTuple):
    """A number that a rule compares the field with."""

    value: Decimal
    rule: str
    clear: bool = False
    """It stands in `clear_when`."""
    percent: bool = False
    """It is written as a percentage."""


@dataclass(frozen=True, slots=True)
class Chart:
    """All that is drawn. Instants lie within `span`."""

    field: str
    account: str
    span: ChartSpan
    """The ends of the picture."""
    zone: ZoneInfo | None = None
    """None is the system's."""
    unit: Unit = Unit.USDT
    lines: tuple[tuple[Point, ...], ...] = ()
    """What is joined; nothing joins one to the next. Values are finite."""
    gaps: tuple[ChartSpan, ...] = ()
    """Without readings."""
    infinite: tuple[ChartSpan, ...] = ()
    """With readings whose value is infinite, which no scale has room for."""
    levels: tuple[Level, ...] = ()
    firing: tuple[ChartSpan, ...] = ()
    """What still fires does so until the end of the picture."""
    title: str = ""
    """Instead of the field."""
    note: str = ""
    """What a person must know about the field."""

    @property
    def last(self) -> Point | None:
        return self.lines[-1][-1] if self.lines else None


def encode(chart: Chart) -> bytes:
    return msgspec.json.encode(chart, enc_hook=str)


def decode(text: bytes) -> Chart:
    """Raises msgspec.ValidationError for what `encode` did not give."""
    return msgspec.json.decode(text, type=Chart, dec_hook=_zone)


def _zone(kind: type, name: Any) -> ZoneInfo:
    if kind is not ZoneInfo:
        raise NotImplementedError(kind)
    return ZoneInfo(name)
