"""Inputs of one account, played through the engine: readings and misses by their second."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from daemon.alerts.engine import StepResult, step
from daemon.rules.evaluation.evaluator import Verdict
from daemon.rules.rule import Rule
from daemon.types import (
    SECOND,
    AccountState,
    Alert,
    ClockStep,
    ConfigChange,
    Input,
    Millis,
    State,
    Transition,
)
from tests.values import FALSE, T0, TRUE, miss, reading, state

Found: TypeAlias = Verdict | None
"""What an input says of the rule; None is a miss."""

MISS: Found = None


def name(rule: str, account: str, at: Millis) -> str:
    return f"{rule}-{account}-{at - T0}"


class Played:
    """One account with one rule, or several of which the first is meant."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = {one.name: one for one in rules}
        self.rule = rules[0]
        self.state: AccountState = state()
        self.transitions: list[Transition] = []
        self.changed: list[Alert] = []

    def at(self, second: float, found: Found) -> StepResult:
        """A reading with this verdict, or a miss, so many seconds after the beginning."""
        seq, at = self.state.seq + 1, T0 + round(second * SECOND)
        if found is None:
            return self.take(miss(seq, at), {})
        return self.take(reading(seq, at), {self.rule.name: found})

    def all(self, found: Mapping[float, Found] | Sequence[Found]) -> "Played":
        """By their second, or one a second from the first second on."""
        for second, one in found.items() if isinstance(found, Mapping) else enumerate(found, 1):
            self.at(second, one)
        return self

    def configured(self, second: float, *rules: Rule) -> StepResult:
        self.rules = {one.name: one for one in rules}
        return self.take(ConfigChange(self.state.seq + 1, T0 + round(second * SECOND)), {})

    def stepped(self, by: Millis) -> StepResult:
        return self.take(ClockStep(self.state.seq + 1, self.state.at + by, by), {})

    def take(self, event: Input, verdicts: Mapping[str, Verdict]) -> StepResult:
        outcome = step(self.state, event, verdicts, self.rules, name)
        self.state = outcome.state
        self.transitions += outcome.transitions
        self.changed += outcome.changed
        return outcome

    @property
    def alert(self) -> Alert | None:
        """The rule's own."""
        return self.state.alerts.get(self.rule.name)

    @property
    def moves(self) -> list[tuple[State, State, str, float]]:
        """From, to, why, and in which second."""
        return [
            (t.from_state, t.to_state, t.reason, (t.at - T0) / SECOND) for t in self.transitions
        ]

    def flaps(
        self,
        times: int,
        every: float = 2,
        begin: float = 0,
        low: Verdict = TRUE,
        high: Verdict = FALSE,
    ) -> None:
        """It fires and ends so often; it ends half of `every` later."""
        for number in range(times):
            self.at(begin + number * every, low)
            self.at(begin + (number + 0.5) * every, high)
