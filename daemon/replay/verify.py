"""Promise 6: replay from every epoch's recorded state gives exactly the recorded transitions. Pure.

    epoch's state ──► windows rebuilt as by the daemon ──► its inputs ──► next change of rules
                                                   └──► transitions, compared with the recorded ones

States are compared too, with the values that rules keep. Where inputs are gone (pruned, or lost
while the store was down), nothing can be verified. Such a span, up to the next epoch, is reported
as not covered and never counted as agreeing. The same holds for an epoch whose windows held such
inputs.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from daemon.alerts.mutes import NO_MUTES, Mutes
from daemon.replay.session import ReplaySession, RuleSet
from daemon.rules.rule import Rule
from daemon.types import (
    AccountState,
    Alert,
    ConfigChange,
    Input,
    Millis,
    Reading,
    RecordedValue,
    Transition,
)


@dataclass(frozen=True, slots=True)
class Epoch:
    """A span of one account with one set of rules."""

    state: AccountState
    """State after the configuration change that starts the epoch."""
    rules: Sequence[Rule]
    why: str = ""
    """Why its rules cannot be replayed; empty if they can."""
    mutes: Mutes | None = None
    """Mute windows in force; None if unknown."""

    @property
    def scheme(self) -> RuleSet:
        """The rule set of the epoch; empty if the account is no longer configured."""
        rules = self.rules if self.state.since is not None else ()
        return RuleSet(rules, (), self.mutes or NO_MUTES)


class Past(Protocol):
    """The recorded history of one account."""

    def epochs(self) -> Iterable[Epoch]:
        """Epochs, oldest first."""
        ...

    def inputs(self, after: int, until: int | None) -> Iterable[Input]:
        """Recorded inputs after the counter `after`, up to and including `until`."""
        ...

    def warm(self, seq: int, since: Millis) -> Iterable[Reading]:
        """Readings from which the windows were rebuilt just before the input `seq`."""
        ...

    def lacks(self, after: int, before: int) -> bool:
        """Whether an input between these counters is missing from the record."""
        ...

    def transitions(self) -> Iterable[Transition]:
        """Recorded transitions, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class VerifyDifference:
    """One disagreement between the record and the replay."""

    at: Millis
    rule: str
    recorded: Transition | Alert | RecordedValue | None
    replayed: Transition | Alert | RecordedValue | None
    """None if only the other side has it."""


@dataclass(frozen=True, slots=True)
class VerifiedSpan:
    """A span of one account; `why` says why it could not be verified, empty if it was."""

    since: Millis
    until: Millis
    inputs: int
    why: str = ""


@dataclass(slots=True)
class Verified:
    """The result of verifying one account."""

    stretches: list[VerifiedSpan] = field(default_factory=list)
    transitions: int = 0
    """Number of replayed transitions."""
    differences: list[VerifyDifference] = field(default_factory=list)

    @property
    def covered(self) -> list[VerifiedSpan]:
        return [stretch for stretch in self.stretches if not stretch.why]


FADED = (
    "readings that its windows held as it began are not recorded: pruned, or lost while the"
    " database refused to write"
)


def verify(past: Past, note: Callable[[Input], None] = lambda _: None) -> Verified:
    """Replay one account from its first epoch.

    `note` is called with every input, for a progress bar.
    """
    found, balance = Verified(), _Balance(iter(past.transitions()))
    epochs = list(past.epochs())
    for epoch, following in zip(epochs, [*epochs[1:], None], strict=False):
        if epoch.why:
            # Its rules cannot be read: nothing of it is covered, not even its first change.
            end = _end(past, epoch.state, following)
            found.stretches.append(VerifiedSpan(epoch.state.at, end, 0, epoch.why))
        else:
            going = _Pass(found, balance, note)
            found.stretches += _stretches(past, epoch, following, going)
    found.differences += balance.differences(found.stretches, epochs)
    found.differences.sort(key=lambda each: each.at)
    return found


@dataclass(frozen=True, slots=True)
class _Pass:
    found: Verified
    balance: "_Balance"
    note: Callable[[Input], None]

    def play(self, session: ReplaySession, event: Input) -> None:
        self.note(event)
        for transition in session.play(event).transitions:
            self.found.transitions += 1
            self.balance.replayed(transition)


def _stretches(
    past: Past, epoch: Epoch, following: Epoch | None, going: _Pass
) -> Iterator[VerifiedSpan]:
    """Verify one epoch; yields its covered and uncovered spans."""
    session = ReplaySession(epoch.scheme, epoch.state)
    begun, last = epoch.state, None if following is None else following.state.seq - 1
    if not _warm(past, session):
        yield VerifiedSpan(begun.at, _end(past, begun, following), 0, FADED)
        return
    hole = _play(session, past.inputs(begun.seq, last), last, going)
    yield VerifiedSpan(begun.at, session.state.at, session.state.seq - begun.seq)
    if hole:
        yield VerifiedSpan(session.state.at, _end(past, session.state, following), 0, hole)
    elif following is None:
        _catch_up(past, session, going)
    elif not following.why:
        _turn(session, following, going)


