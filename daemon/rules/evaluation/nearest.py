"""The rule that is nearest to firing on an account, by the fields of one reading. Pure.

Only comparisons of a value of that reading with a constant have a distance: windows, ages and
signals have none. What is shown is for people who want to know that the rules watch.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from daemon.readings.exact import EXACT, ZERO, divided, negated, subtracted
from daemon.readings.fields import AGE, CORE, SIGNS
from daemon.rules.evaluation.compile import compile_deciding, oriented
from daemon.rules.evaluation.values import ValueTable
from daemon.rules.language.tree import (
    Comparison,
    Either,
    Field,
    Node,
    Not,
    children,
    look_back,
    recorded_calls,
    varies,
    walk,
)
from daemon.rules.rule import Rule
from daemon.text.numbers import format_rounded
from daemon.types import SEVERITIES, Balances, Severity

_UNSEEN = frozenset({AGE, *SIGNS})
"""Fields that a reading does not have."""


@dataclass(frozen=True, slots=True)
class Distance:
    """A value, its limit, and how far it may still move: negative beyond the limit."""

    field: str
    value: Decimal
    limit: Decimal
    falling: bool
    """True if the value is worse below the limit."""
    percentage: bool
    left: Decimal

    @property
    def relative(self) -> Decimal:
        """The distance as a share of the larger side, by which rules are compared."""
        if not self.left.is_finite():
            return self.left
        return divided(self.left, max(self.value.copy_abs(), self.limit.copy_abs())) or ZERO

    @property
    def bound(self) -> str:
        return f"{'below' if self.falling else 'above'} {self.brief(self.limit, self.value)}"

    @property
    def now(self) -> str:
        """The value for people; never rounded to its limit."""
        return self.brief(self.value, self.limit)

    def brief(self, value: Decimal, other: Decimal | None = None) -> str:
        """The value for people, rounded, but not so that it would look like `other`."""
        if not (self.percentage and value.is_finite()):
            return format_rounded(value, None, other)
        hundredfold = None if other is None else other.scaleb(2, EXACT)
        return f"{format_rounded(value.scaleb(2, EXACT), None, hundredfold)}%"


@dataclass(frozen=True, slots=True)
class NearestRule:
    rule: str
    severity: Severity
    fires: bool
    distance: Distance

    @property
    def urgency(self) -> tuple[bool, int, Decimal]:
        """Rules that fire come first, by severity; then the nearest one."""
        severity = SEVERITIES.index(self.severity) if self.fires else 0
        return not self.fires, severity, self.distance.relative

    def __str__(self) -> str:
        known = self.distance.field == CORE[0]
        value = "" if known else f" ({self.distance.field} {self.distance.now})"
        condition = f"{self.rule} {self.distance.bound}{value}"
        if self.fires:
            return f"{condition} fires"
        left = self.distance.left
        way = f"{self._brief(negated(left))} beyond it" if left < 0 else f"{self._brief(left)} away"
        return f"nearest rule {condition}, {way}"

    def _brief(self, value: Decimal) -> str:
        return self.distance.brief(value)


def nearest_rule(
    rules: Iterable[Rule], balances: Balances, firing: Collection[str]
) -> NearestRule | None:
    """The nearest of an account's rules; `firing` names those that fire.

    None if no rule compares a value of the reading with a constant.
    """
    distances = [(rule, _distance(rule.when.tree, balances)) for rule in rules]
    found = [
        NearestRule(rule.name, rule.severity, rule.name in firing, distance)
        for rule, distance in distances
        if distance is not None
    ]
    return min(found, key=lambda each: each.urgency, default=None)


def _distance(node: Node, balances: Balances, *, opposite: bool = False) -> Distance | None:
    """How far a condition is from being true; None if that cannot be said.

    Of `or` the nearest part counts, of `and` the farthest one, and each must be known.
    """
    match node:
        case Comparison():
            return _compared(node, balances, opposite=opposite)
        case Not(operand):
            return _distance(operand, balances, opposite=not opposite)
    parts = [_distance(part, balances, opposite=opposite) for part in children(node)]
    known = [part for part in parts if part is not None]
    if isinstance(node, Either) is not opposite:
        return min(known, key=lambda part: part.relative, default=None)
    return max(known, key=lambda part: part.relative) if known == parts else None


def _compared(comparison: Comparison, balances: Balances, *, opposite: bool) -> Distance | None:
    told = oriented(comparison)
    unseen = any(isinstance(part, Field) and part.name in _UNSEEN for part in walk(told))
    kept = any(recorded_calls(told))
    if unseen or kept or look_back(told.left) or varies(told.right):
        return None
    table = ValueTable()
    decide = compile_deciding(told, table, opposite=opposite)
    table.feed(0, balances)
    judged = decide(table.frame)
    if judged.value is None or judged.threshold is None or not judged.directed:
        return None
    above = subtracted(judged.value, judged.threshold)
    if above is None:
        return None
    left = above if judged.falling else negated(above)
    return Distance(
        judged.field, judged.value, judged.threshold, judged.falling, judged.percentage, left
    )
