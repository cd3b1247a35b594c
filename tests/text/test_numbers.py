from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from daemon.text.numbers import (
    format_amount,
    format_change,
    format_duration,
    format_instant,
    format_percentage,
    format_rounded,
    format_transition_value,
    format_value,
)
from daemon.types import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Alert,
    DecidingComparison,
    Severity,
    State,
    Transition,
)
from tests.values import T0

SIDE = DecidingComparison("al_freeze > 1", "al_freeze", Decimal(1), Decimal(1), falling=False)
SILENCE = replace(SIDE, text="on_missing after 5s", field="age", duration=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("499.71964459000003", "499.71964459"),
        ("996660.6064387699998485", "996660.60643877"),
        ("100", "100"),
        ("0.0", "0"),
        ("-0.000000001", "0"),
        ("1E+3", "1000"),
        ("-12.50", "-12.5"),
        ("Infinity", "∞"),
        ("-Infinity", "-∞"),
        ("123456789012345678901234567890.5", "123456789012345678901234567890.5"),
        ("1e999999999", "1.00000000e+999999999"),
        ("0e50", "0"),
        ("1e-999999999", "0"),
        ("NaN", "unknown"),
    ],
)
def test_amounts_are_shown_without_decimal_noise(value: str, text: str) -> None:
    """At most eight places, no idle zeros, nothing lost before the point."""
    assert format_amount(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "judged", "text"),
    [
        ("455911", replace(SIDE, duration=True), "7 min 35 s"),
        ("Infinity", replace(SIDE, duration=True), "∞"),
        ("455911", replace(SIDE, field="age"), "7 min 35 s"),
        ("455911", SIDE, "455911"),
        ("1.50", None, "1.5"),
        ("1e999999999", replace(SIDE, duration=True), "1.00000000e+999999999"),
        ("1e999999999", replace(SIDE, percentage=True), "1.00000000e+1000000001%"),
        ("1e-999999999", replace(SIDE, percentage=True), "0%"),
    ],
)
def test_values_are_spelled_as_their_side_is_read(
    value: str, judged: DecidingComparison | None, text: str
) -> None:
    """Durations are written as such, also an old `age` without the mark; others as numbers."""
    assert format_value(Decimal(value), judged) == text


@pytest.mark.parametrize(
    ("value", "limit", "shown"),
    [
        ("45.64407694", "50", ("45.64", "50")),
        ("0.79942331", "1.5", ("0.7994", "1.5")),
        ("0.000123456", "1", ("0.0001235", "1")),
        ("99.999", "100", ("99.999", "100")),
        ("99.9999999999", "100", ("99.9999999999", "100")),
        ("100", "100.00", ("100", "100")),
        ("100.001", "100.004", ("100.001", "100.004")),
        ("547.20471233", "600.12345678", ("547.2", "600.12")),
        ("0.000000001", "0", ("1E-9", "0")),
        ("Infinity", "100", ("∞", "100")),
        ("100", "Infinity", ("100", "∞")),
    ],
)
def test_messages_round_but_never_against_the_comparison(
    value: str, limit: str, shown: tuple[str, str]
) -> None:
    """Two decimals, four digits below 1; all digits where two would make both sides equal."""
    first, second = Decimal(value), Decimal(limit)
    assert (
        format_rounded(first, SIDE, second),
        format_rounded(second, SIDE, first),
    ) == shown


@pytest.mark.parametrize(
    ("value", "judged", "text"),
    [
        ("0.25", replace(SIDE, ratio=True), "25%"),
        ("0.429588", replace(SIDE, percentage=True), "42.96%"),
        ("0.20000001", replace(SIDE, percentage=True), "20.000001%"),
        ("Infinity", replace(SIDE, ratio=True), "∞"),
        ("455911", replace(SIDE, duration=True), "7 min 35 s"),
        ("499.71964459", None, "499.72"),
    ],
)
def test_messages_show_ratios_as_percentages(
    value: str, judged: DecidingComparison | None, text: str
) -> None:
    """A ratio is one also where the rule says 0.2; durations stay durations."""
    assert format_rounded(Decimal(value), judged, Decimal("0.2")) == text


