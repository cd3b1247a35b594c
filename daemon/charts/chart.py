"""The data of a chart: one field of one account over a span, down-sampled. Pure.

`downsample` makes the lines, and `renderer` starts the process that draws them. The chart goes to
that process as JSON: numbers with all digits, the time zone by its name.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from daemon.types import Millis


class Unit(StrEnum):
    """Unit of the values."""

    USDT = "usdt"
    RATIO = "ratio"
    PERCENT = "percent"
    """A ratio, written as a percentage."""
    DURATION = "duration"
    """Milliseconds."""


class Point(NamedTuple):
    at: Millis
    value: Decimal


class ChartSpan(NamedTuple):
    since: Millis
    until: Millis


class Level(NamedTuple):
    """A threshold: a number that a rule compares the field with."""

    value: Decimal
    rule: str
    clear: bool = False
    """Whether it is in `clear_when`."""
    percent: bool = False
    """Whether it is written as a percentage."""


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole chart. All instants are within `span`."""

    field: str
    account: str
    span: ChartSpan
    """Start and end of the time axis."""
    zone: ZoneInfo | None = None
    """Time zone of the labels; None is the system's."""
    unit: Unit = Unit.USDT
    lines: tuple[tuple[Point, ...], ...] = ()
    """Runs of points; each run is drawn as one line. Values are finite."""
    gaps: tuple[ChartSpan, ...] = ()
    """Spans without readings."""
    infinite: tuple[ChartSpan, ...] = ()
    """Spans with infinite values, which no axis can show."""
    levels: tuple[Level, ...] = ()
    firing: tuple[ChartSpan, ...] = ()
    """Spans with a firing alert; one that still fires reaches the end."""
    title: str = ""
    """Title; the name of the field if empty."""
    note: str = ""
    """A note about the field for the reader."""

    @property
    def last(self) -> Point | None:
        return self.lines[-1][-1] if self.lines else None


def encode(chart: Chart) -> bytes:
    return msgspec.json.encode(chart, enc_hook=str)


def decode(text: bytes) -> Chart:
    """Parse an encoded chart. Raises msgspec.ValidationError for anything else."""
    return msgspec.json.decode(text, type=Chart, dec_hook=_zone)


def _zone(kind: type, name: Any) -> ZoneInfo:
    if kind is not ZoneInfo:
        raise NotImplementedError(kind)
    return ZoneInfo(name)
