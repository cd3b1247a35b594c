"""Reads the instants that people type. Pure: now and the time zone are arguments.

03:12    yesterday 20:20    mon 07:00    today    24h (ago)    2026-11-22T03:12    now
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from daemon.cli.output import times
from daemon.errors import UsageError
from daemon.text.durations import parse_duration
from daemon.types import LATEST, Millis

PAST = "write 03:12, yesterday 20:20, mon 07:00, 2026-11-22T03:12, 24h for a day ago, or now"
FUTURE = "write 07:00, tomorrow 07:00, mon 07:00 or 2026-11-22T07:00"

_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORTEST_DAY_NAME = 3


def parse_instant(text: str, now: Millis, zone: tzinfo | None) -> Millis:
    """The instant of the past that `text` means.

    A time of day is the last one up to now, and so is a weekday; a day alone is its beginning. A
    duration such as `24h` is so long ago. ISO 8601 without an offset is in `zone`; None is the
    system's zone.

    Raises:
        UsageError: when it is no time, or an ambiguous one.

    """
    if text == "now":
        return now
    ago = parse_duration(text.removesuffix("ago").rstrip())
    if ago is not None:
        return max(0, now - ago)
    return _parse(text, _Spoken(now, zone, step=-1), PAST)


def parse_future(text: str, now: Millis, zone: tzinfo | None) -> Millis:
    """The instant of the future that `text` means: a time of day or a weekday is the next one.

    Raises:
        UsageError: when it is no time, an ambiguous one, or one of the past.

    """
    if parse_duration(text) is not None:
        raise UsageError(f'"{text}" is a duration, not a time: use --for {text}')
    at = _parse(text, _Spoken(now, zone, step=1), FUTURE)
    if at <= now:
        raise UsageError(f'"{text}" lies in the past: {times.format_time(at, zone)}')
    return at


def _parse(text: str, spoken: "_Spoken", remedy: str) -> Millis:
    try:
        found = spoken.instant(text.lower().split())
        at = times.parse_iso(text, spoken.zone) if found is None else found
        return min(max(0, at), LATEST)
    except times.WallTimeError as error:
        raise UsageError(f'"{text}" {error}') from None
    except (ValueError, OverflowError, OSError):
        raise UsageError(f'"{text}" is not a time: {remedy}') from None


@dataclass(frozen=True, slots=True)
class _Spoken:
    """The meaning of days and times of day, seen from `now` in one direction."""

    now: Millis
    zone: tzinfo | None
    step: int
    """-1 looks into the past, 1 into the future."""

    def instant(self, words: list[str]) -> Millis | None:
        """The instant of a day, a time of day, or both; None if the words are neither."""
        clock = _clock(words[-1]) if words else None
        names = words if clock is None else words[:-1]
        if len(names) > 1 or not words:
            return None
        today = times.to_local(self.now, self.zone)
        days = self._days(names[0]) if names else iter((0, self.step))
        near = (datetime.combine(today + timedelta(days=each), clock or time()) for each in days)
        is_certain = bool(names) and names[0] in _DAYS
        at = next((each for each in near if is_certain or self._is_on_the_way(each)), None)
        if at is None:
            return None
        return times.either(at, self.zone)[0] if clock is None else times.to_instant(at, self.zone)

    def _days(self, name: str) -> Iterator[int]:
        """Distances in days from today to the days of that name; none if it names no day."""
        if name in _DAYS:
            yield _DAYS[name]
            return
        today = times.to_local(self.now, self.zone).weekday()
        for days in range(8) if len(name) >= _SHORTEST_DAY_NAME else ():
            if _WEEKDAYS[(today + days * self.step) % 7].startswith(name):
                yield days * self.step

    def _is_on_the_way(self, at: datetime) -> bool:
        """Whether the time lies in the direction of `step`; now itself is past."""
        instants = times.either(at, self.zone)
        return max(instants) > self.now if self.step > 0 else min(instants) <= self.now


def _clock(word: str) -> time | None:
    """The time of day; None if the word is none. An hour may have one digit."""
    try:
        return time.fromisoformat(word if word[1:2] != ":" else f"0{word}") if ":" in word else None
    except ValueError:
        return None
