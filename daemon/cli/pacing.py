"""How often each account is really read, and what its windows take in memory: for `check` and `status`. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from daemon.config import Config
from daemon.config.pace import settled
from daemon.readings.fields import CORE
from daemon.rules.evaluator import CHANGE_SPAN
from daemon.rules.rule import Rule
from daemon.rules.tree import Call, Field, Node, walk
from daemon.types import Millis

PER_READING = 250
"""Bytes that a reading takes in one series, measured: 120, and as much again until the series lets go of its past."""


def intervals(config: Config, user_ids: Mapping[str, str]) -> dict[str, Millis]:
    """By account: the interval after all have been stretched evenly to the budget; `user_ids` are those known."""
    return settled(config.accounts, config.budget, user_ids)


def memory(config: Config, every: Mapping[str, Millis]) -> int:
    """Bytes that the windows of all accounts take once they are full."""
    return sum(
        PER_READING * (span // every[account.name] + 1)
        for account in config.accounts
        for span in _spans([rule for rule in config.rules if rule.watches(account.name)]).values()
    )


def _spans(rules: Sequence[Rule]) -> dict[Node, Millis]:
    """By expression, how long its values are kept: once, for the longest of its windows.

    Messages show how the five fields have changed, so these are always kept.
    """
    spans: dict[Node, Millis] = {Field(name): CHANGE_SPAN for name in CORE}
    for call in _calls(rules):
        kept = call.arguments[0]
        spans[kept] = max(spans.get(kept, 0), call.span)
    return spans


def _calls(rules: Sequence[Rule]) -> Iterator[Call]:
    conditions = (condition for rule in rules for condition in (rule.when, rule.clear_when) if condition is not None)
    return (node for condition in conditions for node in walk(condition.tree) if isinstance(node, Call))
