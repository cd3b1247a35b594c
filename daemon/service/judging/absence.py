"""When nobody ran, as a start finds it: from where the last life ended to where this one begins.
Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from daemon.readings.slots import slots_passed
from daemon.service.judging.opening import AccountStart
from daemon.store.read.recovery import LastLife
from daemon.types import AccountState, Gap, GapReason, Millis

Absence: TypeAlias = tuple[Millis, Millis]
"""From when to when."""


def absence(last: LastLife, known: Iterable[AccountState], now: Millis) -> Absence | None:
    """Since the last life ended; where it was cut off, since the last input of all accounts. None
    before the first.
    """
    ended_at = max((last.ended_at or 0, *(state.at for state in known)))
    return (ended_at, now) if 0 < ended_at <= now else None


def gaps(
    absent: Absence | None,
    known: Mapping[str, AccountState],
    openings: Mapping[str, AccountStart],
    every: Mapping[str, Millis],
) -> Iterator[Gap]:
    """It as gaps of those of these accounts that missed something; `every` is by account its
    effective interval.

    No slot passed, no gap (SEMANTICS B3); nor is one where the first attempt of this life comes no
    later than `every` after the last one.
    """
    if absent is None:
        return
    for name, interval in every.items():
        since, until = max(absent[0], known[name].at), absent[1]
        missed = (
            0 if until - known[name].at <= interval else slots_passed(name, interval, since, until)
        )
        if missed:
            yield Gap(
                name, openings[name].changed.event.seq, since, until, GapReason.DAEMON_DOWN, missed
            )
