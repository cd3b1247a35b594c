"""Trend of the judged field over the last minutes, and where it leads. Pure.

    values of ten minutes ──► trend (kept in the facts) ──► step, pace (sentences)

Only a change for the worse is told: "rising: back at 100 in 3 min" lets people sleep on, and the
next minute may differ. A crash is a step, told with its time. A pace is told only while the field
moves steadily; it assumes that nothing else happens. Ratios, window functions and times have
neither.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from daemon.readings.exact import CONTEXT, EXACT, ZERO, divided, subtracted
from daemon.readings.fields import CORE
from daemon.rules.evaluation.evaluator import Points
from daemon.text.numbers import format_amount, format_change, format_duration, format_minutes, rough
from daemon.types import (
    DAY,
    MINUTE,
    SECOND,
    DecidingComparison,
    Millis,
    NotificationFacts,
    SteadyChange,
    Step,
    Trend,
)

LONGEST: Millis = 2 * MINUTE
"""Longest span of a pace. A field that did not get worse within it has no trend."""

SHORTEST: Millis = MINUTE
"""Shortest span of a pace."""

AGREEING = 3
"""Number of last changes that must have the same direction to make a pace."""

PAUSE: Millis = 15 * SECOND
"""Longest time between two changes that are told as one step."""

PART = Decimal("0.1")
"""Smallest change that is told as part of a step, as a share of the step's largest change."""

NEAR: Millis = MINUTE // 2
"""Tolerance: a reading this much off a minute ago still shows the change over a minute."""

FARTHEST: Millis = DAY
"""Longest forecast; beyond it nothing is told."""

NO_TREND = Trend()


def trend(judged: DecidingComparison, recent: Callable[[str], Points], now: Millis) -> Trend:
    """Trend of the judged field, from its last values."""
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
    return Trend(None if is_part_of_pace else _extended(largest, steps), pace)


def _extended(largest: Step, steps: Sequence[Step]) -> Step:
    """Step with its neighbours in the same direction, as a crash often takes several readings.

    Small changes are left out: they would make a crash look slow.
    """
    at = steps.index(largest)
    first = last = largest
    for each in reversed(steps[:at]):
        if not _belongs(each, largest) or first.before_at - each.after_at > PAUSE:
            break
        first = each
    for each in steps[at + 1 :]:
        if not _belongs(each, largest) or each.before_at - last.after_at > PAUSE:
            break
        last = each
    return Step(first.before, first.before_at, last.after, last.after_at)


def _belongs(step: Step, largest: Step) -> bool:
    if step.after_at - step.before_at > MINUTE:  # over a gap, in which it may have been slow
        return False
    change, whole = _change(step), _change(largest)
    return (change < 0) is (whole < 0) and abs(change) >= EXACT.multiply(PART, abs(whole))


def _pace(points: Points, steps: Sequence[Step], now: Millis, *, down: bool) -> SteadyChange | None:
    """Steady change over the last minute, or two if one minute holds too few changes."""
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


def minute_changes(recent: Callable[[str], Points], now: Millis) -> Mapping[str, Decimal]:
    """Change of each field since the reading that is nearest to a minute ago."""
    changes = {}
    for name in CORE:
        points = recent(name)
        if not points:
            continue
        near = points[_at_or_before(points, now - MINUTE) :][:2]
        at, before = min(near, key=lambda point: abs(now - MINUTE - point[0]))
        if abs(now - MINUTE - at) <= NEAR:
            change = subtracted(points[-1][1], before)
            if change is not None:
                changes[name] = change
    return changes


def _change(step: Step) -> Decimal:
    return EXACT.subtract(step.after, step.before)


def _at_or_before(points: Points, at: Millis) -> int:
    """Index of the last value at or before an instant; 0 if there is none."""
    return max(0, bisect_right(points, at, key=lambda point: point[0]) - 1)


def _since(points: Points, start: int, now: Millis) -> SteadyChange:
    at, value = points[start]
    return SteadyChange(EXACT.subtract(points[-1][1], value), now - at)


def _outweighs(step: Step, whole: Decimal) -> bool:
    """Check whether one step is more than half of a change, which is then not steady."""
    return 2 * abs(_change(step)) > abs(whole)


def _alike(one: SteadyChange, other: SteadyChange) -> bool:
    """Check for the same direction, neither of them more than twice as fast."""
    first, second = EXACT.multiply(one.change, other.span), EXACT.multiply(other.change, one.span)
    return (
        (first > 0) is (second > 0)
        and abs(first) <= 2 * abs(second)
        and abs(second) <= 2 * abs(first)
    )


# Sentences


def step_sentence(facts: NotificationFacts, moment: Callable[[Millis], str]) -> Iterator[str]:
    """Sentence of a step: `400 at 03:12:16 -> 90 at 03:12:21: -310 in 5 s`; empty if none."""
    found = facts.trend.step
    if found is not None:
        before, after = format_amount(rough(found.before)), format_amount(rough(found.after))
        duration = format_duration(found.after_at - found.before_at)
        moved = f"{format_change(rough(_change(found)))} in {duration}"
        yield (
            f"{before} at {moment(found.before_at)} -> {after} at {moment(found.after_at)}: {moved}"
        )


def pace_sentence(facts: NotificationFacts) -> Iterator[str]:
    """Sentence of a pace: how fast it gets worse, and when it reaches the threshold."""
    found = facts.trend.pace
    if found is None or facts.judged is None:
        return
    each = CONTEXT.divide(abs(found.change) * MINUTE, Decimal(found.span))
    way = "rising" if found.change > 0 else "falling"
    yield (
        f"{way} by {format_amount(rough(each))} a minute over the last"
        f" {format_minutes(found.span)}{_goal(facts.judged, found)}"
    )


def _goal(judged: DecidingComparison, pace: SteadyChange) -> str:
    """Words that say when it reaches the threshold, or else 0, at this pace."""
    for level in (judged.threshold, ZERO):
        left = None if judged.value is None or level is None else _left(judged.value, level, pace)
        if left is not None and level is not None:
            return f": at this pace {format_amount(rough(level))} in {format_minutes(left)}"
    return ""


def _left(value: Decimal, level: Decimal, pace: SteadyChange) -> Millis | None:
    """Time until the level is reached; None if it is behind, or too far ahead."""
    distance = subtracted(level, value)
    if not distance or (distance > 0) is not (pace.change > 0):
        return None
    share = divided(distance, pace.change)
    if share is None or share * pace.span > FARTHEST:
        return None
    return int(share * pace.span)
