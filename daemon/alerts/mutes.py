"""Mute windows: the times of day at which rules are not announced (SEMANTICS E2). Pure.

`days` name the day on which a window begins: a night from Saturday 23:00 ends on Sunday. Times are
wall-clock times. Where the clock shows a time twice, a window begins at the first of them and ends
after the second. Midnight is different: a day ends at its first midnight. A time that the clock
skips counts as reached when the clock is put forward, as it then shows a later time.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from daemon.rules.local_time import instant_of, wall_clock
from daemon.rules.rule import Rule
from daemon.types import DAY, Millis

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST: Millis = 8 * DAY
"""Longest chain of adjoining windows: a week, and the rest of the day on which it begins."""

_DAY = timedelta(days=1)

_MIDNIGHT, _END_OF_DAY = time(0), "24:00"


def time_of_day(written: str) -> time:
    """Parse a time as written in rules.toml; "24:00" is the midnight that follows."""
    return _MIDNIGHT if written == _END_OF_DAY else time.fromisoformat(written)


@dataclass(frozen=True, slots=True)
class MuteWindow:
    """One entry of `[[mutes]]`."""

    name: str
    days: frozenset[str]
    start: time
    end: time
    """End, on the next day if not later than `start`. Midnight is the end of a day."""

    def until(self, at: Millis, zone: tzinfo | None) -> Millis | None:
        """End of the window that contains `at`; None if outside."""
        today = wall_clock(at, zone).date()
        spans = (
            self._span(day, zone)
            for day in (today - _DAY, today)
            if DAYS[day.weekday()] in self.days
        )
        return max((end for begin, end in spans if begin <= at < end), default=None)

    def written(self) -> dict[str, object]:
        """Values as rules.toml writes them."""
        end = _END_OF_DAY if self.end == _MIDNIGHT else _to_the_minute(self.end)
        between = [_to_the_minute(self.start), end]
        return {
            "name": self.name,
            "days": [day for day in DAYS if day in self.days],
            "between": between,
        }

    def _span(self, day: date, zone: tzinfo | None) -> tuple[Millis, Millis]:
        last = day if self.end > self.start else day + _DAY
        # If midnight is shown twice, the day ends at the first: the rest belongs to the next day.
        fold = 0 if self.end == _MIDNIGHT else 1
        return instant_of(day, self.start, zone, fold=0), instant_of(
            last, self.end, zone, fold=fold
        )


def _to_the_minute(at: time) -> str:
    return str(at).removesuffix(":00")


@dataclass(frozen=True, slots=True)
class Mutes:
    """All mute windows, with their time zone; None is the time zone of the system."""

    windows: Mapping[str, MuteWindow] = field(default_factory=dict)
    zone: tzinfo | None = None

    def until(self, names: Iterable[str], at: Millis) -> Millis | None:
        """End of the mute in force at `at`; None if none of these windows is in force.

        Windows that adjoin count as one. Windows that fill the whole week never end: they are
        followed no further than LONGEST.
        """
        chosen = [self.windows[name] for name in names if name in self.windows]
        end, found = at, self._latest(chosen, at)
        while found is not None and end < found <= at + LONGEST:
            end, found = found, self._latest(chosen, found)
        return end if end > at else None

    def written(self, system_zone: str = "") -> dict[str, object]:
        """Values to record with the rules in force.

        The system's time zone is recorded by its name, as a replay may run on another machine; if
        it has none, as an empty text.
        """
        zone = system_zone if self.zone is None else str(self.zone)
        return {"timezone": zone, "windows": [window.written() for window in self.windows.values()]}

    def _latest(self, windows: Iterable[MuteWindow], at: Millis) -> Millis | None:
        ends = (window.until(at, self.zone) for window in windows)
        return max((end for end in ends if end is not None), default=None)


NO_MUTES = Mutes()


@dataclass(frozen=True, slots=True)
class MutedRules:
    """Rules that the same mute windows hold back, with the end of the windows."""

    windows: tuple[str, ...]
    until: Millis
    rules: tuple[str, ...]


def muted_rules(rules: Iterable[Rule], mutes: Mutes, at: Millis) -> list[MutedRules]:
    """The rules that mute windows hold back at `at`; those of the same windows together."""
    found = defaultdict[tuple[tuple[str, ...], Millis], list[str]](list)
    for rule in rules:
        until = mutes.until(rule.mute, at) if rule.mute else None
        if until is not None:
            found[rule.mute, until].append(rule.name)
    return [MutedRules(windows, until, tuple(names)) for (windows, until), names in found.items()]


def recorded_mutes(epoch_rules: object) -> Mutes | None:
    """Read the mute windows and the time zone that were recorded with an epoch's rules.

    None if they are unknown: earlier versions did not record them, and another version may name a
    time zone that is not known here. Verdicts depend on the zone where rules use times of day: see
    `unknown_zone`. They do not depend on the windows. An empty zone is the system's.
    """
    if not isinstance(epoch_rules, Mapping):
        return None
    try:
        recorded = epoch_rules["mutes"]
        windows = [_recorded_window(each) for each in recorded["windows"]]
        zone = ZoneInfo(recorded["timezone"]) if recorded["timezone"] else None
        return Mutes({window.name: window for window in windows}, zone)
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return None


def unknown_zone(epoch_rules: object) -> str:
    """The time zone recorded with an epoch's rules, if this machine does not know it; else ""."""
    if not isinstance(epoch_rules, Mapping):
        return ""
    recorded = epoch_rules.get("mutes")
    name = recorded.get("timezone") if isinstance(recorded, Mapping) else None
    try:
        ZoneInfo(name or "UTC")
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return str(name)
    return ""


def _recorded_window(recorded: Mapping[str, Any]) -> MuteWindow:
    start, end = map(time_of_day, recorded["between"])
    days = frozenset(DAYS).intersection(recorded["days"])
    return MuteWindow(recorded["name"], days, start, end)
