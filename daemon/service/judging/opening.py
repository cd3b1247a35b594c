"""A life of the daemon begins: what the recorded states become under the rules now in force. Pure.

Two inputs may stand at the beginning: a clock step, where the record ends in the future, and the
change of the configuration, which retires the alerts whose rule or account is gone or means
something else now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from daemon.alerts.decide import decide
from daemon.alerts.dispatch import NotificationPolicy, ToldBy
from daemon.alerts.engine import NameAlert
from daemon.alerts.mutes import NO_MUTES, Mutes
from daemon.alerts.notification_facts import EvaluationSnapshot
from daemon.rules.rule import Rule
from daemon.service.clock_monitor import STEP
from daemon.types import AccountState, ClockStep, ConfigChange, Input, Millis, Record


@dataclass(frozen=True, slots=True)
class AccountStart:
    """How one account begins."""

    state: AccountState
    stepped: Record | None
    """A clock step (SEMANTICS A5), to be recorded before the epoch."""
    changed: Record
    """The change of the configuration, recorded with the epoch."""


@dataclass(frozen=True, slots=True)
class StartConfig:
    """What all accounts begin under."""

    rules: Sequence[Rule]
    channels: Sequence[str]
    accounts: Mapping[str, str]
    """Those of the configuration, with their exchange; the alerts of others are retired."""
    name_alert: NameAlert
    mutes: Mutes = NO_MUTES
    every: Mapping[str, Millis] = field(default_factory=dict)
    """By account: the effective interval."""

    def written(self) -> dict[str, object]:
        """What is recorded with an epoch, so that the past can be looked at as it was: `rules` and
        `mutes`.
        """
        return {"rules": [rule.written() for rule in self.rules], "mutes": self.mutes.written()}


def watching(rules: Iterable[Rule], account: str) -> dict[str, Rule]:
    """The rules that watch the account, by name, in the order of the configuration."""
    return {rule.name: rule for rule in rules if rule.watches(account)}


def open_account(
    recorded: AccountState, told: ToldBy, setting: StartConfig, now: Millis
) -> AccountStart:
    """Begin one account at `now` from what is recorded of it."""
    state, stepped = recorded, None
    by = now - recorded.at
    if by < -STEP:
        state, stepped = _take(recorded, ClockStep(recorded.seq + 1, now, by), {}, told, setting)
    configured = recorded.account in setting.accounts
    rules = watching(setting.rules, recorded.account) if configured else {}
    state, changed = _take(
        state, ConfigChange(state.seq + 1, max(now, state.at)), rules, told, setting
    )
    # An account that is configured no more: from now on nobody expects readings of it.
    return AccountStart(state if configured else replace(state, since=None), stepped, changed)


def _take(
    state: AccountState, event: Input, rules: Mapping[str, Rule], told: ToldBy, setting: StartConfig
) -> tuple[AccountState, Record]:
    decision = decide(
        state,
        event,
        EvaluationSnapshot(),
        NotificationPolicy(rules, setting.channels, setting.mutes),
        told,
        setting.name_alert,
    )
    return decision.state, decision.record
