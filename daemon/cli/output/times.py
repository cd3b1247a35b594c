"""Parsing and formatting of ISO 8601, and instants for people. Pure.

`instants` reads what people type.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from daemon.text.numbers import format_duration, format_instant
from daemon.types import LATEST, MINUTE, SECOND, Millis

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAYS_BY_NAME = 6
_DAYS_WITHOUT_YEAR = 300


class WallTimeError(ValueError):
    """A local time that occurs twice or never, as clocks are set; its text says the remedy."""


def parse_iso(text: str, zone: tzinfo | None) -> Millis:
    """The instant of an ISO 8601 text, in `zone` if it names none; a date is its first instant.

    Raises:
        WallTimeError: for a local time that is no single instant.
        ValueError: for anything else, as well as OverflowError and OSError.

    """
    at = datetime.fromisoformat(text)
    return either(at, zone)[0] if _is_day(text) else to_instant(at, zone)


def to_instant(at: datetime, zone: tzinfo | None) -> Millis:
    """The instant of a time, in `zone` if it names none.

    Raises:
        WallTimeError: when it occurs twice or never in that zone, because clocks are set.

    """
    first, second = either(at, zone)
    if first != second:
        clock = (
            at.time().isoformat().removesuffix(":00") if at.second == 0 else at.time().isoformat()
        )
        named = [clock + _offset(at, instant) for instant in (first, second)]
        what = (
            "comes twice that day"
            if first < second
            else "never comes that day, as clocks are put forward"
        )
        raise WallTimeError(f"{what}: write {' or '.join(named)}")
    return first


def either(at: datetime, zone: tzinfo | None) -> tuple[Millis, Millis]:
    """The instants by the offset before clocks are set, and by the one after; mostly the same."""
    if at.tzinfo is not None:
        return (_millis(at),) * 2
    before, after = at.replace(fold=0), at.replace(fold=1)
    if zone is None:
        return _millis_here(before), _millis_here(after)
    return _millis(before.replace(tzinfo=zone)), _millis(after.replace(tzinfo=zone))


def _millis(at: datetime) -> Millis:
    return (at - _EPOCH) // _MILLISECOND


def _millis_here(at: datetime) -> Millis:
    """The instant in the system's zone; `astimezone` would accept an hour that is skipped."""
    return int(at.replace(microsecond=0).timestamp()) * SECOND + at.microsecond // 1_000


def _offset(at: datetime, instant: Millis) -> str:
    """The offset, such as `+02:00`, by which the local time is this instant."""
    minutes = round((_millis(at.replace(tzinfo=UTC)) - instant) / MINUTE)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def to_local(at: Millis, zone: tzinfo | None) -> datetime:
    """The instant in `zone`, to the millisecond, at most LATEST."""
    return (_EPOCH + min(at, LATEST) * _MILLISECOND).astimezone(zone)


def format_iso(at: Millis, zone: tzinfo | None) -> str:
    """The instant for programs: ISO 8601 with offset and milliseconds."""
    return to_local(at, zone).isoformat(timespec="milliseconds")


def format_time(at: Millis, zone: tzinfo | None) -> str:
    """The instant for people: date and time to the second."""
    return to_local(at, zone).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True)
class DisplayClock:
    """The present instant and the time zone in which instants are formatted."""

    now: Millis
    zone: tzinfo | None

    def iso(self, at: Millis | None) -> str | None:
        return None if at is None else format_iso(at, self.zone)

    def clock_time(self, at: Millis) -> str:
        """The time of day, with the date unless it is today."""
        return format_instant(at, self.now, self.zone)

    def short_time(self, at: Millis) -> str:
        """The instant in a cell: `20:20:39` today, `mon 20:20:39` within six days, else a date.

        The year is left out within 300 days.
        """
        then, today = to_local(at, self.zone), to_local(self.now, self.zone)
        days = abs((then.date() - today.date()).days)
        if days == 0:
            return then.strftime("%H:%M:%S")
        if days <= _DAYS_BY_NAME:
            return then.strftime("%a %H:%M:%S").lower()
        if days <= _DAYS_WITHOUT_YEAR:
            return then.strftime("%d %b %H:%M:%S")
        return format_time(at, self.zone)

    def ago(self, at: Millis) -> str:
        """The time since the instant; a future one (the clock was set) with its date."""
        if at <= self.now:
            return f"{format_duration(self.now - at)} ago"
        return format_time(at, self.zone)
