"""Numbers, durations and instants as people read them. Pure."""

from datetime import UTC, datetime, tzinfo
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal

from daemon.types import (
    DAY,
    HOUR,
    LATEST,
    MINUTE,
    SECOND,
    Alert,
    DecidingComparison,
    Millis,
    Transition,
    TransitionReason,
)

_EIGHT_PLACES = Decimal("1e-8")
_HUNDRED = Decimal(100)
_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)
_UNBOUNDED = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)
_LARGEST = 40
"""Power of ten up to which a number is written out. No account has a larger amount."""
_KILO = 1_000
_TWO_DIGITS = 10
_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"))


def format_amount(value: Decimal) -> str:
    """Format an amount: at most eight places, as the exchange counts, no trailing zeros."""
    if value.is_nan():
        return "unknown"
    if not value.is_finite():
        return "∞" if value > 0 else "-∞"
    if value and value.adjusted() > _LARGEST:
        return format(value, ".8e")
    text = format(value.quantize(_EIGHT_PLACES, context=_WIDE), "f").rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text


def rough(value: Decimal) -> Decimal:
    """Round a finite value for reading at a glance: two places, or four digits if it is small."""
    if value and value.adjusted() > _LARGEST:
        return value
    places = 2 if value.copy_abs() >= 1 else min(max(2, 3 - value.adjusted()), _LARGEST)
    return value.quantize(Decimal(1).scaleb(-places), context=_WIDE)


def format_value(value: Decimal, judged: DecidingComparison | None) -> str:
    """Format a value as a side of the comparison: duration, percentage, amount or ratio."""
    if judged is None or not value.is_finite():
        return format_amount(value)
    if is_duration(judged) and value.adjusted() <= _LARGEST:
        return format_duration(int(value))
    return format_percentage(value, judged.threshold) if judged.percentage else format_amount(value)


def format_rounded(
    value: Decimal,
    judged: DecidingComparison | None = None,
    other: Decimal | None = None,
) -> str:
    """Format a value for a message: rounded, a ratio as a percentage.

    It has all its digits where rounding would make it look like `other`, which it is compared with.
    """
    if judged is None or not value.is_finite():
        return _rounded(value, other)
    if is_duration(judged):
        return format_value(value, judged)
    if not (judged.percentage or judged.ratio):
        return _rounded(value, other)
    hundredfold = None if other is None else _UNBOUNDED.multiply(other, _HUNDRED)
    return f"{_rounded(_UNBOUNDED.multiply(value, _HUNDRED), hundredfold)}%"


def _rounded(value: Decimal, other: Decimal | None) -> str:
    if not value.is_finite():
        return format_amount(value)
    short = format_amount(rough(value))
    if other is None or not other.is_finite() or value == other:
        return short
    if short != format_amount(rough(other)):
        return short
    exact = format_amount(value)
    return exact if exact != format_amount(other) else str(value)


def is_duration(judged: DecidingComparison | None) -> bool:
    """Check whether the comparison is of durations; an earlier version recorded no `duration`."""
    return judged is not None and (judged.duration or judged.field == "age")


def format_percentage(value: Decimal, limit: Decimal | None = None) -> str:
    """Format a ratio as a percentage with two places.

    More places are shown where two would make it look like its limit; the limit has all of its own.
    """
    if not value.is_finite():
        return format_amount(value)
    hundredfold = _UNBOUNDED.multiply(value, _HUNDRED)
    short = rough(hundredfold)
    is_limit = (
        limit is not None
        and limit.is_finite()
        and short == rough(_UNBOUNDED.multiply(limit, _HUNDRED))
    )
    return f"{format_amount(hundredfold if is_limit else short)}%"


def format_transition_value(transition: Transition, alert: Alert | None) -> str:
    """Format the value of a transition of the alert. Empty if there is none."""
    if transition.value is None:
        return ""
    return format_value(transition.value, transition_comparison(transition, alert))


def transition_comparison(transition: Transition, alert: Alert | None) -> DecidingComparison | None:
    """Comparison that the transition's value belongs to; None if it is not known.

    A value before a silence, or at its end, belongs to the rule's own condition, while the alert
    was about `age`. Such a value is no duration.
    """
    if alert is None or (alert.missing and transition.reason != TransitionReason.MISSING):
        return None
    return alert.judged


def format_change(value: Decimal) -> str:
    """Format a change with its sign, so that a loss is seen as one."""
    text = format_amount(value)
    return text if text.startswith("-") or text == "0" else f"+{text}"


def format_duration(duration: Millis) -> str:
    """Format a duration by its two largest units: `2 h 5 min`, `40 s`, `15 ms`."""
    if duration < SECOND:
        return f"{max(0, duration)} ms"
    parts: list[str] = []
    for unit, name in _UNITS:
        count, duration = divmod(duration, unit)
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
    return " ".join(part for part in parts[:2] if part)


def format_bytes(size: int) -> str:
    """Format a size by its largest decimal unit: `512 B`, `1.2 MB`, `34 GB`."""
    if size < _KILO:
        return f"{size} B"
    value = Decimal(size)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= _KILO
        if value < _KILO or unit == "TB":
            break
    return f"{value:.0f} {unit}" if value >= _TWO_DIGITS else f"{value:.1f} {unit}"


def format_minutes(duration: Millis) -> str:
    """Format a duration to the minute, from two minutes on."""
    return format_duration(
        duration if duration < 2 * MINUTE else (duration + MINUTE // 2) // MINUTE * MINUTE
    )


def format_instant(at: Millis, now: Millis, zone: tzinfo | None) -> str:
    """Format an instant: time of day, with the date unless it is today. No zone is the system's."""
    then, today = _local(at, zone), _local(now, zone)
    return then.strftime("%H:%M:%S" if then.date() == today.date() else "%Y-%m-%d %H:%M:%S")


def format_absence(since: Millis, until: Millis, now: Millis, zone: tzinfo | None) -> str:
    """Say when the daemon did not run, and that nothing is known of that time."""
    start, end = format_instant(since, now, zone), format_instant(until, now, zone)
    lasted = format_duration(until - since)
    return f"did not run from {start} to {end} ({lasted}): no readings of that time"


def _local(at: Millis, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(min(at, LATEST) / 1_000, UTC).astimezone(zone)
