"""How often accounts are really read when their wishes together exceed the budget (SEMANTICS B3)."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil

from daemon.config.model import Account, Budget
from daemon.rules.durations import duration_text
from daemon.rules.rule import Condition
from daemon.rules.tree import Comparison, Field, Span, walk
from daemon.types import Limit, Millis


def effective(accounts: Sequence[Account], budget: Budget) -> dict[str, Millis]:
    """By account: the interval after all have been stretched evenly to what the host may call."""
    asked = sum((Fraction(1, account.every) for account in accounts), Fraction())
    stretch = max(Fraction(1), asked / _allowed(budget.host))
    slowest = max(1 / _allowed(budget.user), 1 / _allowed(budget.assets))
    return {account.name: ceil(max(account.every * stretch, slowest)) for account in accounts}


def _allowed(limit: Limit) -> Fraction:
    """Calls per millisecond."""
    return Fraction(limit.count, limit.per)


def age_mistakes(condition: Condition, intervals: Mapping[str, Millis]) -> Iterator[str]:
    """One sentence per limit on `age` that passes between two readings of an account that is read as it should."""
    for limit in _age_limits(condition):
        slow = next((name for name, interval in intervals.items() if limit < interval), None)
        if slow is not None:
            every = duration_text(intervals[slow])
            yield f'age is compared with {duration_text(limit)}, but "{slow}" is read only every {every}'


def _age_limits(condition: Condition) -> Iterator[Millis]:
    for node in walk(condition.tree):
        match node:
            case Comparison(_, Field("age"), Span(limit)) | Comparison(_, Span(limit), Field("age")):
                yield limit
            case _:
                pass
