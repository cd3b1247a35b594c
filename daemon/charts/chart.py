"""The data of a chart: one field of one account over a span, down-sampled. Pure.

`downsample` makes the lines, and `renderer` starts the process that draws them. The charts of a
picture go to that process as JSON: numbers with all digits, the time zone by its name.
"""

from collections.abc import Sequence
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
    begins: Millis | None = None
    """The account's first record, if the span that was asked for starts before it."""

    @property
    def last(self) -> Point | None:
        return self.lines[-1][-1] if self.lines else None

    @property
    def is_before_record(self) -> bool:
        """Whether the whole span lies before the account's first record."""
        return self.begins is not None and self.begins >= self.span.until


def common_span(charts: Sequence[Chart]) -> ChartSpan:
    """The time axis of one picture: the spans of all its charts that have a record by then."""
    spans = [each.span for each in charts if not each.is_before_record]
    spans = spans or [each.span for each in charts]
    return ChartSpan(min(each.since for each in spans), max(each.until for each in spans))


def encode(charts: Sequence[Chart]) -> bytes:
    return msgspec.json.encode(charts, enc_hook=str)


def decode(text: bytes) -> tuple[Chart, ...]:
    """Parse the encoded charts of a picture. Raises msgspec.ValidationError for anything else."""
    return msgspec.json.decode(text, type=tuple[Chart, ...], dec_hook=_zone)


def _zone(kind: type, name: Any) -> ZoneInfo:
    if kind is not ZoneInfo:
        raise NotImplementedError(kind)
    return ZoneInfo(name)
