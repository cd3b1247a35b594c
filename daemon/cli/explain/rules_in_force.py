"""Which rules were in force at an instant: found among the epochs, whose rules are read only where
they are needed.
"""

from dataclasses import dataclass

from daemon.rules import recorded
from daemon.store.history import History
from daemon.store.read.recorded import PastEpoch
from daemon.types import Millis


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """How it stood with one rule and one account at an instant."""

    epoch: PastEpoch
    """In which the instant lies."""
    watched: bool
    """Whether the rule watched the account in it."""
    over: PastEpoch | None = None
    """Where it did before: the first epoch in which it did so no more."""


def standing(history: History, rule: str, account: str, at: Millis) -> RuleInForce | None:
    """None where the instant lies before the first epoch that names the account."""
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
