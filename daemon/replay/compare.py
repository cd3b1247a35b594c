"""Compares two rule sets over the same history: missing, earlier and later alerts. Pure.

    inputs ──► PairedSessions ──► pairs of records ──► RuleSetComparison ──► differences

Alerts of one rule on one account that overlap in time are one episode, seen by both. Of an episode
only the first beginning, the last end and the worst value are kept. So memory stays flat, however
often one of the two flickers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from typing import TypeAlias

from daemon.replay.session import ReplaySession, has_effect
from daemon.replay.statistics import Worst, worsened
from daemon.types import Alert, ClockStep, Input, Millis, Record, State

Pair: TypeAlias = tuple[Record, Record]
"""Records of one input by our rules and by theirs."""


@dataclass(frozen=True, slots=True)
class PairedSessions:
    """One account, replayed by both rule sets on the same inputs."""

    ours: ReplaySession
    theirs: ReplaySession

    def played(self, inputs: Iterable[Input], first: int) -> Iterator[Pair]:
        """Replay both, as `replay_account` does: inputs before `first` only fill windows."""
        events = iter(inputs)
        for event in events:
            if event.seq >= first:
                yield from self._play(event)
                break
            self.ours.warm(event)
            self.theirs.warm(event)
        for event in events:
            yield from self._play(event)

    def _play(self, event: Input) -> Iterator[Pair]:
        pair = self.ours.play(event), self.theirs.play(event)
        if any(map(has_effect, pair)):
            yield pair


def merge_pairs(accounts: Iterable[Iterator[Pair]]) -> Iterator[Pair]:
    """Merge the pairs of all accounts by time."""
    return merge(*accounts, key=lambda pair: pair[0].event.at)


@dataclass(slots=True)
class MergedEpisode:
    """One episode by one rule set: one alert, or several that the other rule set joins."""

    fired_at: Millis
    ended_at: Millis | None = None
    """None while an alert fires."""
    worst: tuple[Worst, ...] = ()
    """The worst value of each comparison that decided an alert."""
    alerts: int = 1

    def go_on(self, alert: Alert) -> None:
        if alert.worst is not None and alert.judged is not None:
            self.worst = worsened(self.worst, Worst(alert.worst, alert.judged))

    def shift(self, by: Millis) -> None:
        self.fired_at += by
        self.ended_at = None if self.ended_at is None else self.ended_at + by


@dataclass(frozen=True, slots=True)
class RuleSetDifference:
    """An episode that only one rule set has, or that begins at different instants."""

    rule: str
    account: str
    ours: MergedEpisode | None
    theirs: MergedEpisode | None

    @property
    def later(self) -> Millis | None:
        """How much later theirs begins than ours; negative if earlier, None if only one has it."""
        if self.ours is None or self.theirs is None:
            return None
        return self.theirs.fired_at - self.ours.fired_at


_Key: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class _Trouble:
    sides: list[MergedEpisode | None] = field(default_factory=lambda: [None, None])
    firing: set[int] = field(default_factory=set)
    """Sides with a firing alert."""

    def fire(self, side: int, alert: Alert, at: Millis) -> None:
        episode = self.sides[side]
        if episode is None:
            self.sides[side] = episode = MergedEpisode(at)
        elif side not in self.firing:
            episode.alerts, episode.ended_at = episode.alerts + 1, None
        self.firing.add(side)
        episode.go_on(alert)

    def end(self, side: int, at: Millis) -> None:
        episode = self.sides[side]
        if side in self.firing and episode is not None:
            self.firing.discard(side)
            episode.ended_at = at

    def ended_before(self, at: Millis) -> bool:
        return not self.firing and all(each is None or each.ended_at != at for each in self.sides)


@dataclass(slots=True)
class RuleSetComparison:
    """Takes pairs of records; yields each difference once nothing can be added to it."""

    _troubles: dict[_Key, _Trouble] = field(default_factory=dict)

    def take(self, pair: Pair) -> Iterator[RuleSetDifference]:
        event, account = pair[0].event, pair[0].account
        if isinstance(event, ClockStep):
            self._shift(account, event.by)
        yield from self._over(account, event.at)
        for side, record in enumerate(pair):
            for alert in record.alerts:
                self._follow(side, account, alert, event.at)

    def finish(self) -> Iterator[RuleSetDifference]:
        """The remaining differences, firing or not."""
        for key in list(self._troubles):
            yield from self._told(key)

    def _follow(self, side: int, account: str, alert: Alert, at: Millis) -> None:
        key = (account, alert.rule)
        if alert.state is State.FIRING:
            self._troubles.setdefault(key, _Trouble()).fire(side, alert, at)
        elif key in self._troubles:
            self._troubles[key].end(side, at)

    def _over(self, account: str, at: Millis) -> Iterator[RuleSetDifference]:
        """Differences that ended before `at`; an alert at the instant of an end still joins."""
        over = [
            key
            for key, each in self._troubles.items()
            if key[0] == account and each.ended_before(at)
        ]
        for key in over:
            yield from self._told(key)

    def _told(self, key: _Key) -> Iterator[RuleSetDifference]:
        account, rule = key
        ours, theirs = self._troubles.pop(key).sides
        if ours is None or theirs is None or ours.fired_at != theirs.fired_at:
            yield RuleSetDifference(rule, account, ours, theirs)

    def _shift(self, account: str, by: Millis) -> None:
        """Move every instant by a step of the clock (SEMANTICS A5)."""
        for key, trouble in self._troubles.items():
            for episode in trouble.sides if key[0] == account else ():
                if episode is not None:
                    episode.shift(by)
