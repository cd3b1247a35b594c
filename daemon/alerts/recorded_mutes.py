"""Mute windows as they are recorded with every epoch, read back: what `Mutes.written` gave.
Pure.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from daemon.alerts.mutes import DAYS, Mutes, MuteWindow, time_of_day


def mutes(written: object) -> Mutes | None:
    """Those of an epoch, by all that is recorded of its rules.

    None where nobody knows them: earlier versions recorded the rules alone, another one may name a
    zone that is not known here. What was judged does not depend on them, so that is no reason not
    to replay the rules.
    """
    if not isinstance(written, Mapping):
        return None
    try:
        return _mutes(written["mutes"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _mutes(written: Mapping[str, Any]) -> Mutes:
    zone = written["timezone"]
    windows = [_window(each) for each in written["windows"]]
    return Mutes({window.name: window for window in windows}, ZoneInfo(zone) if zone else None)


def _window(written: Mapping[str, Any]) -> MuteWindow:
    start, end = map(time_of_day, written["between"])
    return MuteWindow(written["name"], frozenset(DAYS).intersection(written["days"]), start, end)
