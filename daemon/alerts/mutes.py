"""Mute windows: the times of day at which rules are not announced (SEMANTICS E2). Pure.

`days` name the day on which a window begins, so that a night from Saturday 23:00 ends on Sunday.
Times are those of the wall clock: where it shows a time twice, the window begins at the first and
ends after the second of them, but a day ends at its first midnight; a time that it skips has come
when the clock is put forward, as it then shows a later one.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from daemon.types import DAY, Millis

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST: Millis = 8 * DAY
"""Of windows that follow each other: a week, and the rest of the day on which it begins."""

_DAY = timedelta(days=1)

_MIDNIGHT, _END_OF_DAY = time(0), "24:00"


def time_of_day(written: str) -> time:
    """A time as rules.toml writes it; the end of a day is the midnight that follows."""
    return _MIDNIGHT if written == _END_OF_DAY else time.fromisoformat(written)


@dataclass(frozen=True, slots=True)
class MuteWindow:
    """One entry of `[[mutes]]`."""

    name: str
    days: frozenset[str]
    start: time
    end: time
    """Of the same day, or of the next one where it is not later than `start`. Midnight is the end
    of a day.
    """

    def until(self, at: Millis, zone: tzinfo | None) -> Millis | None:
        """The end of the window that `at` lies in; None where it lies in none."""
        today = _clock(at, zone).date()
        spans = (
            self._span(day, zone)
            for day in (today - _DAY, today)
            if DAYS[day.weekday()] in self.days
        )
        return max((end for begin, end in spans if begin <= at < end), default=None)

    def written(self) -> dict[str, object]:
        """As rules.toml would say it."""
        end = _END_OF_DAY if self.end == _MIDNIGHT else _to_the_minute(self.end)
        between = [_to_the_minute(self.start), end]
        return {
            "name": self.name,
            "days": [day for day in DAYS if day in self.days],
            "between": between,
        }

    def _span(self, day: date, zone: tzinfo | None) -> tuple[Millis, Millis]:
        last = day if self.end > self.start else day + _DAY
        # A midnight that is shown twice ends its day at the first: what follows belongs to the next
        # day already.
        fold = 0 if self.end == _MIDNIGHT else 1
        return _shown(day, self.start, zone, fold=0), _shown(last, self.end, zone, fold=fold)


def _to_the_minute(at: time) -> str:
    return str(at).removesuffix(":00")


def _shown(day: date, at: time, zone: tzinfo | None, *, fold: int) -> Millis:
    """When the clock shows this time, for the first (0) or the last time (1), or passes it over."""
    wanted = datetime.combine(day, at)
    early, late = sorted(_instant(wanted.replace(tzinfo=zone, fold=each)) for each in (0, 1))
    if _clock(late, zone) == wanted:
        return late if fold else early
    return early + bisect_left(
        range(early, late), wanted, key=lambda instant: _clock(instant, zone)
    )


def _instant(moment: datetime) -> Millis:
    return round(moment.timestamp() * 1_000)


def _clock(at: Millis, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at / 1_000, UTC).astimezone(zone).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Mutes:
    """All mute windows, and the time zone in which they are meant; None is the system's."""

    windows: Mapping[str, MuteWindow] = field(default_factory=dict)
    zone: tzinfo | None = None

    def until(self, names: Iterable[str], at: Millis) -> Millis | None:
        """When the last of these windows ends that are in force at `at`; None where none is.

        Windows that follow each other without a pause count as one. Those that fill the whole week
        never end: they are followed no further than LONGEST.
        """
        chosen = [self.windows[name] for name in names if name in self.windows]
        end, found = at, self._latest(chosen, at)
        while found is not None and end < found <= at + LONGEST:
            end, found = found, self._latest(chosen, found)
        return end if end > at else None

    def written(self) -> dict[str, object]:
        """What is recorded of them with the rules in force; the system's time zone is an empty
        text.
        """
        zone = "" if self.zone is None else str(self.zone)
        return {"timezone": zone, "windows": [window.written() for window in self.windows.values()]}

    def _latest(self, windows: Iterable[MuteWindow], at: Millis) -> Millis | None:
        ends = (window.until(at, self.zone) for window in windows)
        return max((end for end in ends if end is not None), default=None)


NO_MUTES = Mutes()
