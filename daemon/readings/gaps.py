"""Gaps: the spans without readings, and their reasons. Pure.

    readings, misses and recorded gaps of one account, in order ──► gaps, in order

A miss alone is no span. A gap lasts from the last reading, or from the end of the gap before, to
the next one. A slot that was never scheduled is no gap: distance between readings alone is none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from daemon.types import SECOND, GapReason, Millis, Miss, MissReason

PAUSING = frozenset({MissReason.RATE_LIMITED, MissReason.BLOCKED})
"""Reasons of misses that pause the calls for minutes, over restarts too (SEMANTICS B2)."""


@dataclass(frozen=True, slots=True)
class ListedGap:
    """Span without readings. A step of our clock is an instant, and no span."""

    reason: MissReason | GapReason
    started_at: Millis
    ended_at: Millis | None
    """End; None while it lasts."""
    missed: int
    """Failed attempts; if none was made, the slots that passed."""
    step: Millis | None = None
    """Amount by which our clock was set."""
    detail: str = ""
    """Error of the last miss."""

    def touches(self, since: Millis, until: Millis) -> bool:
        return self.started_at < until and (self.ended_at is None or self.ended_at >= since)


Seen: TypeAlias = Millis | Miss | ListedGap
"""Event of an account: the instant of a reading, a miss, or a recorded gap."""


def gaps(seen: Iterable[Seen]) -> Iterator[ListedGap]:
    """Gaps of one account. Consecutive misses with the same reason are one gap.

    Only readings next to a miss or a gap need to be in `seen`.
    """
    run: ListedGap | None = None
    known: Millis | None = None  # the history is settled up to here
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
    """End the gap. A pause that was over at the next attempt leaves nothing."""
    if run.missed or at - run.started_at > SECOND:
        yield replace(run, ended_at=at)


def _resumed(run: ListedGap | None, absence: ListedGap) -> ListedGap | None:
    """Continue a pause after an absence: the exchange is left alone all the time."""
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