@pytest.mark.parametrize(
    ("value", "reason", "judged", "text"),
    [
        ("5000", "missing", SILENCE, "5 s"),
        ("90", "condition", SILENCE, "90"),
        ("500", "back", SILENCE, "500"),
        (
            "500",
            "back",
            replace(SIDE, text="time_to(al_freeze, 0, 1h) < 1m", duration=True),
            "500 ms",
        ),
        ("500", "cleared", SIDE, "500"),
        ("500", "back", None, "500"),
        (None, "rule_changed", SIDE, ""),
    ],
)
def test_d4_what_precedes_or_ends_a_silence_is_no_duration(
    value: str | None, reason: str, judged: DecidingComparison | None, text: str
) -> None:
    """A value before or at the end of a silence belongs to the rule's own condition."""
    moved = Transition(
        "gone",
        1,
        T0,
        State.FIRING,
        State.RESOLVED,
        reason,
        None if value is None else Decimal(value),
    )
    alert = Alert(
        "gone",
        1,
        "ab12",
        Severity.WARNING,
        State.RESOLVED,
        "",
        T0,
        judged=judged,
        missing=judged is SILENCE,
    )
    assert format_transition_value(moved, alert) == text


@pytest.mark.parametrize(
    ("value", "text"), [("5", "+5"), ("-5.0", "-5"), ("0", "0"), ("0.000000001", "0")]
)
def test_changes_carry_their_sign(value: str, text: str) -> None:
    """A gain has a plus, nothing has none."""
    assert format_change(Decimal(value)) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (0, "0 ms"),
        (-5, "0 ms"),
        (250, "250 ms"),
        (42 * SECOND, "42 s"),
        (90 * SECOND, "1 min 30 s"),
        (2 * HOUR, "2 h"),
        (2 * HOUR + 5 * MINUTE + 9 * SECOND, "2 h 5 min"),
        (3 * DAY + 1 * SECOND, "3 d"),
    ],
)
def test_durations_show_their_two_largest_units(duration: int, text: str) -> None:
    """Nobody counts the seconds of an alert of two hours."""
    assert format_duration(duration) == text


def test_moments_are_shown_in_the_zone_of_the_person() -> None:
    """The date is shown only where it is not today's, there."""
    assert format_instant(T0, T0 + HOUR, UTC) == "11:00:00"
    assert format_instant(T0, T0 + HOUR, ZoneInfo("Asia/Tokyo")) == "20:00:00"
    assert format_instant(T0, T0 + DAY, UTC) == "2026-01-01 11:00:00"


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        ("0.42958881", "0.3", "42.96%"),
        ("0.3", "0.3", "30%"),
        ("0.123456", "0.123456", "12.3456%"),
        ("0.299999", "0.3", "29.9999%"),
        ("-0.2001", "-0.2", "-20.01%"),
        ("0.00001234", "0.3", "0.001234%"),
        ("1.5", "0.8", "150%"),
        ("0.42958881", None, "42.96%"),
        ("0.5", "Infinity", "50%"),
        ("Infinity", "0.3", "∞"),
        ("0", "0.3", "0%"),
    ],
)
def test_c4_percentages_have_two_places_and_never_look_like_their_limit(
    value: str, limit: str | None, text: str
) -> None:
    """C4: As many digits as a glance takes; a limit has all that were written."""
    threshold = None if limit is None else Decimal(limit)
    judged = DecidingComparison(
        "x > 30%", "x", Decimal(value), threshold, falling=False, percentage=True
    )
    assert format_value(Decimal(value), judged) == text
    assert format_percentage(Decimal(value), threshold) == text
