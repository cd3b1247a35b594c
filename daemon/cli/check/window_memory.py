"""The memory that the windows of all accounts take. Pure."""

from collections.abc import Iterable, Mapping

from daemon.config import Config
from daemon.readings.fields import CORE
from daemon.rules.evaluation.compile import compile_truth
from daemon.rules.evaluation.evaluator import CHANGE_SPAN, conditions
from daemon.rules.evaluation.values import ValueTable
from daemon.rules.language.tree import Call, DurationLiteral, Field
from daemon.rules.rule import Rule
from daemon.types import Millis


def window_memory(config: Config, every: Mapping[str, Millis]) -> int:
    """The approximate bytes that the windows of all accounts take once they are full."""
    return sum(
        _table(rule for rule in config.rules if rule.watches(account.name)).memory(
            every[account.name]
        )
        for account in config.accounts
    )


def _table(rules: Iterable[Rule]) -> ValueTable:
    """The values that an evaluator keeps for these rules.

    The changes of the five core fields are always among them, because messages show them.
    """
    table = ValueTable()
    for rule in rules:
        for condition in conditions(rule):
            compile_truth(condition.tree, table)
    for name in CORE:
        table.window(Call("delta", (Field(name), DurationLiteral(CHANGE_SPAN))))
    return table
