"""Pushes beside answers (SEMANTICS B7): which of two that crossed is newer, and which fields of
pushes are believed.

Pure. Answers are the truth, pushes are fast: an answer that a push overtook on its way is stale,
and a field in which pushes and answers disagree again and again is taken from answers alone.
Instants are those of `Clock.elapsed`. Nothing of this is recorded: each life of the daemon finds
out anew what pushes are worth.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from daemon.readings.exact import subtracted
from daemon.readings.fields import SENT
from daemon.types import JUDGED, SECOND, Balances, Input, Millis, Reading, Source

TOLERANCE = Decimal("0.000001")
"""In USDT: two that differ by no more say the same."""

COMPARED_WITHIN: Millis = 2 * SECOND
"""A request that leaves later after a push says nothing about it: balances move."""

LIMIT = 3


@dataclass(frozen=True, slots=True)
class Push:
    at: Millis
    """When it arrived."""
    balances: Balances
    """As far as they are believed."""
    compared: bool = False
    """One answer has been held against it: a second one would say the same once more."""


@dataclass(frozen=True, slots=True)
class Pushes:
    """What is known of one account's pushes."""

    limit: int = LIMIT
    """So many disagreements in a row, and a field is believed no more."""
    last: Push | None = None
    streaks: Mapping[str, int] = field(default_factory=dict)
    """By field, how often in a row it disagreed."""
    compared: int = 0
    """How many pushes an answer was held against."""

    @property
    def contradicted(self) -> tuple[str, ...]:
        """The fields that are taken from answers alone."""
        return tuple(name for name in SENT if self.streaks.get(name, 0) >= self.limit)


def pushed(pushes: Pushes, balances: Balances, at: Millis) -> tuple[Pushes, Balances | None]:
    """A push arrived at `at`: what of it is believed, None where that is nothing at all."""
    believed = replace(balances, **dict.fromkeys(pushes.contradicted))
    if believed == Balances():
        return pushes, None
    return replace(pushes, last=Push(at, believed)), believed


def answered(pushes: Pushes, balances: Balances, asked_at: Millis) -> tuple[Pushes, bool]:
    """An answer arrived, whose request left at `asked_at`; True where it is stale.

    What left in the very millisecond of a push counts as having left before it: that costs one more
    call at most.
    """
    push = pushes.last
    if push is None:
        return pushes, False
    apart = dict(_apart(push.balances, balances))
    if asked_at <= push.at:
        return pushes, any(apart.values())
    if push.compared or asked_at > push.at + COMPARED_WITHIN:
        return pushes, False
    streaks = {
        **pushes.streaks,
        **{name: _streak(pushes, name, differs) for name, differs in apart.items()},
    }
    compared = replace(push, compared=True)
    return replace(pushes, last=compared, streaks=streaks, compared=pushes.compared + 1), False


def repeats(push: Reading, before: Input | None) -> bool:
    """Whether a push says nothing that the input just before it, a reading, had not said.

    Judged, it would change no verdict on fields: they are the same, or unknown, which changes
    nothing (C2). Only windows and timers would move on, as they do with the next input.
    """
    if push.source is not Source.WS or not isinstance(before, Reading):
        return False
    alike = before.quality in JUDGED if push.quality in JUDGED else before.quality is push.quality
    return alike and all(
        getattr(push.balances, name) in {None, getattr(before.balances, name)} for name in SENT
    )


def _streak(pushes: Pushes, name: str, differs: bool) -> int:
    return pushes.streaks.get(name, 0) + 1 if differs else 0


def _apart(push: Balances, answer: Balances) -> Iterator[tuple[str, bool]]:
    """Each field that both have, and whether they differ in it."""
    for name in SENT:
        mine, theirs = getattr(push, name), getattr(answer, name)
        if mine is not None and theirs is not None:
            difference = subtracted(mine, theirs)
            yield name, difference is None or difference.copy_abs() > TOLERANCE
