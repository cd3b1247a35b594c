"""Who is told what: one notification per (transition, channel), and the reminders that are due. Pure.

    outcome of a step, what each channel was told, the mutes in force ──► dispatch ──► notices, superseded keys

It decides from the alerts as they stand, not from the transition alone: an alert that fires and of which a
channel knows nothing is told there, whether it fired now, was muted until now, or the channel is new.
Joining, pace and attempts are the outbox's business.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import TypeAlias

from daemon.alerts.engine import Outcome
from daemon.rules.evaluator import Verdict
from daemon.rules.rule import Rule
from daemon.types import (
    Alert,
    Balances,
    ClockStep,
    ConfigChange,
    Facts,
    Input,
    Kind,
    Late,
    Millis,
    Notice,
    NoticeKey,
    State,
    Unconfirmed,
)


@dataclass(frozen=True, slots=True)
class Told:
    """What one channel knows of one episode."""

    told_at: Millis | None = None
    """Its last delivery, or its last attempt without an outcome, which may have arrived."""
    sure: bool = False
    """It was delivered, beyond doubt."""
    waiting: NoticeKey | None = None
    """News of the firing that waits for this channel and was not yet sent."""
    in_flight: bool = False
    """News of the firing that is being sent at this moment."""
    given_up: bool = False
    """The channel refused the news for good; other channels were told instead (SEMANTICS F3)."""
    ended: bool = False
    """News of the end was queued for it."""
    end_given_up: bool = False
    """It refused that news for good."""
    doubtful: frozenset[NoticeKey] = frozenset()
    """News that was not delivered, but of which an attempt had no outcome: it may have arrived."""

    @property
    def knows(self) -> bool:
        return self.told_at is not None or self.in_flight


Episode: TypeAlias = tuple[str, int]
"""(rule, seq): an alert of the account at hand."""

ToldBy: TypeAlias = Mapping[Episode, Mapping[str, Told]]
"""By episode and channel."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the evaluator knows at this input, for the messages: the fields now and how they moved."""

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    balances: Balances = field(default_factory=Balances)
    changes: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class News:
    notices: tuple[Notice, ...] = ()
    superseded: tuple[NoticeKey, ...] = ()


def dispatch(
    event: Input,
    outcome: Outcome,
    rules: Mapping[str, Rule],
    channels: Sequence[str],
    told: ToldBy,
    scene: Scene,
) -> News:
    """The notifications that one input of an account causes."""
    desk = _Desk(event, outcome, rules, channels, told, scene)
    if isinstance(event, ConfigChange | ClockStep):  # they tell nothing of the account itself: only ends come of them
        return News(tuple(desk.ends()))
    return News((*desk.ends(), *desk.firings()), tuple(desk.superseded()))


@dataclass(frozen=True, slots=True)
class _Desk:
    event: Input
    outcome: Outcome
    rules: Mapping[str, Rule]
    channels: Sequence[str]
    told: ToldBy
    scene: Scene

    def ends(self) -> Iterator[Notice]:
        """The end of what fired goes to every channel that was told of it, or is about to be (promise 3)."""
        for alert in self.outcome.changed:
            if alert.ended_at is None or alert.fired_at is None:
                continue
            kind = Kind.RETIRED if alert.state is State.RETIRED else Kind.RESOLVED
            told = self.told.get((alert.rule, alert.seq), {})
            aware = [channel for channel, one in told.items() if one.knows or one.waiting]
            for channel in aware:
                if channel in self.channels:
                    yield self._notice(alert, channel, kind, Late.NO)
            yield from self._inherited(alert, kind, aware)

    def _inherited(self, alert: Alert, kind: Kind, aware: Sequence[str]) -> Iterator[Notice]:
        """What a channel knew that is configured no more, the rule's present channels hear the end of (E5)."""
        gone = [channel for channel in aware if channel not in self.channels]
        for channel in self._route(alert) if gone else ():
            if channel not in aware:
                yield self._notice(alert, channel, kind, Late.HANDED_OVER, gone[0])

    def firings(self) -> Iterator[Notice]:
        for alert in self._firing():
            told = self.told.get((alert.rule, alert.seq), {})
            for channel in self._listeners(alert, told) if not self._inhibited(alert) else ():
                kind = self._due(alert, told.get(channel, Told()))
                if kind is not None:
                    yield self._notice(alert, channel, kind, self._late(alert, kind, channel, told))

    def superseded(self) -> Iterator[NoticeKey]:
        """A firing that waits when an inhibition begins is held (E2), unless an attempt may have told it half."""
        for alert in self._firing():
            for told in self.told.get((alert.rule, alert.seq), {}).values() if self._inhibited(alert) else ():
                if told.waiting is not None and (told.told_at is None or told.waiting.kind is Kind.REPEAT):
                    yield told.waiting

    def _firing(self) -> Iterator[Alert]:
        return (alert for alert in self.outcome.state.alerts.values() if alert.state is State.FIRING)

    def _route(self, alert: Alert) -> Sequence[str]:
        """The rule's channels in the order of the configuration; none named means all."""
        rule = self.rules.get(alert.rule)
        named = rule.channels if rule is not None else ()
        return [channel for channel in self.channels if not named or channel in named]

    def _listeners(self, alert: Alert, told: Mapping[str, Told]) -> Sequence[str]:
        """The rule's channels, and those that were told in the stead of one that gave up: it hears no more of this."""
        route = self._route(alert)
        stand_ins = [channel for channel in told if channel in self.channels and channel not in route]
        return [*route, *stand_ins] if any(channel in told and told[channel].given_up for channel in route) else route

    def _inhibited(self, alert: Alert) -> bool:
        inhibitors = self.rules[alert.rule].inhibited_by
        return any(any(fnmatchcase(other.rule, name) for name in inhibitors) for other in self._firing())

    def _due(self, alert: Alert, told: Told) -> Kind | None:
        if told.waiting is not None or told.in_flight or told.given_up:
            return None
        if told.told_at is None:
            return Kind.FIRING
        repeat = self.rules[alert.rule].repeat
        due = repeat is not None and self.event.at - told.told_at >= repeat
        return Kind.REPEAT if due else None

    def _late(self, alert: Alert, kind: Kind, channel: str, told: Mapping[str, Told]) -> Late:
        if kind is not Kind.FIRING or alert.fired_at == self.event.at:
            return Late.NO
        muted = channel in told or not any(other.knows for other in told.values())
        return Late.MUTED if muted else Late.NEW_CHANNEL

    def _notice(self, alert: Alert, channel: str, kind: Kind, late: Late, by: str = "") -> Notice:
        key = NoticeKey(self.outcome.state.account, alert.rule, alert.seq, channel, kind, self.event.seq)
        return Notice(key, self.event.at, self._facts(alert, late, by))

    def _facts(self, alert: Alert, late: Late, by: str) -> Facts:
        verdict = self.scene.verdicts.get(alert.rule)
        return Facts(
            severity=alert.severity,
            code=alert.code,
            since=alert.started_at,
            fired_at=alert.fired_at,
            at=self.event.at,
            judged=verdict.judged if verdict is not None else alert.judged,
            worst=alert.worst,
            reason=self._reason(alert),
            balances=self.scene.balances,
            changes=self.scene.changes,
            late=late,
            handed_over_by=by,
            unconfirmed=isinstance(self.event, Unconfirmed),
        )

    def _reason(self, alert: Alert) -> str:
        ours = (t.reason for t in self.outcome.transitions if (t.rule, t.alert_seq) == (alert.rule, alert.seq))
        return next(ours, "")
