"""Durations as written in the configuration: `250ms 90s 10m 1h30m 7d`. Pure."""

import re

from daemon.types import DAY, HOUR, MINUTE, SECOND, Millis

UNITS: dict[str, Millis] = {"d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND, "ms": 1}

_PART = re.compile(r"([0-9]+)(ms|[smhd])")
_WHOLE = re.compile(r"(?:[0-9]{1,15}(?:ms|[smhd]))+")


def parse_duration(text: str) -> Millis | None:
    """Milliseconds of a written duration; None if it is not one. Parts add up: `1h30m`."""
    if not _WHOLE.fullmatch(text):
        return None
    return sum(int(count) * UNITS[unit] for count, unit in _PART.findall(text))


def duration_text(millis: Millis) -> str:
    """Canonical text of a duration, largest unit first: 5 400 000 is `1h30m`, 0 is `0s`."""
    parts = []
    rest = millis
    for unit, size in UNITS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
