"""Instants as people write and read them. Pure: the present instant and the time zone are arguments."""

from datetime import UTC, datetime, timedelta, tzinfo

from daemon.errors import UsageError
from daemon.rules.durations import duration
from daemon.types import Millis

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def instant(text: str, now: Millis, zone: tzinfo | None) -> Millis:
    """What `text` means: `now`, `24h` or `7d` for ago, else ISO 8601, in `zone` if it names none.

    No zone is the system's.

    Raises:
        UsageError: when it means nothing.

    """
    if text == "now":
        return now
    ago = duration(text.removesuffix("ago").rstrip())
    if ago is not None:
        return max(0, now - ago)
    try:
        return max(0, written(text, zone))
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f'"{text}" is no time: write ISO 8601 such as 2026-11-22T03:12, or 24h, 7d for ago, or now',
        ) from None


def written(text: str, zone: tzinfo | None) -> Millis:
    """ISO 8601, in `zone` if it names none; raises ValueError, OverflowError or OSError for anything else."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = at.astimezone() if zone is None else at.replace(tzinfo=zone)
    return (at - _EPOCH) // _MILLISECOND


def local(at: Millis, zone: tzinfo | None) -> datetime:
    """The instant in `zone`, to the millisecond."""
    return (_EPOCH + at * _MILLISECOND).astimezone(zone)


def iso(at: Millis, zone: tzinfo | None) -> str:
    """For programs: ISO 8601 with offset and milliseconds."""
    return local(at, zone).isoformat(timespec="milliseconds")


def shown(at: Millis, zone: tzinfo | None) -> str:
    """For people: date and time to the second."""
    return local(at, zone).strftime("%Y-%m-%d %H:%M:%S")
