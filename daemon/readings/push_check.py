"""Check of pushes against answers: which one is newer, and which pushed fields are believed (B7).

Pure. Answers are the truth, pushes are fast. An answer that a push overtook is stale. A field in
which pushes and answers disagree again and again is taken from answers alone. Instants are those of
`Clock.elapsed`. Nothing of this is recorded: each run of the daemon starts anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from daemon.readings.exact import subtracted
from daemon.readings.fields import SENT
from daemon.types import JUDGED, SECOND, Balances, Input, Millis, Reading, Source

TOLERANCE = Decimal("0.000001")
"""Largest difference that counts as equal, in USDT."""

COMPARED_WITHIN: Millis = 2 * SECOND
"""Longest time between a push and the request it is compared with, as balances move."""

LIMIT = 3


@dataclass(frozen=True, slots=True)
class Push:
    at: Millis
    """Time of arrival."""
    balances: Balances
    """Believed fields only."""
    compared: bool = False
    """True once an answer was compared with it; a second one would add nothing."""


@dataclass(frozen=True, slots=True)
class Pushes:
    """Knowledge about one account's pushes."""

    limit: int = LIMIT
    """Disagreements in a row after which a field is believed no more."""
    last: Push | None = None
    streaks: Mapping[str, int] = field(default_factory=dict)
    """Disagreements in a row, by field."""
    compared: int = 0
    """Number of pushes that were compared with an answer."""

    @property
    def contradicted(self) -> tuple[str, ...]:
        """Fields that are taken from answers alone."""
        return tuple(name for name in SENT if self.streaks.get(name, 0) >= self.limit)


def take_push(pushes: Pushes, balances: Balances, at: Millis) -> tuple[Pushes, Balances | None]:
    """Take in a push that arrived at `at`: its believed fields, None if there are none."""
    believed = replace(balances, **dict.fromkeys(pushes.contradicted))
    if believed == Balances():
        return pushes, None
    return replace(pushes, last=Push(at, believed)), believed


def take_answer(pushes: Pushes, balances: Balances, asked_at: Millis) -> tuple[Pushes, bool]:
    """Take in an answer whose request left at `asked_at`; True if it is stale.

    A request of the same millisecond as a push counts as sent before it: that costs at most one
    more call.
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
    """Check whether a push says nothing that the input just before it, a reading, did not say.

    If judged, it would change no verdict: its fields are the same, or unknown, which changes
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
    """Yield each field that both have, and whether they differ in it."""
    for name in SENT:
        mine, theirs = getattr(push, name), getattr(answer, name)
        if mine is not None and theirs is not None:
            difference = subtracted(mine, theirs)
            yield name, difference is None or difference.copy_abs() > TOLERANCE
