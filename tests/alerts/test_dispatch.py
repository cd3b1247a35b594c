"""Dispatch: who is told what (SEMANTICS E), by alerts and channel status."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from daemon.alerts.channel_decisions import ChannelStatus, NotificationPolicy, ToldBy
from daemon.alerts.dispatch import DispatchResult, dispatch
from daemon.alerts.engine import StepResult, step
from daemon.alerts.notification_facts import EvaluationSnapshot
from daemon.rules.rule import Rule
from daemon.types import (
    HOUR,
    MINUTE,
    SECOND,
    AccountState,
    ConfigChange,
    Input,
    Kind,
    Late,
    Millis,
    NoticeKey,
    Unconfirmed,
)
from tests.values import FALSE, T0, TRUE, balances, reading, rule, state

CHANNELS = ("telegram", "email")


def name(rule: str, _account: str, _at: Millis) -> str:
    return rule[:4]


def fire(
    *rules: Rule, at: Millis = T0, here: AccountState | None = None
) -> tuple[StepResult, Input]:
    here = here or state()
    event = reading(here.seq + 1, at)
    return step(
        here, event, {one.name: TRUE for one in rules}, {one.name: one for one in rules}, name
    ), event


def clear(here: AccountState, *rules: Rule, at: Millis) -> tuple[StepResult, Input]:
    event = reading(here.seq + 1, at)
    return step(
        here, event, {one.name: FALSE for one in rules}, {one.name: one for one in rules}, name
    ), event


def news(
    happened: tuple[StepResult, Input],
    rules: Sequence[Rule],
    told: ToldBy | None = None,
    snapshot: EvaluationSnapshot | None = None,
) -> DispatchResult:
    outcome, event = happened
    order = NotificationPolicy({one.name: one for one in rules}, CHANNELS)
    return dispatch(event, outcome, order, told or {}, snapshot or EvaluationSnapshot())


def summary(said: DispatchResult) -> list[tuple[str, str, Kind, Late]]:
    return [(n.key.rule, n.key.channel, n.key.kind, n.facts.late) for n in said.notices]


def knows(at: Millis = T0) -> Mapping[str, ChannelStatus]:
    return {channel: ChannelStatus(told_at=at) for channel in CHANNELS}


def queued(kind: Kind = Kind.FIRING) -> ChannelStatus:
    return ChannelStatus(waiting=NoticeKey("main", "low", 1, "telegram", kind, 1))


def test_e1_a_firing_is_told_to_every_channel() -> None:
    """E1: one notification per (transition, channel); no channels named means all."""
    said = news(fire(rule()), [rule()])
    assert summary(said) == [
        ("low", "telegram", Kind.FIRING, Late.NO),
        ("low", "email", Kind.FIRING, Late.NO),
    ]


def test_a_rule_names_its_channels() -> None:
    """Only the channels of the rule are told, and only those that exist."""
    picky = rule(channels=("email", "gone"))
    assert summary(news(fire(picky), [picky])) == [("low", "email", Kind.FIRING, Late.NO)]


def test_a_pending_alert_is_told_to_nobody() -> None:
    """D1: pending is never announced, nor is its end."""
    slow = rule(hold=MINUTE)
    outcome, event = fire(slow)
    assert news((outcome, event), [slow]) == DispatchResult()
    assert news(clear(outcome.state, slow, at=T0 + SECOND), [slow]) == DispatchResult()


def test_what_is_queued_or_on_its_way_is_not_queued_again() -> None:
    """E3: at most one queued notification per (alert, channel)."""
    outcome, event = fire(rule())
    told: ToldBy = {("low", 1): {"telegram": queued(), "email": ChannelStatus(in_flight=True)}}
    assert news((outcome, event), [rule()], told) == DispatchResult()


def test_a_channel_that_refused_is_not_told_again() -> None:
    """F3: a channel that refused gets nothing queued that other channels were told instead."""
    outcome, event = fire(rule())
    told: ToldBy = {
        ("low", 1): {"telegram": ChannelStatus(given_up=True), "email": ChannelStatus(told_at=T0)}
    }
    assert news((outcome, event), [rule()], told) == DispatchResult()


def test_e3_a_reminder_is_due_from_the_last_delivery_on() -> None:
    """E3: the repeat clock starts at the last delivery; `repeat` off means never."""
    outcome, _ = fire(rule())
    told: ToldBy = {
        ("low", 1): {
            "telegram": ChannelStatus(told_at=T0 + HOUR),
            "email": ChannelStatus(told_at=T0),
        }
    }
    later = fire(rule(), at=T0 + 4 * HOUR, here=outcome.state)
    assert summary(news(later, [rule()], told)) == [("low", "email", Kind.REPEAT, Late.NO)]
    assert news(later, [rule(repeat=None)], told) == DispatchResult()


def test_e1_the_end_goes_to_those_who_were_told() -> None:
    """Promise 3: channels that were told, or will be, hear the end; others do not."""
    outcome, _ = fire(rule())
    ended = clear(outcome.state, rule(), at=T0 + MINUTE)
    waiting: ToldBy = {("low", 1): {"telegram": queued(), "email": ChannelStatus()}}
    assert summary(news(ended, [rule()], {("low", 1): knows()})) == [
        ("low", "telegram", Kind.RESOLVED, Late.NO),
        ("low", "email", Kind.RESOLVED, Late.NO),
    ]
    assert summary(news(ended, [rule()], waiting)) == [("low", "telegram", Kind.RESOLVED, Late.NO)]
    assert news(ended, [rule()]) == DispatchResult()


def test_d5_a_retired_alert_is_told_once_as_retired() -> None:
    """D5: to whom it was told firing, also where its rule is gone."""
    outcome, _ = fire(rule())
    event = ConfigChange(2, T0 + MINUTE)
    retired = step(outcome.state, event, {}, {}, name), event
    assert summary(news(retired, [], {("low", 1): {"email": ChannelStatus(told_at=T0)}})) == [
        ("low", "email", Kind.RETIRED, Late.NO)
    ]


def test_e2_an_inhibited_alert_is_held() -> None:
    """E2: firing and repeats are held while a rule of `inhibited_by` fires on the same account."""
    worse, mild = rule("critical"), rule("low", inhibited_by=("crit*",))
    said = news(fire(mild, worse), [mild, worse])
    assert {notice.key.rule for notice in said.notices} == {"critical"}


def test_e2_when_the_mute_ends_it_is_told_as_muted_until_now() -> None:
    """E2: after an inhibition, alerts that still fire are told; ended ones are history only."""
    worse, mild = rule("critical"), rule("low", inhibited_by=("critical",))
    both, _ = fire(mild, worse)
    over = clear(both.state, worse, at=T0 + MINUTE)
    told: ToldBy = {("critical", 1): knows()}
    assert [s for s in summary(news(over, [mild, worse], told)) if s[0] == "low"] == [
        ("low", "telegram", Kind.FIRING, Late.MUTED),
        ("low", "email", Kind.FIRING, Late.MUTED),
    ]
    silent = clear(both.state, mild, at=T0 + MINUTE)
    assert [s for s in summary(news(silent, [mild, worse], told)) if s[0] == "low"] == []


def test_e2_the_end_of_what_was_told_is_sent_at_once_under_inhibition() -> None:
    """E2: an inhibition holds no end."""
    worse, mild = rule("critical"), rule("low", inhibited_by=("critical",))
    both, _ = fire(mild, worse)
    told: ToldBy = {("low", 1): knows(), ("critical", 1): knows()}
    assert len(news(clear(both.state, mild, at=T0 + MINUTE), [mild, worse], told).notices) == 2


def test_e2_a_mute_supersedes_a_queued_firing() -> None:
    """E2: an inhibition holds queued news, but not a firing whose attempt may have arrived."""
    worse, mild = rule("critical"), rule("low", inhibited_by=("critical",))
    happened = fire(mild, worse)
    key = NoticeKey("main", "low", 1, "telegram", Kind.FIRING, 1)
    again = replace(key, kind=Kind.REPEAT, seq=2)
    for told, expected in (
        (ChannelStatus(waiting=key), (key,)),
        (ChannelStatus(waiting=again, told_at=T0), (again,)),
        (ChannelStatus(waiting=key, told_at=T0), ()),
        (ChannelStatus(told_at=T0), ()),
    ):
        assert (
            news(happened, [mild, worse], {("low", 1): {"telegram": told}}).superseded == expected
        )


def test_e5_a_channel_added_while_an_alert_fires_is_told_still_firing() -> None:
    """E5: a new channel hears of it with the next reading, not with the configuration change."""
    outcome, _ = fire(rule())
    told: ToldBy = {("low", 1): {"telegram": ChannelStatus(told_at=T0)}}
    event = ConfigChange(2, T0 + SECOND)
    change = step(outcome.state, event, {}, {"low": rule()}, name), event
    assert news(change, [rule()], told) == DispatchResult()
    later = fire(rule(), at=T0 + MINUTE, here=change[0].state)
    assert summary(news(later, [rule()], told)) == [("low", "email", Kind.FIRING, Late.NEW_CHANNEL)]


def test_a_notice_carries_what_the_message_needs() -> None:
    """Facts come from the causing input: value, fields, changes, reason and the alert's code."""
    snapshot = EvaluationSnapshot(
        {"low": TRUE}, balances("90"), {"available_margin": Decimal(-410)}
    )
    facts = news(fire(rule()), [rule()], snapshot=snapshot).notices[0].facts
    assert (facts.code, facts.since, facts.fired_at, facts.reason) == ("low", T0, T0, "condition")
    assert (facts.judged, facts.balances, facts.changes) == (
        TRUE.judged,
        snapshot.balances,
        snapshot.changes,
    )
    assert facts.unconfirmed is False


