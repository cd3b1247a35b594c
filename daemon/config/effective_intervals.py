"""Effective polling intervals: the wanted ones, stretched to the budget (SEMANTICS B3). Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from daemon.config.model import Account, BudgetLimits
from daemon.hidden import Secret
from daemon.rules.language.tree import Comparison, DurationLiteral, Field, walk
from daemon.rules.rule import Condition
from daemon.text.durations import duration_text
from daemon.types import Limit, Millis

IN_FLIGHT: Millis = 200
"""Usual duration of a call to another continent; its place in the budget stays taken meanwhile."""


def intervals(
    accounts: Sequence[Account],
    limits: BudgetLimits,
    user_ids: Mapping[str, str],
    halved: Collection[str] = (),
) -> dict[str, Millis]:
    """The interval of each account now.

    `user_ids` are the known ones, by account; accounts without one share one user's allowance. Each
    host has the limits for itself; hosts in `halved` have half of them left.
    """
    found: dict[str, Millis] = {}
    for host in {each.host: None for each in accounts}:
        own = [each for each in accounts if each.host == host]
        wishes = {
            each.name: WantedInterval(each.every, each.user_id or user_ids.get(each.name, ""))
            for each in own
        }
        left = limits.halved if host in halved else limits
        found |= stretch(wishes, left.host, (left.user, left.assets), IN_FLIGHT)
    return {each.name: found[each.name] for each in accounts}


def settled_intervals(
    accounts: Sequence[Account],
    limits: BudgetLimits,
    user_ids: Mapping[str, str],
    halved: Collection[str] = (),
) -> dict[str, Millis]:
    """The interval of each account once every account has answered.

    An account of an unknown user counts as a user of its own, unless it shares its key. It is one
    from its first answer on.
    """
    first: dict[Secret, str] = {}
    owners = {}
    for each in accounts:
        name = first.setdefault(each.api_key, each.name) if each.api_key else each.name
        owners[each.name] = user_ids.get(each.name) or f"the user of {name}"  # no user id looks so
    return intervals(accounts, limits, owners, halved)


@dataclass(frozen=True, slots=True)
class WantedInterval:
    """The interval that an account wants; `user_id` is "" while it is not known."""

    every: Millis
    user_id: str = ""


def stretch(
    wishes: Mapping[str, WantedInterval], host: Limit, per_user: Sequence[Limit], held: Millis = 0
) -> dict[str, Millis]:
    """The effective interval of every account, by name.

    The intervals of all accounts that share an exceeded limit grow by one common factor: first
    within each user (accounts of an unknown user count as one), then on the host. `held` is how
    long a call is usually in flight, as its place stays taken that much longer.
    """
    every = {name: Fraction(wish.every) for name, wish in wishes.items()}
    accounts = defaultdict[str, list[str]](list)
    for name, wish in wishes.items():
        accounts[wish.user_id].append(name)
    for own in accounts.values():
        factor = max(
            (_excess([every[name] for name in own], limit, held) for limit in per_user),
            default=Fraction(1),
        )
        every |= {name: every[name] * factor for name in own}
    factor = _excess(list(every.values()), host, held)
    return {name: ceil(interval * factor) for name, interval in every.items()}


def _excess(intervals: list[Fraction], limit: Limit, held: Millis) -> Fraction:
    """The factor by which these intervals together exceed the limit; 1 when they do not."""
    rate = sum((1 / interval for interval in intervals), Fraction(0))
    return max(Fraction(1), rate * (limit.per + held) / limit.count)


def age_mistakes(condition: Condition, intervals: Mapping[str, Millis]) -> Iterator[str]:
    """One sentence per limit on `age` that passes between two regular readings of an account."""
    for limit in _age_limits(condition):
        slow = slower(limit, intervals)
        if slow is not None:
            yield f"age is compared with {duration_text(limit)}, but {slow}"


def slower(limit: Millis, intervals: Mapping[str, Millis]) -> str | None:
    """The clause that names an account read less often than the limit passes; None without one."""
    slow = next((name for name, interval in intervals.items() if limit < interval), None)
    return None if slow is None else f'"{slow}" is read only every {duration_text(intervals[slow])}'


def _age_limits(condition: Condition) -> Iterator[Millis]:
    for node in walk(condition.tree):
        match node:
            case Comparison(_, Field("age"), DurationLiteral(limit)) | Comparison(
                _, DurationLiteral(limit), Field("age")
            ):
                yield limit
            case _:
                pass