def _warm(past: Past, session: ReplaySession) -> bool:
    """Fill the windows as the daemon did; False if readings in them are no longer recorded."""
    begun, since = session.state, session.state.at - session.evaluator.look_back
    reached = None
    for reading in past.warm(begun.seq, since):
        reached = reached or reading
        session.evaluator.warm(reading)
    if not session.evaluator.look_back:
        return True
    return not past.lacks(
        reached.seq if reached is not None and reached.at <= since else 0, begun.seq
    )


def _catch_up(past: Past, session: ReplaySession, going: _Pass) -> None:
    """Replay inputs that a running daemon recorded after the transitions were read."""
    if not going.balance.is_behind():
        return
    for event in past.inputs(session.state.seq, None):
        if event.seq != session.state.seq + 1:
            return
        for transition in session.play(event).transitions:
            going.balance.cancel(transition)


def _end(past: Past, state: AccountState, following: Epoch | None) -> Millis:
    """End of an epoch: the next one's start, else its last input after `state`."""
    if following is not None:
        return following.state.at
    last = state.at
    for event in past.inputs(state.seq, None):
        last = max(last, event.at)
    return last


def _play(session: ReplaySession, inputs: Iterable[Input], last: int | None, going: _Pass) -> str:
    """Replay until an input is missing; returns the sentence about the missing ones."""
    for event in inputs:
        if event.seq != session.state.seq + 1:
            return _gone(session.state.seq + 1, event.seq - 1)
        going.play(session, event)
    return "" if last is None or session.state.seq == last else _gone(session.state.seq + 1, last)


def _gone(first: int, last: int) -> str:
    inputs = f"input {first} is" if first == last else f"the inputs {first} to {last} are"
    return f"{inputs} not recorded: pruned, or lost while the database refused to write"


def _turn(session: ReplaySession, following: Epoch, going: _Pass) -> None:
    """Replay the configuration change under the next rules, and compare with the recorded state."""
    scheme, state = following.scheme, following.state
    turning = ReplaySession(scheme, session.state)
    going.play(turning, ConfigChange(state.seq, state.at))
    ours, theirs = turning.state.alerts, state.alerts
    for rule in {**ours, **theirs}:
        replayed, recorded = ours.get(rule), theirs.get(rule)
        if _plain(replayed) != _plain(recorded):
            going.found.differences.append(VerifyDifference(state.at, rule, recorded, replayed))
    going.found.differences += _differing_values(state, turning.state)


def _differing_values(recorded: AccountState, replayed: AccountState) -> Iterator[VerifyDifference]:
    """Values that rules keep, such as peaks, that are not the same in both states."""
    ours = {value.key: value for value in replayed.values}
    theirs = {value.key: value for value in recorded.values}
    for key in {**ours, **theirs}:
        if ours.get(key) != theirs.get(key):
            yield VerifyDifference(recorded.at, key[0], theirs.get(key), ours.get(key))


def _plain(alert: Alert | None) -> Alert | None:
    """Drop the code of an alert: it depends on other codes in use, so it is not compared."""
    return None if alert is None else replace(alert, code="")


class _Balance:
    """Recorded and replayed transitions; equal ones cancel out, so only differences are kept."""

    def __init__(self, recorded: Iterator[Transition]) -> None:
        self._recorded = recorded
        self._missing: Counter[Transition] = Counter()
        """Counts: positive if replayed and not yet recorded, negative for the reverse."""

    def replayed(self, transition: Transition) -> None:
        self._count(transition, 1)
        self._read(1)

    def is_behind(self) -> bool:
        """Whether a recorded transition was not replayed."""
        self._read(None)
        return any(count < 0 for count in self._missing.values())

    def cancel(self, transition: Transition) -> None:
        """Cancel a recorded transition that was replayed late."""
        if self._missing[transition] < 0:
            self._count(transition, 1)

    def differences(
        self, stretches: Sequence[VerifiedSpan], epochs: Sequence[Epoch]
    ) -> Iterator[VerifyDifference]:
        """Remaining differences, without those in uncovered spans."""
        self._read(None)
        begun = epochs[0].state if epochs else None
        for transition, count in self._missing.items():
            if count > 0:
                yield VerifyDifference(transition.at, transition.rule, None, transition)
            elif begun is not None and not _uncovered(transition, begun, stretches):
                yield VerifyDifference(transition.at, transition.rule, transition, None)

    def _read(self, count: int | None) -> None:
        while count is None or count > 0:
            transition = next(self._recorded, None)
            if transition is None:
                return
            self._count(transition, -1)
            count = None if count is None else count - 1

    def _count(self, transition: Transition, by: int) -> None:
        self._missing[transition] += by
        if not self._missing[transition]:
            del self._missing[transition]


def _uncovered(
    transition: Transition, begun: AccountState, stretches: Sequence[VerifiedSpan]
) -> bool:
    early = transition.at < begun.at and transition.alert_seq <= begun.seq
    return early or any(
        each.why and each.since <= transition.at <= each.until for each in stretches
    )
