"""Sources of a replay: rules from a configuration or an epoch, and an account's inputs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daemon.alerts.mutes import recorded_mutes, unknown_zone
from daemon.alerts.silences import NO_SILENCES
from daemon.config import Config
from daemon.replay.session import RuleSet
from daemon.replay.verify import Epoch
from daemon.rules import recorded
from daemon.rules.evaluation.evaluator import uses_time_of_day
from daemon.rules.language.errors import ExpressionError
from daemon.store.history import History
from daemon.store.read.recorded import PastEpoch
from daemon.types import AccountState, Input, Millis, Reading, Silence, Transition

END: Millis = 2**62


def rule_set(config: Config, silences: Sequence[Silence] = NO_SILENCES) -> RuleSet:
    """The set of rules and mute windows of a configuration."""
    waits = {channel.name: channel.group_wait for channel in config.channels}
    return RuleSet(config.account_rules, tuple(waits), config.mutes, waits, silences)


@dataclass(frozen=True, slots=True)
class RecordedAccount:
    """One account's record, for `verify` and `explain`."""

    history: History
    account: str

    def epochs(self) -> Iterator[Epoch]:
        """The epochs that name the account."""
        for epoch in self.history.epochs(0, END):
            if self.account in epoch.state:
                yield epoch_of(epoch, self.account)

    def inputs(self, after: int, until: int | None) -> Iterator[Input]:
        return self.history.inputs(self.account, after, until)

    def warm(self, seq: int, since: Millis) -> Iterator[Reading]:
        return self.history.warm(self.account, seq, since)

    def lacks(self, after: int, before: int) -> bool:
        return any(self.history.holes(self.account, after, before - 1))

    def transitions(self) -> Iterator[Transition]:
        return (each.transition for each in self.history.transitions(self.account))


def epoch_of(epoch: PastEpoch, account: str) -> Epoch:
    """The epoch with its rules, or with the reason why they cannot be replayed.

    An account that the epoch does not name is watched by none of its rules.
    """
    state = epoch.state.get(account, AccountState(account))
    try:
        rules = recorded.read_rules(epoch.rules)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, ExpressionError):
        why = (
            f"its rules were recorded by version {epoch.version}, and this one cannot read them:"
            " replay with that one"
        )
        return Epoch(state, (), why)
    zone = unknown_zone(epoch.rules)
    if zone and any(uses_time_of_day(rule) for rule in rules if rule.watches(account)):
        why = (
            f"its rules use times of day in the time zone {zone}, which this machine does not know:"
            " install its zones (tzdata), or replay on another machine"
        )
        return Epoch(state, (), why)
    return Epoch(state, rules, mutes=recorded_mutes(epoch.rules))
