"""Runs one account's inputs through the functions of the live daemon. Pure: no I/O.

    inputs ──► judge (evaluator) ──► decide (step, dispatch) ──► a record per input

Every message counts as delivered. All replays use this session: there is no second evaluator and no
second engine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from daemon.alerts.channel_decisions import NotificationPolicy
from daemon.alerts.decide import decide, judge, snapshot
from daemon.alerts.engine import shifted
from daemon.alerts.ids import alert_code
from daemon.alerts.mutes import NO_MUTES, Mutes
from daemon.alerts.silences import NO_SILENCES
from daemon.readings.fields import CORE, DERIVED_AMOUNTS, MADE_OF, SENT
from daemon.replay.assumed_delivery import AssumedDelivery
from daemon.rules.evaluation.evaluator import Evaluator, conditions
from daemon.rules.language.tree import Comparison, Field, walk
from daemon.rules.rule import Rule
from daemon.types import (
    JUDGED,
    AccountState,
    ClockStep,
    Input,
    Millis,
    Reading,
    Record,
    Silence,
    Unconfirmed,
)

CODES = 20_000
"""Alert codes that are remembered, so that new alerts get other codes."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules and channels to replay, as a configuration has them."""

    rules: Sequence[Rule]
    """Written rules, and the system rules about accounts."""
    channels: Sequence[str]
    mutes: Mutes = NO_MUTES
    group_waits: Mapping[str, Millis] = field(default_factory=dict)
    """Time that news waits to be joined, by channel."""
    silences: Sequence[Silence] = NO_SILENCES
    """The silences in force."""

    def watching(self, account: str) -> dict[str, Rule]:
        """Rules of one account, by name."""
        return {rule.name: rule for rule in self.rules if rule.watches(account)}


class ReplaySession:
    """Replays one account, starting at `state`.

    `changing` are the fields whose change messages show.
    """

    def __init__(self, scheme: RuleSet, state: AccountState, changing: Sequence[str] = ()) -> None:
        self.state = state
        self.rules = scheme.watching(state.account)
        self.evaluator = Evaluator(
            tuple(self.rules.values()), changing, scheme.mutes.zone, state.values
        )
        self.delivered = AssumedDelivery(scheme.group_waits)
        self._order = NotificationPolicy(self.rules, scheme.channels, scheme.mutes, scheme.silences)
        self._codes: set[str] = set()
        self._name_alert = partial(alert_code, taken=self._codes)

    def warm(self, event: Input) -> None:
        """Feed an input before the start of the replay: it fills windows and is not judged."""
        if isinstance(event, ClockStep):
            self.evaluator.shift(event.by)
            self.state = shifted(self.state, event)
            return
        since = event.at if self.state.since is None else self.state.since
        judged_at = self.state.judged_at
        if isinstance(event, Unconfirmed) or (
            isinstance(event, Reading) and event.quality in JUDGED
        ):
            self.evaluator.warm(event)
            judged_at = event.at
        self.state = replace(
            self.state, seq=event.seq, at=event.at, judged_at=judged_at, since=since
        )

    def play(self, event: Input) -> Record:
        """Judge an input and return its record."""
        verdicts = judge(self.evaluator, event, self.state.alerts)
        told = self.delivered.told(event.at)
        shown = snapshot(self.evaluator, verdicts, self.state.alerts)
        decision = decide(self.state, event, shown, self._order, told, self._name_alert)
        self.state = decision.state
        if decision.record.alerts:
            self._remember(decision.record)
        if has_effect(decision.record):
            self.delivered.adopt(decision.record)
        return decision.record

    def _remember(self, record: Record) -> None:
        """Remember the codes in use; recent alerts get different codes, in bounded memory."""
        if len(self._codes) >= CODES:
            self._codes.clear()
            self._codes.update(alert.code for alert in self.state.alerts.values())
        self._codes.update(alert.code for alert in record.alerts)


def has_effect(record: Record) -> bool:
    """Whether the record has any effect; nearly every record has none."""
    return bool(record.alerts or record.notices or record.superseded) or isinstance(
        record.event, ClockStep
    )


def judged_amounts(rules: Sequence[Rule]) -> tuple[str, ...]:
    """Sent fields that the rules compare directly; messages show how these change."""
    trees = [condition.tree for rule in rules for condition in conditions(rule)]
    comparisons = [node for tree in trees for node in walk(tree) if isinstance(node, Comparison)]
    compared = {
        side.name
        for node in comparisons
        for side in (node.left, node.right)
        if isinstance(side, Field)
    }
    shown = compared.union(*(MADE_OF[name] for name in DERIVED_AMOUNTS if name in compared))
    return tuple(name for name in CORE if name in shown)


def used_fields(rules: Sequence[Rule]) -> tuple[str, ...]:
    """Sent fields that the rules use; a derived field counts as its parts."""
    trees = [condition.tree for rule in rules for condition in conditions(rule)]
    named = {node.name for tree in trees for node in walk(tree) if isinstance(node, Field)}
    needed = named.union(*(MADE_OF.get(name, ()) for name in named))
    return tuple(name for name in SENT if name in needed)