def test_a_rule_s_own_words_are_in_all_of_its_news() -> None:
    """Filled in at each decision, so also with the value at the end; what could not be is said."""
    own = rule(summary="margin {available_margin:.1f}")
    snapshot = EvaluationSnapshot({"low": TRUE}, balances("90"))
    facts = news(fire(own), [own], snapshot=snapshot).notices[0].facts
    assert (facts.summary, facts.unfilled) == ("margin 90.0", "")
    facts = news(fire(own), [own]).notices[0].facts
    assert (facts.summary, facts.unfilled) == ("", "available_margin is unknown")
    outcome, _ = fire(own)
    over = clear(outcome.state, own, at=T0 + MINUTE)
    told: ToldBy = {("low", 1): {"email": ChannelStatus(told_at=T0)}}
    snapshot = EvaluationSnapshot({"low": FALSE}, balances("500"))
    (end,) = news(over, [own], told, snapshot=snapshot).notices
    assert (end.key.kind, end.facts.summary) == (Kind.RESOLVED, "margin 500.0")


def test_b5_news_judged_on_an_unconfirmed_reading_says_so() -> None:
    """B5: messages say "unconfirmed"; without a verdict they show what raised the alert."""
    event = Unconfirmed(1, T0, reading(1))
    happened = step(state(), event, {"low": TRUE}, {"low": rule()}, name), event
    facts = news(happened, [rule()]).notices[0].facts
    assert (facts.unconfirmed, facts.judged) == (True, TRUE.judged)


