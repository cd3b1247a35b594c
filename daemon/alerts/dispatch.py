"""Dispatch: one notification per (transition, channel), and the reminders that are due. Pure.

    step result, channel status, mutes in force ──► dispatch ──► notices, superseded keys

Decisions follow the alerts as they stand, not the transition alone. A firing alert is sent to every
channel that does not know it: it fired now, was muted until now, or the channel is new. Grouping,
send rate and delivery attempts belong to `service.delivery`.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from daemon.alerts.engine import StepResult
from daemon.alerts.mute_reasons import HOLDS, MUTES, Muter, MuteReason
from daemon.alerts.mutes import NO_MUTES, Mutes
from daemon.alerts.notification_facts import (
    EvaluationSnapshot,
    is_wider,
    is_worse,
    notification_facts,
    worst_of,
)
from daemon.alerts.silences import NO_SILENCES
from daemon.alerts.summary_template import fill_template
from daemon.rules.rule import Rule
from daemon.types import (
    FLAPPING,
    NEWS,
    Alert,
    ClockStep,
    ConfigChange,
    Input,
    Kind,
    Late,
    Millis,
    Notice,
    NoticeKey,
    NotificationFacts,
    Silence,
    State,
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
    doubtful: frozenset[NoticeKey] = frozenset()
    """Keys of undelivered notifications with an unclear attempt: they may have arrived."""

    @property
    def knows(self) -> bool:
        return self.told_at is not None or self.in_flight

    @property
    def wants_ack(self) -> bool:
        """True if the channel was told of the alert, but not of its acknowledgement."""
        return self.told_at is not None and not self.acked


UNTOLD = ChannelStatus()


Episode: TypeAlias = tuple[str, int]
"""(rule, seq): an alert of the account at hand."""

ToldBy: TypeAlias = Mapping[Episode, Mapping[str, ChannelStatus]]
"""Channel status, by episode and channel."""


@dataclass(frozen=True, slots=True)
class DispatchResult:
    notices: tuple[Notice, ...] = ()
    superseded: tuple[NoticeKey, ...] = ()


NO_NEWS = DispatchResult()


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


def dispatch(
    event: Input,
    outcome: StepResult,
    policy: NotificationPolicy,
    told: ToldBy,
    snapshot: EvaluationSnapshot,
) -> DispatchResult:
    """Decide the notifications that one input of an account causes."""
    if not outcome.changed and not outcome.state.alerts:  # nearly every input returns here
        return NO_NEWS
    dispatcher = _Dispatcher(event, outcome, policy, told, snapshot)
    # These inputs say nothing about the account itself, so that they can only end alerts.
    if isinstance(event, ConfigChange | ClockStep):
        return DispatchResult(tuple(dispatcher.ends()))
    return DispatchResult(
        (*dispatcher.ends(), *dispatcher.firings(), *dispatcher.acks()),
        tuple(dispatcher.superseded()),
    )


@dataclass(frozen=True, slots=True)
class _Dispatcher:
    event: Input
    outcome: StepResult
    policy: NotificationPolicy
    told: ToldBy
    snapshot: EvaluationSnapshot

    def ends(self) -> Iterator[Notice]:
        """Yield the end for every channel that was told of the firing, or will be (promise 3)."""
        for alert in self.outcome.changed:
            if alert.ended_at is None or alert.fired_at is None:
                continue
            kind = Kind.RETIRED if alert.state is State.RETIRED else Kind.RESOLVED
            told = self.told.get((alert.rule, alert.seq), {})
            aware = [channel for channel, one in told.items() if one.knows or one.waiting]
            for channel in aware:
                if channel in self.policy.channels:
                    yield self._end(alert, channel, kind)
            yield from self._inherited(alert, kind, aware)

    def _end(
        self, alert: Alert, channel: str, kind: Kind, late: Late = Late.NO, by: str = ""
    ) -> Notice:
        """Build the end notification. In a mute window it waits until the window is over (E2)."""
        notice = self._notice(alert, channel, kind, late, by)
        rule = self.policy.rules.get(base(alert.rule))
        until = (
            self.policy.mutes.until(rule.mute, self.event.at)
            if rule is not None and rule.mute
            else None
        )
        return (
            notice
            if until is None
            else replace(notice, facts=replace(notice.facts, not_before=until))
        )

    def _inherited(self, alert: Alert, kind: Kind, aware: Sequence[str]) -> Iterator[Notice]:
        """Yield the end for the rule's present channels, if a removed channel knew of it (E5)."""
        gone = [channel for channel in aware if channel not in self.policy.channels]
        for channel in self._route(alert) if gone else ():
            if channel not in aware:
                yield self._end(alert, channel, kind, Late.HANDED_OVER, gone[0])

    def firings(self) -> Iterator[Notice]:
        for alert in self._firing():
            told = self.told.get((alert.rule, alert.seq), {})
            known = {channel: told.get(channel, UNTOLD) for channel in self._listeners(alert, told)}
            gone = all(each.given_up for each in known.values())
            due = [(channel, self._due(alert, each, gone=gone)) for channel, each in known.items()]
            news = [(channel, kind) for channel, kind in due if kind is not None]
            for channel, kind in news if news and not self._held(alert) else ():
                notice = self._notice(alert, channel, kind, self._late(alert, kind, channel, told))
                yield self._compared(notice, told[channel].last) if kind is Kind.WORSE else notice

    def acks(self) -> Iterator[Notice]:
        """Yield one acknowledgement per channel that was told of the alert."""
        for alert in self._firing():
            told = self.told.get((alert.rule, alert.seq), {})
            knowing = [
                name for name in self.policy.channels if name in told and told[name].wants_ack
            ]
            ack = self._muter.acknowledged(alert) if knowing else None
            if ack is None:
                continue
            for channel in knowing:
                notice = self._notice(alert, channel, Kind.ACK, Late.NO)
                yield replace(notice, facts=replace(notice.facts, detail=ack.comment))

    def superseded(self) -> Iterator[NoticeKey]:
        """Yield queued firings to hold as a mute begins (E2), but none that may have arrived."""
        for alert in self._firing():
            waiting = [
                told
                for told in self.told.get((alert.rule, alert.seq), {}).values()
                if told.waiting is not None
            ]
            for told in waiting if waiting and self._held(alert, MUTES) else ():
                if told.waiting is not None and (
                    told.told_at is None or told.waiting.kind is not Kind.FIRING
                ):
                    yield told.waiting

    def _firing(self) -> Iterator[Alert]:
        return (
            alert for alert in self.outcome.state.alerts.values() if alert.state is State.FIRING
        )

    def _route(self, alert: Alert) -> Sequence[str]:
        """Channels of the rule, in the order of the configuration. None named means all."""
        rule = self.policy.rules.get(base(alert.rule))
        named = rule.channels if rule is not None else ()
        return (
            [channel for channel in self.policy.channels if channel in named]
            if named
            else self.policy.channels
        )

    def _listeners(self, alert: Alert, told: Mapping[str, ChannelStatus]) -> Sequence[str]:
        """Channels of the rule; if one gave up, also the fallback channels told instead."""
        route = self._route(alert)
        fallback = [
            channel for channel in told if channel in self.policy.channels and channel not in route
        ]
        return (
            [*route, *fallback]
            if any(channel in told and told[channel].given_up for channel in route)
            else route
        )

    def _held(self, alert: Alert, by: Container[MuteReason] = HOLDS) -> bool:
        """Check whether a mute or the flapping alert holds the news back (E2, E4)."""
        return any(each.reason in by for each in self._muter.reasons(self._rule(alert), alert))

    @property
    def _muter(self) -> Muter:
        return Muter(self.outcome.state, self.policy.mutes, self.policy.silences, self.event.at)

    def _rule(self, alert: Alert) -> Rule:
        return self.policy.rules[base(alert.rule)]

    def _due(self, alert: Alert, told: ChannelStatus, *, gone: bool) -> Kind | None:
        """Kind of notification that is due for this channel.

        A channel that gave up gets none, unless all of them gave up (`gone`).
        """
        if told.waiting is not None or told.in_flight or (told.given_up and not gone):
            return None
        if told.told_at is None:
            return Kind.FIRING
        if self._worse(alert, told.last):
            return Kind.WORSE
        repeat = self._rule(alert).repeat
        due = repeat is not None and self.event.at - told.told_at >= repeat
        return Kind.REPEAT if due and self._muter.acknowledged(alert) is None else None

    def _worse(self, alert: Alert, last: NotificationFacts | None) -> bool:
        """Check for worse than last told: by `worse_by`, or beyond the flapping range (E1, E4)."""
        if last is None:
            return False
        if alert.swings is not None and is_wider(alert.swings, last.swings):
            return True
        verdict, share = self.snapshot.verdicts.get(base(alert.rule)), self._rule(alert).worse_by
        if share is None or verdict is None or verdict.when is not True or verdict.judged is None:
            return False
        told = last.judged if alert.swings is None else worst_of(last)
        return is_worse(verdict.judged, told, share)

    def _late(
        self, alert: Alert, kind: Kind, channel: str, told: Mapping[str, ChannelStatus]
    ) -> Late:
        if kind is not Kind.FIRING or alert.fired_at == self.event.at:
            return Late.NO
        if any(ended.rule == alert.rule + FLAPPING for ended in self.outcome.changed):
            return Late.FLAPPING
        muted = channel in told or not any(other.knows for other in told.values())
        return Late.MUTED if muted else Late.NEW_CHANNEL

    def _notice(self, alert: Alert, channel: str, kind: Kind, late: Late, by: str = "") -> Notice:
        key = NoticeKey(
            self.outcome.state.account, alert.rule, alert.seq, channel, kind, self.event.seq
        )
        known = replace(
            notification_facts(alert, self.event, self.outcome, self.snapshot),
            late=late,
            handed_over_by=by,
        )
        return Notice(key, self.event.at, self._summed_up(alert, key, known))

    def _summed_up(
        self, alert: Alert, key: NoticeKey, known: NotificationFacts
    ) -> NotificationFacts:
        """Add the rule's summary to news of one firing episode."""
        rule = self.policy.rules.get(alert.rule)
        if rule is None or not rule.summary or key.kind not in NEWS:
            return known
        summary, unfilled = fill_template(rule.summary, key, known)
        return replace(known, summary=summary, unfilled=unfilled)

    def _compared(self, notice: Notice, last: NotificationFacts | None) -> Notice:
        """Add the value told before to news that an alert got worse."""
        told = None if last is None or last.judged is None else last.judged.value
        return replace(notice, facts=replace(notice.facts, told=told))
