"""The ledger of gaps: the spans without readings, and why there were none. Pure.

    readings, misses, and what is recorded as missing, of one account and in their order ──► gaps, in their order

A miss alone is no span: a gap lasts from the last reading, or from the end of what went before, to
the next one. A slot that was never scheduled is no gap, so that nothing is made of the mere
distance between two readings.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from daemon.types import SECOND, GapReason, Millis, Miss, MissReason

PAUSING = frozenset({MissReason.RATE_LIMITED, MissReason.BLOCKED})
"""The reasons of misses after which nobody asks for minutes, over restarts too (SEMANTICS B2)."""


@dataclass(frozen=True, slots=True)
class ListedGap:
    """A span without readings. A step of our clock is an instant of it, and no span."""

    reason: MissReason | GapReason
    started_at: Millis
    ended_at: Millis | None
    """None while it lasts."""
    missed: int
    """Attempts that failed; where none was made, the slots that passed."""
    step: Millis | None = None
    """By how much our clock was set."""
    detail: str = ""
    """What the last of the misses said."""

    def touches(self, since: Millis, until: Millis) -> bool:
        return self.started_at < until and (self.ended_at is None or self.ended_at >= since)


Seen: TypeAlias = Millis | Miss | ListedGap
"""What happened to an account: the instant of a reading, a miss, or what is recorded as missing."""


def gaps(seen: Iterable[Seen]) -> Iterator[ListedGap]:
    """The gaps of one account. Misses in a row that have one reason are one gap.

    Of readings only those beside a miss, or beside a gap, need to be among what was seen.
    """
    run: ListedGap | None = None
    known: Millis | None = None  # up to where it is settled what happened
    for each in seen:
        if isinstance(each, ListedGap) and each.step is not None:
            yield each
        elif isinstance(each, Miss) and run is not None and run.reason is each.reason:
            run = replace(run, missed=run.missed + 1, detail=each.detail)
        else:
            before = run
            if run is not None:
                known = max(run.started_at, _begin(each))
                yield from _ended(run, known)
            run = _run(each, known) if isinstance(each, Miss) else None
            if isinstance(each, ListedGap):
                yield each
                run = _resumed(before, each)
            known = _end(each)
    if run is not None:
        yield run


def _ended(run: ListedGap, at: Millis) -> Iterator[ListedGap]:
    """What is left of a pause that had passed by the time of the next attempt is none."""
    if run.missed or at - run.started_at > SECOND:
        yield replace(run, ended_at=at)


def _resumed(run: ListedGap | None, absence: ListedGap) -> ListedGap | None:
    """An exchange that had enough of us is left alone on, whatever came in between."""
    if run is None or run.reason not in PAUSING or absence.ended_at is None:
        return None
    return replace(run, started_at=absence.ended_at, missed=0)


def _run(miss: Miss, since: Millis | None) -> ListedGap:
    return ListedGap(miss.reason, miss.at if since is None else since, None, 1, detail=miss.detail)


def _begin(seen: Seen) -> Millis:
    match seen:
        case Miss():
            return seen.at
        case ListedGap():
            return seen.started_at
        case _:
            return seen


def _end(seen: Seen) -> Millis | None:
    return seen.ended_at if isinstance(seen, ListedGap) else _begin(seen)
