"""How often each account is really read, and what its windows take in memory: for `check` and
`status`. Pure.
"""

from collections.abc import Collection, Iterable, Mapping

from daemon.config import Config
from daemon.config.intervals import settled_intervals
from daemon.readings.fields import CORE
from daemon.rules.evaluation.compile import compile_truth
from daemon.rules.evaluation.evaluator import CHANGE_SPAN
from daemon.rules.evaluation.values import ValueTable
from daemon.rules.language.tree import Call, DurationLiteral, Field
from daemon.rules.rule import Rule
from daemon.types import Millis


def intervals(
    config: Config, user_ids: Mapping[str, str], halved: Collection[str] = ()
) -> dict[str, Millis]:
    """By account: the interval after all have been stretched evenly to the budget; `user_ids` are
    those known.

    `halved` are the hosts that complained.
    """
    return settled_intervals(config.accounts, config.budget, user_ids, halved)


def memory(config: Config, every: Mapping[str, Millis]) -> int:
    """About how many bytes the windows of all accounts take once they are full."""
    return sum(
        _table(rule for rule in config.rules if rule.watches(account.name)).memory(
            every[account.name]
        )
        for account in config.accounts
    )


def _table(rules: Iterable[Rule]) -> ValueTable:
    """What an evaluator looks at; messages show how the five fields have changed, so that is always
    kept.
    """
    table = ValueTable()
    for rule in rules:
        for condition in (rule.when, rule.clear_when):
            if condition is not None:
                compile_truth(condition.tree, table)
    for name in CORE:
        table.window(Call("delta", (Field(name), DurationLiteral(CHANGE_SPAN))))
    return table
