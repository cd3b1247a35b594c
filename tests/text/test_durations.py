"""Durations: what people write, and the one way they are written back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.text.durations import duration_text, parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("250ms", 250),
        ("90s", 90_000),
        ("10m", 600_000),
        ("1h30m", 5_400_000),
        ("7d", 604_800_000),
        ("0s", 0),
    ],
)
def test_durations(text: str, expected: int) -> None:
    """DESIGN 5: the durations of the documentation mean what they say."""
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "10", "m", "10x", "1h 30m", "-5s", "1.5h", "٣s", "10min", "9" * 16 + "d"]
)
def test_no_durations(text: str) -> None:
    """What is no duration is told apart, never guessed."""
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("millis", "expected"), [(5_400_000, "1h30m"), (90_000, "1m30s"), (0, "0s"), (1, "1ms")]
)
def test_text(millis: int, expected: str) -> None:
    """A duration is written with the largest units first."""
    assert duration_text(millis) == expected


@given(st.integers(0, 10**15))
def test_text_reads_back(millis: int) -> None:
    """The canonical text of a duration means that duration."""
    assert parse_duration(duration_text(millis)) == millis