def test_e5_the_end_of_what_a_removed_channel_knew_goes_to_the_present_ones() -> None:
    """E5: channels that were not told get start and end as one; the removed one gets nothing."""
    outcome, _ = fire(rule())
    told: ToldBy = {
        ("low", 1): {"gone": ChannelStatus(told_at=T0), "email": ChannelStatus(told_at=T0)}
    }
    over = clear(outcome.state, rule(), at=T0 + MINUTE)
    said = news(over, [rule()], told)
    assert summary(said) == [
        ("low", "email", Kind.RESOLVED, Late.NO),
        ("low", "telegram", Kind.RESOLVED, Late.HANDED_OVER),
    ]
    assert said.notices[1].facts.handed_over_by == "gone"


def test_e5_an_end_that_nobody_wants_is_not_handed_over() -> None:
    """E5: of a rule with `resolve = false` no channel is told the end, in nobody's stead."""
    event = rule(resolve=False)
    outcome, _ = fire(event)
    told: ToldBy = {
        ("low", 1): {"gone": ChannelStatus(told_at=T0), "email": ChannelStatus(told_at=T0)}
    }
    assert news(clear(outcome.state, event, at=T0 + MINUTE), [event], told).notices == ()


def test_e5_the_end_of_a_removed_rule_whose_channel_is_removed_goes_to_all() -> None:
    """D5, E5: a rule that is gone names no channels any more."""
    outcome, _ = fire(rule())
    event = ConfigChange(2, T0 + MINUTE)
    retired = step(outcome.state, event, {}, {}, name)
    said = news((retired, event), [], {("low", 1): {"gone": ChannelStatus(told_at=T0)}})
    assert summary(said) == [
        (("low"), channel, Kind.RETIRED, Late.HANDED_OVER) for channel in CHANNELS
    ]


