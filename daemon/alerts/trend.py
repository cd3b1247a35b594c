"""How the judged field moved in the last minutes, and where that leads: for a person who has to
decide quickly. Pure.

    values of ten minutes ──► trend (what is known of them, kept in the facts) ──► step, pace (the sentences)

Only what gets worse is told: "rising: back at 100 in 3 min" lets somebody sleep on, and the next
minute may be another one. A crash is a step, and is told as one, with its time. A pace is told only
where the field moves steadily until now; it goes on as if nothing happened, and is said as no more
than that. Ratios, functions of windows and times have neither.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from daemon.readings.exact import CONTEXT, EXACT, ZERO, divided, subtracted
from daemon.rules.evaluation.evaluator import Points
from daemon.text.numbers import about, amount, change, lasting, rough
from daemon.types import (
    DAY,
    MINUTE,
    DecidingComparison,
    Millis,
    NotificationFacts,
    SteadyChange,
    Step,
    Trend,
)

LONGEST: Millis = 2 * MINUTE
"""How far back a pace looks. What has not got worse for so long is told without a trend."""

SHORTEST: Millis = MINUTE
"""How far back a pace looks at least."""

AGREEING = 3
"""The last changes that must agree in their direction to make a pace."""

FARTHEST: Millis = DAY
"""Nobody can tell what is farther ahead."""

NO_TREND = Trend()


def trend(judged: DecidingComparison, recent: Callable[[str], Points], now: Millis) -> Trend:
    """What the last values of the judged field say of where it is going."""
    points = recent(judged.field)
    steps = [
        Step(value, at, next_value, next_at)
        for (at, value), (next_at, next_value) in pairwise(points)
    ]
    steps = [each for each in steps if each.before != each.after]
    if not steps:
        return NO_TREND
    down = judged.falling if judged.directed else _change(steps[-1]) < 0
    worsening = [each for each in steps if (_change(each) < 0) is down]
    if not worsening or now - worsening[-1].after_at > LONGEST:
        return NO_TREND
    largest = max(reversed(worsening), key=lambda each: abs(_change(each)))
    pace = _pace(points, steps, now, down=down)
    is_part_of_pace = pace is not None and not _outweighs(largest, pace.change)
    return Trend(None if is_part_of_pace else largest, pace)


def _pace(points: Points, steps: Sequence[Step], now: Millis, *, down: bool) -> SteadyChange | None:
    """The change since a minute ago, or since two where a minute holds too few changes, if it is a
    steady one.
    """
    last = [_change(each) < 0 for each in steps[-AGREEING:]]
    if last != [down] * AGREEING:
        return None
    start = min(
        _at_or_before(points, now - SHORTEST), _at_or_before(points, steps[-AGREEING].before_at)
    )
    if not now - LONGEST <= points[start][0] <= now - SHORTEST:
        return None
    pace = _since(points, start, now)
    if any(_outweighs(each, pace.change) for each in steps if each.before_at >= points[start][0]):
        return None
    others = (
        _since(points, _at_or_before(points, now - span), now)
        for span in (SHORTEST, pace.span // 4)
    )
    return pace if all(_alike(pace, other) for other in others) else None


def _change(step: Step) -> Decimal:
    return EXACT.subtract(step.after, step.before)


def _at_or_before(points: Points, at: Millis) -> int:
    """The number of the last value at or before an instant; of the first one where there is
    none.
    """
    return max(0, bisect_right(points, at, key=lambda point: point[0]) - 1)


def _since(points: Points, start: int, now: Millis) -> SteadyChange:
    at, value = points[start]
    return SteadyChange(EXACT.subtract(points[-1][1], value), now - at)


def _outweighs(step: Step, whole: Decimal) -> bool:
    """Whether one step is more than half of a change: then that is no steady one."""
    return 2 * abs(_change(step)) > abs(whole)


def _alike(one: SteadyChange, other: SteadyChange) -> bool:
    """Whether both go the same way, neither of them more than twice as fast."""
    first, second = EXACT.multiply(one.change, other.span), EXACT.multiply(other.change, one.span)
    return (
        (first > 0) is (second > 0)
        and abs(first) <= 2 * abs(second)
        and abs(second) <= 2 * abs(first)
    )


# The sentences.


def step(facts: NotificationFacts, moment: Callable[[Millis], str]) -> Iterator[str]:
    """`400 at 03:12:16 -> 90 at 03:12:21: -310 in 5 s`; nothing where there is none."""
    found = facts.trend.step
    if found is not None:
        before, after = amount(rough(found.before)), amount(rough(found.after))
        moved = f"{change(rough(_change(found)))} in {lasting(found.after_at - found.before_at)}"
        yield (
            f"{before} at {moment(found.before_at)} -> {after} at {moment(found.after_at)}: {moved}"
        )


def pace(facts: NotificationFacts) -> Iterator[str]:
    """How fast it gets worse, and when it will have got to where that matters; nothing where it is
    not steady.
    """
    found = facts.trend.pace
    if found is None or facts.judged is None:
        return
    each = CONTEXT.divide(abs(found.change) * MINUTE, Decimal(found.span))
    way = "rising" if found.change > 0 else "falling"
    yield (
        f"{way} by {amount(rough(each))} a minute over the last"
        f" {about(found.span)}{_goal(facts.judged, found)}"
    )


def _goal(judged: DecidingComparison, pace: SteadyChange) -> str:
    """When it is at the threshold at this pace; or, if it falls, at 0."""
    for level in (judged.threshold, ZERO):
        left = None if judged.value is None or level is None else _left(judged.value, level, pace)
        if left is not None and level is not None:
            return f": at this pace {amount(level)} in {about(left)}"
    return ""


def _left(value: Decimal, level: Decimal, pace: SteadyChange) -> Millis | None:
    """How long until the level is reached; None where it is reached, lies behind, or too far
    ahead.
    """
    distance = subtracted(level, value)
    if not distance or (distance > 0) is not (pace.change > 0):
        return None
    share = divided(distance, pace.change)
    if share is None or share * pace.span > FARTHEST:
        return None
    return int(share * pace.span)
