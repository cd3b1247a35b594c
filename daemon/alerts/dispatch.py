"""Dispatch: one notification per (transition, channel). Pure.

    step result, channel status, mutes in force ──► dispatch ──► notices, superseded keys

`channel_decisions` decides what each channel is sent of a firing alert, reminders included.
Decisions follow the alerts as they stand, not the transition alone. A firing alert is sent to every
channel that does not know it: it fired now, was muted until now, or the channel is new. Grouping,
send rate and delivery attempts belong to `service.delivery`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from daemon.alerts.channel_decisions import (
    ChannelStatus,
    FiringDecider,
    NotificationPolicy,
    ToldBy,
    announced_at,
)
from daemon.alerts.engine import StepResult
from daemon.alerts.hold_reasons import MUTES, HoldReason
from daemon.alerts.notification_facts import EvaluationSnapshot, notification_facts
from daemon.alerts.summary_template import fill_template
from daemon.types import (
    FLAPPING,
    Alert,
    ClockStep,
    ConfigChange,
    Input,
    Kind,
    Late,
    Notice,
    NoticeKey,
    NotificationFacts,
    State,
    base,
)


@dataclass(frozen=True, slots=True)
class DispatchResult:
    notices: tuple[Notice, ...] = ()
    superseded: tuple[NoticeKey, ...] = ()


NO_NEWS = DispatchResult()


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
    decider = FiringDecider(outcome.state, policy, event.at, snapshot.verdicts)
    dispatcher = _Dispatcher(event, outcome, policy, told, snapshot, decider)
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
    decider: FiringDecider

    def ends(self) -> Iterator[Notice]:
        """Yield the end for every channel that was told of the firing, or will be (promise 3).

        The rule as it is now may want none; the end of a removed rule is told.
        """
        for alert in self.outcome.changed:
            if alert.ended_at is None or alert.fired_at is None:
                continue
            rule = self.policy.rules.get(base(alert.rule))
            if rule is not None and not rule.resolve:
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
        for channel in self.decider.route(alert) if gone else ():
            if channel not in aware:
                yield self._end(alert, channel, kind, Late.HANDED_OVER, gone[0])

    def firings(self) -> Iterator[Notice]:
        for alert in self._firing():
            told = self.told.get((alert.rule, alert.seq), {})
            for channel, kind in self.decider.decisions(alert, told).items():
                if isinstance(kind, HoldReason):
                    continue
                late = self._late(alert, kind, channel, told)
                notice = self._notice(alert, channel, kind, late)
                if kind is Kind.WORSE:
                    notice = self._compared(notice, told[channel].last)
                if late is Late.ESCALATED:
                    since = announced_at(alert, told)
                    spent = None if since is None else self.event.at - since
                    notice = replace(notice, facts=replace(notice.facts, unacknowledged=spent))
                yield notice

    def acks(self) -> Iterator[Notice]:
        """Yield one acknowledgement per channel that was told of the alert."""
        if not self.policy.silences:  # nearly always
            return
        for alert in self._firing():
            told = self.told.get((alert.rule, alert.seq), {})
            knowing = [
                name for name in self.policy.channels if name in told and told[name].wants_ack
            ]
            ack = self.decider.muter.acknowledged(alert) if knowing else None
            if ack is None:
                continue
            for channel in knowing:
                notice = self._notice(alert, channel, Kind.ACK, Late.NO)
                told_later = tuple(self._told_after_ack(alert))
                facts = replace(notice.facts, detail=ack.comment, still_told=told_later)
                yield replace(notice, facts=facts)

    def _told_after_ack(self, alert: Alert) -> Iterator[Kind]:
        """Yield the kinds of news that an acknowledgement does not stop, if the rule tells them."""
        rule = self.policy.rules[base(alert.rule)]
        if rule.worse_by is not None or alert.swings is not None:
            yield Kind.WORSE
        if rule.resolve:
            yield Kind.RESOLVED

    def superseded(self) -> Iterator[NoticeKey]:
        """Yield queued firings to hold as a mute begins (E2), but none that may have arrived.

        An acknowledgement holds only those of channels that it was to be escalated to (E6).
        """
        for alert in self._firing():
            told = self.told.get((alert.rule, alert.seq), {})
            waiting = {
                channel: each.waiting
                for channel, each in told.items()
                if each.waiting is not None
                and (each.told_at is None or each.waiting.kind is not Kind.FIRING)
            }
            if not waiting:
                continue
            if self.decider.held_by(alert, MUTES):
                yield from waiting.values()
            elif self.decider.muter.acknowledged(alert) is not None:
                later = self.decider.escalation_times(alert, told)
                yield from (
                    key
                    for channel, key in waiting.items()
                    if channel in later and told[channel].told_at is None
                )

    def _firing(self) -> Iterator[Alert]:
        return (
            alert for alert in self.outcome.state.alerts.values() if alert.state is State.FIRING
        )

    def _late(
        self, alert: Alert, kind: Kind, channel: str, told: Mapping[str, ChannelStatus]
    ) -> Late:
        if kind is not Kind.FIRING or alert.fired_at == self.event.at:
            return Late.NO
        if channel in self.decider.escalation_times(alert, told):
            return Late.ESCALATED
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
        return Notice(key, self.event.at, self._in_own_words(alert, key, known))

    def _in_own_words(
        self, alert: Alert, key: NoticeKey, known: NotificationFacts
    ) -> NotificationFacts:
        """Add the words of the rule: unit, title and summary; the last two not of flapping."""
        rule = self.policy.rules.get(base(alert.rule))
        if rule is None:
            return known
        known = replace(known, unit=rule.unit)
        if alert.rule != rule.name or not (rule.title or rule.summary):
            return known
        title, no_title = fill_template(rule.title, key, known)
        summary, no_summary = fill_template(rule.summary, key, known)
        return replace(known, title=title, summary=summary, unfilled=no_title or no_summary)

    def _compared(self, notice: Notice, last: NotificationFacts | None) -> Notice:
        """Add the value told before, and its instant, to news that an alert got worse."""
        if last is None or last.judged is None:
            return notice
        facts = replace(notice.facts, told=last.judged.value, told_at=last.at)
        return replace(notice, facts=facts)
