"""How fast the judged field moves, and what that leads to: one sentence for a person who has to decide quickly. Pure.

It goes on from the change over the last ten minutes as if nothing happened: no forecast, and said as none. Only
amounts that the exchange sends have a pace; what is already a rate, a ratio or a time needs none.
"""

from collections.abc import Iterator
from decimal import Decimal

from daemon.alerts.numbers import about, amount, rough
from daemon.readings.exact import CONTEXT, divided, subtracted
from daemon.types import DAY, MINUTE, SECOND, Facts, Judged, Millis

SHORTEST: Millis = 30 * SECOND
"""Of a span whose change says anything about a pace."""

FARTHEST: Millis = DAY
"""Beyond that nobody can say."""


def pace(facts: Facts) -> Iterator[str]:
    """Nothing where it is not known, or stands still."""
    moved = _moved(facts)
    if facts.judged is None or not moved or facts.span < SHORTEST:
        return
    each = CONTEXT.divide(abs(moved) * MINUTE, Decimal(facts.span))
    way, goal = "rising" if moved > 0 else "falling", _goal(facts.judged, moved, facts.span)
    yield f"{way} by {amount(rough(each))} a minute over the last {about(facts.span)}{goal}"


def _moved(facts: Facts) -> Decimal | None:
    """The change of the judged field within the span."""
    judged = facts.judged
    if judged is None or judged.value is None or not judged.value.is_finite():
        return None
    if judged.field == "free_margin":
        margin, bound = (facts.changes.get(name) for name in ("available_margin", "al_margin"))
        return None if margin is None or bound is None else subtracted(margin, bound)
    return facts.changes.get(judged.field)


def _goal(judged: Judged, moved: Decimal, span: Millis) -> str:
    """When it is back at the threshold at this pace; or, of what falls, gone."""
    for level, words in ((judged.threshold, "back at {}"), (Decimal(0), "0")):
        left = None if judged.value is None or level is None else _left(judged.value, level, moved, span)
        if left is not None and level is not None:
            return f": at this pace {words.format(amount(level))} in {about(left)}"
    return ""


def _left(value: Decimal, level: Decimal, moved: Decimal, span: Millis) -> Millis | None:
    """How long until the level is reached; None where it is reached, lies behind, or too far ahead."""
    distance = subtracted(level, value)
    if not distance or (distance > 0) is not (moved > 0):
        return None
    share = divided(distance, moved)
    if share is None or share * span > FARTHEST:
        return None
    return int(share * span)
