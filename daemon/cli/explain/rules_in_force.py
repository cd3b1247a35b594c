"""Finding the rule that was in force at an instant, among the recorded epochs."""

from dataclasses import dataclass

from daemon.rules import recorded
from daemon.store.history import History
from daemon.store.read.recorded import PastEpoch
from daemon.types import Millis


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """The relation of one rule to one account at an instant."""

    epoch: PastEpoch
    """The epoch of the instant."""
    watched: bool
    """Whether the rule watched the account in that epoch."""
    over: PastEpoch | None = None
    """If it watched the account earlier only: the first epoch in which it no longer did."""


def rule_in_force(history: History, rule: str, account: str, at: Millis) -> RuleInForce | None:
    """The rule at the instant; None if that is before the first epoch with the account."""
    found: RuleInForce | None = None
    for epoch in history.epochs(0, at + 1):
        state = epoch.state.get(account)
        if (state is None and found is None) or (state is not None and state.at > at):
            continue
        watched = (
            state is not None
            and state.since is not None
            and recorded.rule_watched(epoch.rules, rule, account)
        )
        over = (
            epoch if found is not None and found.watched else None if found is None else found.over
        )
        found = RuleInForce(epoch, watched, None if watched else over)
    return found
