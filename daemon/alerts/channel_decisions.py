"""Decides what each channel is sent of a firing alert, or why nothing. Pure.

    alert, channel status, mutes ──► decisions ──► by channel: a kind of news, or a HoldReason

`dispatch` sends what is decided here; `explain` and `status` show it.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from daemon.alerts.hold_reasons import HOLDS, Hold, HoldReason, Muter
from daemon.alerts.mutes import NO_MUTES, Mutes
from daemon.alerts.notification_facts import is_wider, is_worse, worst_of
from daemon.alerts.silences import NO_SILENCES
from daemon.rules.evaluation.evaluator import Verdict
from daemon.rules.rule import Rule
from daemon.types import (
    AccountState,
    Alert,
    Kind,
    Millis,
    NoticeKey,
    NotificationFacts,
    Silence,
    base,
)


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """Delivery status of one episode at one channel."""

    told_at: Millis | None = None
    """Time of the last delivery, or of the last attempt without an outcome: it may have arrived."""
    last: NotificationFacts | None = None
    """Facts of that message."""
    sure: bool = False
    """True if that delivery was confirmed."""
    waiting: NoticeKey | None = None
    """Key of a queued firing notification that was not yet sent."""
    in_flight: bool = False
    """True while a firing notification is being sent."""
    given_up: bool = False
    """True if the channel refused for good; other channels were told instead (SEMANTICS F3)."""
    ended: bool = False
    """True once the end was queued for this channel."""
    end_given_up: bool = False
    """True if the channel refused the end for good."""
    acked: bool = False
    """True once the acknowledgement was sent or queued."""
    announced_after: Millis | None = None
    """Time from the alert's beginning to the first news for this channel, arrived or not.

    A duration, as a step of the clock moves both instants. None while nothing was to be told.
    """
    doubtful: frozenset[NoticeKey] = frozenset()
    """Keys of undelivered notifications with an unclear attempt: they may have arrived."""

    @property
    def knows(self) -> bool:
        return self.told_at is not None or self.in_flight

    @property
    def wants_ack(self) -> bool:
        """True if the channel was told of the alert, but not of its acknowledgement."""
        return self.told_at is not None and not self.acked

    def announced(self, facts: NotificationFacts) -> "ChannelStatus":
        """The status once there is news for the channel; only the first news counts."""
        first = self.announced_after
        return replace(self, announced_after=facts.at - facts.since if first is None else first)

    def superseded(self) -> "ChannelStatus":
        """The status once queued news is dropped: what never left announced nothing."""
        first = None if self.told_at is None else self.announced_after
        return replace(self, waiting=None, announced_after=first)


UNTOLD = ChannelStatus()


def announced_at(alert: Alert, told: Mapping[str, ChannelStatus]) -> Millis | None:
    """Instant of the first news of the alert for any channel: `escalate` counts from it (E6).

    None while mutes, or flapping, hold back all news.
    """
    first = [each.announced_after for each in told.values() if each.announced_after is not None]
    return alert.started_at + min(first) if first else None


Episode: TypeAlias = tuple[str, int]
"""(rule, seq): an alert of the account at hand."""

ToldBy: TypeAlias = Mapping[Episode, Mapping[str, ChannelStatus]]
"""Channel status, by episode and channel."""


@dataclass(frozen=True, slots=True)
class NotificationPolicy:
    """Routing and mute policy: the part of the configuration that does not depend on the input."""

    rules: Mapping[str, Rule]
    """Rules that watch the account, by name."""
    channels: Sequence[str]
    """All configured channels, in order."""
    mutes: Mutes = NO_MUTES
    silences: Sequence[Silence] = NO_SILENCES
    """Silences that may be in force; others are ignored."""


ChannelDecision: TypeAlias = Kind | HoldReason
"""The kind of notification that a channel is sent now, or the reason why it is sent none."""


@dataclass(frozen=True, slots=True)
class FiringDecider:
    """Decides on the firing alerts of one account at an instant."""

    state: AccountState
    policy: NotificationPolicy
    at: Millis
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    """Verdicts of the rules at that instant, as far as it brought any."""

    def decisions(
        self, alert: Alert, told: Mapping[str, ChannelStatus]
    ) -> Mapping[str, ChannelDecision]:
        """Decision for every channel that hears of the alert. `told` is by channel."""
        known = {channel: told.get(channel, UNTOLD) for channel in self._listeners(alert, told)}
        gone = all(each.given_up for each in known.values())
        rule = self._rule(alert)
        due = {channel: self._due(rule, alert, each, gone=gone) for channel, each in known.items()}
        later = self.escalation_times(alert, told)
        due |= {
            channel: self._escalation(rule, alert, told.get(channel, UNTOLD), later[channel])
            for channel in later
            if channel not in due
        }
        first = [name for name in later if due[name] in {Kind.FIRING, HoldReason.NOT_ESCALATED}]
        if first and self._is_acknowledged(alert):  # also of one told in place of another (F3)
            due |= dict.fromkeys(first, HoldReason.ACKNOWLEDGED)
        news = [channel for channel, found in due.items() if isinstance(found, Kind)]
        held = self.held_by(alert) if news else None
        return due if held is None else {**due, **dict.fromkeys(news, held)}

    def explained_decisions(
        self, alert: Alert, told: Mapping[str, ChannelStatus]
    ) -> Mapping[str, Kind | Hold]:
        """The decisions, with the source and the end of each reason, for people."""
        rule = self._rule(alert)
        mutes = {each.reason: each for each in self.muter.reasons(rule, alert)}
        found: dict[str, Kind | Hold] = {}
        for channel, decided in self.decisions(alert, told).items():
            told_at = told.get(channel, UNTOLD).told_at
            if isinstance(decided, Kind):
                found[channel] = decided
            elif decided is HoldReason.NOT_DUE and told_at is not None:
                found[channel] = Hold(decided, until=told_at + (rule.repeat or 0))
            elif decided is HoldReason.NOT_ESCALATED:
                found[channel] = Hold(decided, until=self.escalation_times(alert, told)[channel])
            else:
                found[channel] = mutes.get(decided) or Hold(decided)
        return found

    def held_by(self, alert: Alert, by: Container[HoldReason] = HOLDS) -> HoldReason | None:
        """First mute, or the flapping alert, that holds the news back (E2, E4)."""
        reasons = self.muter.reasons(self._rule(alert), alert)
        return next((each.reason for each in reasons if each.reason in by), None)

    def route(self, alert: Alert) -> Sequence[str]:
        """Channels of the rule, in the order of the configuration. None named means all."""
        rule = self.policy.rules.get(base(alert.rule))
        named = rule.channels if rule is not None else ()
        return (
            [channel for channel in self.policy.channels if channel in named]
            if named
            else self.policy.channels
        )

    def escalation_times(
        self, alert: Alert, told: Mapping[str, ChannelStatus]
    ) -> Mapping[str, Millis | None]:
        """Instant from which each channel of `escalate` is told; None before any announcement."""
        since = announced_at(alert, told)
        return {
            channel: None if since is None else since + step.after
            for step in self._rule(alert).escalate
            for channel in step.channels
            if channel in self.policy.channels
        }

    @property
    def muter(self) -> Muter:
        return Muter(self.state, self.policy.mutes, self.policy.silences, self.at)

    def _listeners(self, alert: Alert, told: Mapping[str, ChannelStatus]) -> Sequence[str]:
        """Channels of the rule; if a channel gave up, also the channels told in its place.

        If only channels of `escalate` gave up, the others of `escalate` keep their own times.
        """
        route, later = self.route(alert), self.escalation_times(alert, told)
        gone = {name for name, each in told.items() if each.given_up}
        if gone.isdisjoint((*route, *later)):
            return route
        timed = later if gone.isdisjoint(route) else ()
        return [
            *route,
            *(
                name
                for name in told
                if name in self.policy.channels and name not in route and name not in timed
            ),
        ]

    def _rule(self, alert: Alert) -> Rule:
        return self.policy.rules[base(alert.rule)]

    def _escalation(
        self, rule: Rule, alert: Alert, told: ChannelStatus, begins: Millis | None
    ) -> ChannelDecision:
        """Decision for a channel of `escalate`: once told, it hears what all others hear (E6)."""
        due = self._due(rule, alert, told, gone=False)
        is_early = begins is None or begins > self.at
        return HoldReason.NOT_ESCALATED if due is Kind.FIRING and is_early else due

    def _is_acknowledged(self, alert: Alert) -> bool:
        return bool(self.policy.silences) and self.muter.acknowledged(alert) is not None

    def _due(self, rule: Rule, alert: Alert, told: ChannelStatus, *, gone: bool) -> ChannelDecision:
        """Decision for one channel, mutes left aside.

        A channel that gave up is sent nothing, unless all of them gave up (`gone`).
        """
        if told.waiting is not None:
            return HoldReason.QUEUED
        if told.in_flight:
            return HoldReason.SENDING
        if told.given_up and not gone:
            return HoldReason.REFUSED
        if told.told_at is None:
            return Kind.FIRING
        worse = self._worse(rule, alert, told.last)
        return Kind.WORSE if worse else self._repeat(rule, alert, told.told_at)

    def _repeat(self, rule: Rule, alert: Alert, told_at: Millis) -> ChannelDecision:
        if rule.repeat is None:
            return HoldReason.NEVER_REPEATS
        if self._is_acknowledged(alert):
            return HoldReason.ACKNOWLEDGED
        return Kind.REPEAT if self.at - told_at >= rule.repeat else HoldReason.NOT_DUE

    def _worse(self, rule: Rule, alert: Alert, last: NotificationFacts | None) -> bool:
        """Check for worse than last told: by `worse_by`, or beyond the flapping range (E1, E4)."""
        if last is None:
            return False
        if alert.swings is not None and is_wider(alert.swings, last.swings):
            return True
        verdict, share = self.verdicts.get(rule.name), rule.worse_by
        if share is None or verdict is None or verdict.when is not True or verdict.judged is None:
            return False
        told = last.judged if alert.swings is None else worst_of(last)
        return is_worse(verdict.judged, told, share)
