"""Explains why a rule did or did not alert at an instant, by replay up to it. Pure.

    state of the epoch ──► windows rebuilt ──► inputs up to the instant
                       ──► every value of the conditions, the alert with its timers, the mutes

If no epoch covers the instant, the replay starts with an empty state some time before it.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from daemon.alerts.engine import unread_for
from daemon.alerts.hold_reasons import Hold, Muter
from daemon.alerts.mutes import Mutes
from daemon.replay.session import ReplaySession, RuleSet
from daemon.replay.verify import Epoch, Past
from daemon.rules.evaluation.trace import Trace
from daemon.rules.rule import Rule
from daemon.types import (
    FLAPPING,
    AccountState,
    Alert,
    ClockStep,
    ConfigChange,
    Input,
    Millis,
    Miss,
    OnMissing,
    Reading,
    Record,
    Silence,
    State,
    Transition,
    Unconfirmed,
)

Attempt: TypeAlias = Reading | Unconfirmed | Miss
"""The result of an attempt to read."""

MOST = 8
"""Transitions that are kept."""


@dataclass(frozen=True, slots=True)
class RunningTimer:
    """A running timer: its key, how long it has run, and how long it must run."""

    what: str
    lasted: Millis
    needs: Millis


@dataclass(frozen=True, slots=True)
class Move:
    """A transition, and its alert after it."""

    transition: Transition
    alert: Alert | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """State of one rule on one account after the last input at or before the instant."""

    account: str
    rule: Rule
    begun: Millis
    """Instant at which the replay began to judge."""
    at: Millis
    """Instant of that input."""
    event: Input
    attempt: Attempt | None
    """The last attempt since the start of the replay."""
    attempted_at: Millis | None
    """Its instant, moved by later clock steps up to that input (SEMANTICS A5)."""
    judged_at: Millis | None
    """Instant of the last judged reading."""
    when: Trace
    clear_when: Trace | None
    alert: Alert | None
    flapping: Alert | None
    running: tuple[RunningTimer, ...]
    muted: tuple[Hold, ...]
    agreement: tuple[int, int] | None
    """For a rule with `at_least`: readings that hold, and readings counted."""
    state: AccountState
    """State of the account's alerts."""
    moves: tuple[Move, ...]
    """The rule's last transitions since the start of the replay."""


@dataclass(slots=True)
class _Look:
    """State collected during the replay."""

    session: ReplaySession
    rule: Rule
    begun: Millis
    last: Input
    attempt: Attempt | None = None
    attempted_at: Millis | None = None
    moves: deque[Move] = field(default_factory=lambda: deque(maxlen=MOST))

    def play(self, event: Input) -> None:
        self.last = event
        if isinstance(event, Reading | Unconfirmed | Miss):
            self.attempt, self.attempted_at = event, event.at
        elif isinstance(event, ClockStep) and self.attempted_at is not None:
            self.attempted_at += event.by
        self.moves += _moves(self.session.play(event), (self.rule.name, self.rule.name + FLAPPING))


def explain(
    past: Past, epoch: Epoch, rule: str, at: Millis, mutes: Mutes, silences: Sequence[Silence] = ()
) -> Explanation:
    """Explain a rule at an instant; `epoch` covers the instant and has the rule."""
    session = ReplaySession(RuleSet(epoch.scheme.rules, (), mutes), epoch.state)
    for reading in past.warm(epoch.state.seq, epoch.state.at - session.evaluator.look_back):
        session.evaluator.warm(reading)
    begun = epoch.state
    look = _Look(session, session.rules[rule], begun.at, ConfigChange(begun.seq, begun.at))
    for event in _until(past.inputs(epoch.state.seq, None), at):
        look.play(event)
    return _laid_open(look, mutes, silences)


def suppose(
    session: ReplaySession, inputs: Iterable[Input], first: int, rule: str, mutes: Mutes
) -> Explanation | None:
    """Explain a rule as if a daemon had started at the counter `first` with the session's rules.

    Inputs before `first` only fill windows. The last input must be the last one at or before the
    instant. None if there is no input from `first` on.
    """
    look: _Look | None = None
    for event in inputs:
        if event.seq < first:
            session.warm(event)
            continue
        look = look or _Look(session, session.rules[rule], event.at, event)
        look.play(event)
    return None if look is None else _laid_open(look, mutes)


def _moves(record: Record, rules: Collection[str]) -> Iterator[Move]:
    alerts = {(alert.rule, alert.seq): alert for alert in record.alerts}
    for each in record.transitions:
        if each.rule in rules:
            yield Move(each, alerts.get((each.rule, each.alert_seq)))


def _until(inputs: Iterable[Input], at: Millis) -> Iterator[Input]:
    for event in inputs:
        if event.at > at:
            return
        yield event


def _laid_open(look: _Look, mutes: Mutes, silences: Sequence[Silence] = ()) -> Explanation:
    state, evaluator, rule = look.session.state, look.session.evaluator, look.rule
    alert = state.alerts.get(rule.name)
    when, clear_when = evaluator.trace(rule.name)
    return Explanation(
        account=state.account,
        rule=rule,
        begun=look.begun,
        at=state.at,
        event=look.last,
        attempt=look.attempt,
        attempted_at=look.attempted_at,
        judged_at=state.judged_at,
        when=when,
        clear_when=clear_when,
        alert=alert,
        flapping=state.alerts.get(rule.name + FLAPPING),
        running=tuple(running_timers(state, rule)),
        muted=tuple(Muter(state, mutes, silences, state.at).reasons(rule, alert)),
        agreement=evaluator.agreement(rule.name),
        state=state,
        moves=tuple(look.moves),
    )


def running_timers(state: AccountState, rule: Rule) -> Iterator[RunningTimer]:
    """The running timers of the rule's alert."""
    alert = state.alerts.get(rule.name)
    if alert is not None and alert.state is State.PENDING:
        yield RunningTimer("for", state.at - alert.started_at, rule.hold)
    if alert is not None and alert.clearing_since is not None:
        yield RunningTimer("keep_firing_for", state.at - alert.clearing_since, rule.keep_firing_for)
    if rule.on_missing is not OnMissing.KEEP:
        yield RunningTimer("missing_after", unread_for(state, state.at), rule.missing_after)