def test_e3_who_was_told_in_the_stead_of_another_channel_is_reminded() -> None:
    """E3, F3: if the rule's channel gave up, its fallback gets the reminders."""
    only = rule(channels=("telegram",), repeat=HOUR)
    outcome, _ = fire(only)
    later = fire(only, at=T0 + HOUR, here=outcome.state)
    told: ToldBy = {
        ("low", 1): {"telegram": ChannelStatus(given_up=True), "email": ChannelStatus(told_at=T0)}
    }
    assert summary(news(later, [only], told)) == [("low", "email", Kind.REPEAT, Late.NO)]
    told = {
        ("low", 1): {
            "telegram": ChannelStatus(told_at=T0 + HOUR),
            "email": ChannelStatus(told_at=T0),
        }
    }
    assert news(later, [only], told) == DispatchResult()


def test_e2_a_stand_in_that_was_muted_is_told_when_the_mute_ends() -> None:
    """E2, promise 2: superseded there and given up elsewhere, somebody must still hear of it."""
    only = rule(channels=("telegram",))
    outcome, _ = fire(only)
    later = fire(only, at=T0 + MINUTE, here=outcome.state)
    told: ToldBy = {
        ("low", 1): {"telegram": ChannelStatus(given_up=True), "email": ChannelStatus()}
    }
    assert summary(news(later, [only], told)) == [("low", "email", Kind.FIRING, Late.MUTED)]


def test_e2_a_channel_whose_news_was_held_is_no_new_channel() -> None:
    """E2: it hears "muted until now", though another channel was told before the mute began."""
    outcome, _ = fire(rule())
    later = fire(rule(), at=T0 + MINUTE, here=outcome.state)
    told: ToldBy = {("low", 1): {"telegram": ChannelStatus(told_at=T0), "email": ChannelStatus()}}
    assert summary(news(later, [rule()], told)) == [("low", "email", Kind.FIRING, Late.MUTED)]


def test_promise_2_news_that_was_handed_to_a_channel_that_is_gone_comes_back() -> None:
    """F3: a channel that gave up is told again once no other channel is left."""
    one = rule("low", channels=("telegram",))
    here = fire(one)[0].state
    again = fire(one, at=T0 + MINUTE, here=here)
    gone: ToldBy = {
        ("low", 1): {"telegram": ChannelStatus(given_up=True), "pager": ChannelStatus(told_at=T0)}
    }
    assert [notice.key.channel for notice in news(again, [one], gone).notices] == ["telegram"]
    kept: ToldBy = {
        ("low", 1): {"telegram": ChannelStatus(given_up=True), "email": ChannelStatus(told_at=T0)}
    }
    assert news(again, [one], kept).notices == ()
