"""The vertical axis of a chart: round numbers, few enough for a phone, and their format. Pure.

All arithmetic is exact; a float is only ever a position in the picture. So a balance of a billion
that moves by cents is drawn as well as one of a hundred-millionth. matplotlib's MaxNLocator works
with floats, which cannot tell such values apart.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from typing import NamedTuple

from daemon.charts.chart import Unit
from daemon.charts.time_axis import CLOCK
from daemon.text.numbers import format_duration
from daemon.types import DAY

MOST = 5
"""Most ticks."""

FAR = 10
"""A level is left out if the values would take less than one part in so many of the height."""

CENTS = 2
"""Decimals of a value, more if needed to tell it from a level or a tick."""

SMALL = 4
"""Significant digits of a value below 1."""

NARROW = "\N{NARROW NO-BREAK SPACE}"
"""Separator between groups of three digits."""

_GREAT, _SMALL = 12, -9
"""Powers of ten beyond which zeros are not written out."""

_MARGIN = Decimal("0.06")
"""Margin above the highest and below the lowest value, as a fraction of the height."""

_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])
_ONE = Decimal(1)


class Scale(NamedTuple):
    """The ends of the axis and its ticks."""

    low: Decimal
    high: Decimal
    step: Decimal = Decimal(1)
    """Distance between two ticks."""
    ticks: tuple[tuple[Decimal, str], ...] = ()

    def height(self, value: Decimal) -> float:
        """Position of a value: 0 at the bottom, 1 at the top."""
        return float(
            _WIDE.divide(_WIDE.subtract(value, self.low), _WIDE.subtract(self.high, self.low))
        )

    def holds(self, value: Decimal) -> bool:
        return self.low <= value <= self.high


def make_scale(
    values: Sequence[Decimal], levels: Sequence[Decimal], unit: Unit = Unit.USDT, most: int = MOST
) -> Scale:
    """A scale that holds all values, and the levels that do not flatten them."""
    if not (values or levels):
        return Scale(Decimal(0), _ONE)
    low, high = _ends(values, levels)
    least = _WIDE.divide(_WIDE.subtract(high, low), Decimal(most))
    step = next(each for each in _steps(least, unit) if each >= least)
    return Scale(
        low,
        high,
        step,
        tuple((each, _tick(each, step, unit)) for each in _multiples(step, low, high)),
    )


def format_short(
    value: Decimal, step: Decimal, others: Iterable[Decimal] = (), unit: Unit = Unit.USDT
) -> str:
    """A value with two decimals, or four digits below 1: enough to be on its side of the others.

    `step` is the distance of the ticks beside it. All digits before the decimal point are shown.
    """
    if unit is Unit.DURATION:
        return format_duration(int(value))
    if unit is Unit.PERCENT:
        return (
            f"{format_short(_hundredfold(value), _hundredfold(step), map(_hundredfold, others))}%"
        )
    levels = list(others)
    for exponent in range(_last_digit(value, step), _exponent(value), -1):
        rounded = value.quantize(_ONE.scaleb(exponent, _WIDE), context=_WIDE)
        if all(_side(rounded, level) == _side(value, level) for level in levels):
            return _with_cents(rounded)
    return _with_cents(value)


def _last_digit(value: Decimal, step: Decimal) -> int:
    """Exponent of the last digit that is shown, if no level needs more."""
    digits = -CENTS if value.adjusted() >= 0 else min(-CENTS, value.adjusted() - SMALL + 1)
    if value.adjusted() >= _GREAT:
        digits = value.adjusted() - SMALL
    return min(digits, step.adjusted() - 1)


def _with_cents(value: Decimal) -> str:
    least = 0 if value.adjusted() >= _GREAT else CENTS
    return _written(value, max(least, -_exponent(value)))


def format_exact(value: Decimal, unit: Unit = Unit.USDT) -> str:
    """All digits, without trailing zeros."""
    if unit is Unit.DURATION:
        return format_duration(int(value))
    if unit is Unit.PERCENT:
        return f"{format_exact(_hundredfold(value))}%"
    return _written(value, max(0, -_exponent(value)))


def _ends(values: Sequence[Decimal], levels: Iterable[Decimal]) -> tuple[Decimal, Decimal]:
    low, high = (min(values), max(values)) if values else (min(levels), max(levels))
    room = _WIDE.multiply(_WIDE.subtract(high, low), Decimal(FAR))
    for level in levels:
        lower, upper = min(low, level), max(high, level)
        if not room or _WIDE.subtract(upper, lower) <= room:
            low, high = lower, upper
    pad = _WIDE.multiply(_WIDE.subtract(high, low) or abs(low) or _ONE, _MARGIN)
    return _WIDE.subtract(low, pad), _WIDE.add(high, pad)


def _steps(least: Decimal, unit: Unit) -> Iterator[Decimal]:
    """Tick distances, smallest first; one of them is not below `least`."""
    if unit is Unit.DURATION:
        yield from map(Decimal, (*CLOCK, *(count * DAY for count in (1, 2, 7, 14))))
    yield from (Decimal(count).scaleb(least.adjusted(), _WIDE) for count in (1, 2, 5, 10))


def _multiples(step: Decimal, low: Decimal, high: Decimal) -> Iterator[Decimal]:
    number = _WIDE.divide(low, step).to_integral_value(ROUND_CEILING)
    while (value := _WIDE.multiply(number, step)) <= high:
        yield _WIDE.plus(value)  # turns -0 into 0
        number = _WIDE.add(number, _ONE)


def _tick(value: Decimal, step: Decimal, unit: Unit) -> str:
    """A tick label, with as many decimals as the step."""
    if unit is Unit.DURATION:
        return format_duration(int(value))
    if unit is Unit.PERCENT:
        return f"{_tick(_hundredfold(value), _hundredfold(step), Unit.RATIO)}%"
    return _written(value, max(0, -_exponent(step)))


def _hundredfold(value: Decimal) -> Decimal:
    return _WIDE.multiply(value, Decimal(100))


def _side(value: Decimal, other: Decimal) -> int:
    return (value > other) - (value < other)


def _exponent(value: Decimal) -> int:
    """Exponent of the last digit that is not a trailing zero."""
    exponent = value.normalize(_WIDE).as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _written(value: Decimal, places: int) -> str:
    if value and (value.adjusted() >= _GREAT or (places > -_SMALL and value.adjusted() <= _SMALL)):
        digits = (
            max(0, value.adjusted() + places)
            if places
            else -min(0, _exponent(value) - value.adjusted())
        )
        return f"{value:.{digits}e}".replace("e+", "e")
    return f"{value:,.{places}f}".replace(",", NARROW)
