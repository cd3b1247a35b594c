"""Instants and durations: integer milliseconds."""

from typing import TypeAlias

Millis: TypeAlias = int
"""Instant (since 1970, UTC) or duration, in milliseconds."""

SECOND: Millis = 1_000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE
DAY: Millis = 24 * HOUR

LATEST: Millis = 253_402_128_000_000
"""Last instant that every time zone can show: 9999-12-30."""
