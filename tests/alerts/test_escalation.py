"""Escalation: who else is told when nobody acknowledges an alert, and since when (SEMANTICS E6)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, time
from itertools import product
from typing import Any

import pytest

from daemon.alerts.channel_decisions import (
    ChannelDecision,
    ChannelStatus,
    FiringDecider,
    NotificationPolicy,
    announced_at,
)
from daemon.alerts.hold_reasons import Hold, HoldReason
from daemon.alerts.ids import alert_code
from daemon.alerts.mutes import DAYS, NO_MUTES, Mutes, MuteWindow
from daemon.replay.session import ReplaySession, RuleSet
from daemon.rules.rule import EscalationStep, Rule
from daemon.types import (
    HOUR,
    MINUTE,
    AccountState,
    Alert,
    ClockStep,
    ConfigChange,
    Input,
    Kind,
    Late,
    Limit,
    Millis,
    Notice,
    Severity,
    Silence,
    State,
)
from tests.values import T0, miss, reading, rule

CHANNELS = ("phone", "mail", "call", "boss")
STEPS = (EscalationStep(15 * MINUTE, ("call",)), EscalationStep(HOUR, ("boss",)))
CODE = alert_code("low", "main", T0, set())
"""The code of the alert that fires with the first reading."""

News = tuple[float, str, Kind, Late]
"""Minute, channel, kind, and why it is told only then."""

FIRED: list[News] = [
    (0, "phone", Kind.FIRING, Late.NO),
    (0, "mail", Kind.FIRING, Late.NO),
]


def low(**policy: Any) -> Rule:
    return rule(**{"channels": ("phone", "mail"), "escalate": STEPS, "repeat": None} | policy)


def ack(minute: float, until: float | None = None) -> Silence:
    return Silence(1, True, "low", "main", CODE, at(minute), at(until), "adding margin")


def silence(minute: float, until: float) -> Silence:
    return Silence(2, False, "low", "*", "", at(minute), at(until))


def at(minute: float | None) -> Millis:
    return T0 + round((minute or 1_000_000) * MINUTE) if minute != 0 else T0


class Watched:
    """One account whose messages all arrive."""

    def __init__(
        self,
        *rules: Rule,
        silences: Sequence[Silence] = (),
        mutes: Mutes = NO_MUTES,
        wait: Millis = 0,
    ) -> None:
        scheme = RuleSet(rules, CHANNELS, mutes, dict.fromkeys(CHANNELS, wait), silences)
        self.session = ReplaySession(scheme, AccountState("main"))
        self.notices: list[Notice] = []
        self.shifted = 0

    def read(self, minute: float, margin: str | None = "90") -> "Watched":
        """A reading, or a miss for None."""
        seq, instant = self.session.state.seq + 1, at(minute) + self.shifted
        if margin is None:
            return self.take(miss(seq, instant))
        return self.take(reading(seq, instant, available_margin=margin))

    def all(self, *minutes: float) -> "Watched":
        for minute in minutes:
            self.read(minute)
        return self

    def stepped(self, by: Millis) -> "Watched":
        self.shifted += by
        state = self.session.state
        return self.take(ClockStep(state.seq + 1, state.at + by, by))

    def take(self, event: Input) -> "Watched":
        self.notices += self.session.play(event).notices
        return self

    @property
    def news(self) -> list[News]:
        return [
            ((n.at - T0 - self.shifted) / MINUTE, n.key.channel, n.key.kind, n.facts.late)
            for n in self.notices
        ]

    @property
    def later(self) -> list[News]:
        """What follows the first announcement."""
        assert self.news[:2] == FIRED
        return self.news[2:]

    def decider(self, minute: float) -> FiringDecider:
        order = self.session._order
        return FiringDecider(self.session.state, order, at(minute))


ESCALATED: News = (15, "call", Kind.FIRING, Late.ESCALATED)


def test_it_escalates_with_the_first_input_at_which_the_time_is_over() -> None:
    """E6: each step once, the first one after exactly 15 minutes, the second after an hour."""
    watched = Watched(low()).all(0, 14.99, 15, 16, 59.9, 61, 90)
    assert watched.later == [ESCALATED, (61, "boss", Kind.FIRING, Late.ESCALATED)]
    assert [each.facts.unacknowledged for each in watched.notices] == [
        *(None, None),
        *(15 * MINUTE, 61 * MINUTE),
    ]


def test_a_miss_escalates_too() -> None:
    """E6: the exchange need not answer for it."""
    assert Watched(low()).read(0).read(16, None).later == [
        (16, "call", Kind.FIRING, Late.ESCALATED)
    ]


def test_after_a_time_without_inputs_it_escalates_at_once() -> None:
    """E6: downtime and suspend count, as nobody acknowledged it meanwhile."""
    assert Watched(low()).all(0, 45).later == [(45, "call", Kind.FIRING, Late.ESCALATED)]


def test_both_steps_are_taken_at_once_if_both_are_due() -> None:
    """E6: after a long downtime every channel is told."""
    assert [each[1] for each in Watched(low()).all(0, 120).later] == ["call", "boss"]


def test_a_start_or_a_step_of_the_clock_escalates_nothing() -> None:
    """E6: they say nothing about the account; the next reading or miss does."""
    watched = Watched(low()).read(0)
    watched.take(ConfigChange(2, at(20)))
    assert watched.later == []


def test_what_is_over_does_not_escalate() -> None:
    """E6: the end goes to those who were told, and not to those who would have been."""
    watched = Watched(low()).read(0).read(14).read(15, "500").read(30, "500")
    assert [each[1:3] for each in watched.later] == [
        ("phone", Kind.RESOLVED),
        ("mail", Kind.RESOLVED),
    ]


def test_the_end_is_told_to_whom_it_was_escalated() -> None:
    """E6, promise 3: to that step's channels, not to those of the next."""
    watched = Watched(low()).all(0, 15).read(20, "500")
    assert {each[1] for each in watched.later if each[2] is Kind.RESOLVED} == {
        *("phone", "mail", "call"),
    }


@pytest.mark.parametrize(("severity"), list(Severity))
def test_every_severity_escalates(severity: Severity) -> None:
    """E6: the rule alone decides."""
    assert Watched(low(severity=severity)).all(0, 15).later == [ESCALATED]


def test_an_acknowledgement_ends_it() -> None:
    """E6: nobody else is told, however long the alert lasts."""
    watched = Watched(low(), silences=[ack(14)]).all(0, 15, 61, 600)
    assert {each[2] for each in watched.later} == {Kind.ACK}
    assert {each[1] for each in watched.later} == {"phone", "mail"}


def test_an_acknowledgement_after_the_first_step_ends_the_next() -> None:
    """E6: it is told to the channel that it was escalated to, and no reminder follows there."""
    watched = Watched(low(repeat=5 * MINUTE), silences=[ack(17)]).all(0, 15, 18, 30, 61)
    assert [each[:3] for each in watched.later if each[1] in {"call", "boss"}] == [
        (15, "call", Kind.FIRING),
        (18, "call", Kind.ACK),
    ]


def test_an_acknowledgement_that_was_taken_back_lets_it_escalate() -> None:
    """E6: then it is as if nobody had acknowledged it."""
    watched = Watched(low(), silences=[ack(5, until=40)]).all(0, 6, 20, 40)
    assert watched.later[-1] == (40, "call", Kind.FIRING, Late.ESCALATED)


def test_an_acknowledgement_takes_back_what_waits_for_that_channel_alone() -> None:
    """E6: whoever was told at once still hears of the firing, and then of the acknowledgement."""
    watched = Watched(low(), silences=[ack(15.5)], wait=MINUTE).all(0, 10, 15)
    watched.read(15.6)
    told = watched.session.delivered.told(at(16))["low", 1]
    assert told["call"] == ChannelStatus()
    first = Watched(low(), silences=[ack(0)], wait=MINUTE).read(0)
    assert [each.waiting for each in first.session.delivered.told(at(0))["low", 1].values()] == [
        notice.key for notice in first.notices
    ]
    assert first.read(0.1).later == []


def test_once_told_a_channel_is_reminded_like_the_others() -> None:
    """E6, E3: every five minutes from its own first message on."""
    watched = Watched(low(repeat=5 * MINUTE)).all(0, 15, 16, 20)
    assert [each[:3] for each in watched.later if each[1] == "call"] == [
        (15, "call", Kind.FIRING),
        (20, "call", Kind.REPEAT),
    ]


def test_a_mute_window_moves_it_to_the_time_after_the_announcement() -> None:
    """E6: nobody can acknowledge what was not told; 15 minutes count from the end of the window."""
    start, end = time(11, 0), time(11, 30)
    noon = MuteWindow("noon", frozenset(DAYS), start, end)
    quiet = low(mute=("noon",))
    watched = Watched(quiet, mutes=Mutes({"noon": noon}, UTC))
    assert at(0) % (24 * HOUR) == 11 * HOUR
    watched.all(0, 16, 29, 30, 44, 45)
    assert watched.news == [
        (30, "phone", Kind.FIRING, Late.MUTED),
        (30, "mail", Kind.FIRING, Late.MUTED),
        (45, "call", Kind.FIRING, Late.ESCALATED),
    ]
    assert watched.notices[-1].facts.unacknowledged == 15 * MINUTE


def test_a_silence_holds_it_and_its_end_releases_it() -> None:
    """E6: what was announced before counts, so it escalates at once when the silence ends."""
    watched = Watched(low(), silences=[silence(5, 50)]).all(0, 5, 16, 49, 50)
    assert watched.later == [(50, "call", Kind.FIRING, Late.ESCALATED)]
    assert watched.notices[-1].facts.unacknowledged == 50 * MINUTE


def test_a_silence_takes_back_what_never_left() -> None:
    """E2, E6: then nothing was announced, and the time counts from the end of the silence."""
    watched = Watched(low(), silences=[silence(0.5, 10)], wait=MINUTE).all(0, 0.6, 10, 12, 24, 25)
    assert [each for each in watched.later if each[1] == "call"] == [
        (25, "call", Kind.FIRING, Late.ESCALATED)
    ]


def test_an_inhibited_alert_escalates_after_its_own_announcement() -> None:
    """E6: as after every mute."""
    other = rule("critical", "available_margin < 50", channels=("phone",), repeat=None)
    watched = Watched(low(inhibited_by=("critical",)), other)
    watched.read(0, "40").read(16, "40").read(20, "90").all(34, 35)
    assert [each for each in watched.news if each[1] == "call"] == [
        (35, "call", Kind.FIRING, Late.ESCALATED)
    ]


def test_a_rule_that_flaps_escalates_as_one_thing() -> None:
    """E4, E6: the time of the flapping message counts; single episodes escalate no more."""
    watched = Watched(low(flapping=Limit(2, HOUR)))
    for minute in (0, 2, 4):
        watched.read(minute).read(minute + 1, "500")
    watched.read(6)
    watched.all(18.9, 19, 21)
    escalated = [each for each in watched.notices if each.key.channel == "call"]
    assert [(each.key.rule, (each.at - T0) / MINUTE) for each in escalated] == [
        ("low:flapping", 19)
    ]


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_a_step_of_the_clock_changes_no_duration(by: Millis) -> None:
    """A5, E6: 15 minutes stay 15 minutes, whatever the clock shows meanwhile."""
    watched = Watched(low()).all(0, 5).stepped(by).all(14.9, 15)
    assert (watched.notices[-1].at - T0 - by, watched.notices[-1].key.channel) == (
        15 * MINUTE,
        "call",
    )
    assert watched.notices[-1].facts.unacknowledged == 15 * MINUTE


def test_people_see_when_it_escalates() -> None:
    """The instant if it is known; else only that it may."""
    watched = Watched(low()).read(0)
    alert = watched.session.state.alerts["low"]
    told = watched.session.delivered.told(at(1))["low", 1]
    decided = watched.decider(1).explained_decisions(alert, told)
    assert decided["call"] == Hold(HoldReason.NOT_ESCALATED, until=at(15))
    assert decided["boss"] == Hold(HoldReason.NOT_ESCALATED, until=at(60))
    unknown = watched.decider(1).explained_decisions(alert, {})
    assert unknown["call"] == Hold(HoldReason.NOT_ESCALATED)


def test_people_see_that_an_acknowledgement_holds_it() -> None:
    """The same words as for a reminder that does not come, before the time and after it."""
    watched = Watched(low(), silences=[ack(5)]).all(0, 6)
    alert = watched.session.state.alerts["low"]
    told = watched.session.delivered.told(at(20))["low", 1]
    held = Hold(HoldReason.ACKNOWLEDGED, comment="adding margin")
    for minute in (6, 20):
        assert watched.decider(minute).explained_decisions(alert, told)["call"] == held


ALERT = Alert("low", 1, CODE, Severity.WARNING, State.FIRING, "", T0, fired_at=T0)
KNOWS = ChannelStatus(told_at=T0, announced_after=0, sure=True)


def decisions(
    told: dict[str, ChannelStatus],
    *channels: str,
    silences: Sequence[Silence] = (),
    repeat: Millis | None = None,
) -> dict[str, ChannelDecision]:
    policy = NotificationPolicy(
        {"low": low(repeat=repeat)}, channels or CHANNELS, silences=silences
    )
    state = AccountState("main", alerts={"low": ALERT})
    return dict(FiringDecider(state, policy, at(20)).decisions(ALERT, told))


def test_a_channel_that_is_not_configured_is_left_out() -> None:
    """A replay with other channels, or with none, escalates to none of them."""
    assert decisions({"phone": KNOWS, "mail": KNOWS}, "phone", "mail") == dict.fromkeys(
        ("phone", "mail"), HoldReason.NEVER_REPEATS
    )


def test_a_channel_told_in_place_of_another_is_not_told_again() -> None:
    """F3, E6: it has the news already."""
    gone = ChannelStatus(given_up=True, announced_after=0)
    told = {"phone": gone, "mail": KNOWS, "call": KNOWS}
    assert decisions(told) == {
        "phone": HoldReason.REFUSED,
        "mail": HoldReason.NEVER_REPEATS,
        "call": HoldReason.NEVER_REPEATS,
        "boss": HoldReason.NOT_ESCALATED,
    }


def test_a_channel_that_refused_the_escalation_is_left_alone() -> None:
    """F3: others know already; the next step is still to come."""
    gone = ChannelStatus(given_up=True, announced_after=15 * MINUTE)
    told = {"phone": KNOWS, "mail": KNOWS, "call": gone}
    assert decisions(told) == {
        "phone": HoldReason.NEVER_REPEATS,
        "mail": HoldReason.NEVER_REPEATS,
        "call": HoldReason.REFUSED,
        "boss": HoldReason.NOT_ESCALATED,
    }


def test_a_channel_told_in_place_of_an_escalated_one_is_reminded_like_it() -> None:
    """F3, E3, E6: `call` refused, so that its fallback `sms` was told, and stands in for it."""
    gone = ChannelStatus(given_up=True, announced_after=15 * MINUTE)
    told = {"phone": KNOWS, "mail": KNOWS, "call": gone, "sms": KNOWS}
    found = decisions(told, *CHANNELS, "sms", repeat=5 * MINUTE)
    assert found == {
        **dict.fromkeys(("phone", "mail", "sms"), Kind.REPEAT),
        "call": HoldReason.REFUSED,
        "boss": HoldReason.NOT_ESCALATED,
    }


def test_a_refused_escalation_makes_no_later_step_earlier() -> None:
    """F3, E6: what was taken back from `boss` is told there when its own time is over."""
    gone = ChannelStatus(given_up=True, announced_after=15 * MINUTE)
    told = {"phone": KNOWS, "mail": KNOWS, "call": gone, "boss": ChannelStatus()}
    assert decisions(told)["boss"] is HoldReason.NOT_ESCALATED


def test_where_all_refuse_all_are_tried_whatever_may_escalate() -> None:
    """F3: promise 2 ranks higher, and a channel that is not told yet changes nothing."""
    gone = ChannelStatus(given_up=True, announced_after=0)
    found = decisions({"phone": gone, "mail": gone})
    assert found == {
        "phone": Kind.FIRING,
        "mail": Kind.FIRING,
        "call": Kind.FIRING,
        "boss": HoldReason.NOT_ESCALATED,
    }


GONE = ChannelStatus(given_up=True, announced_after=0)


@pytest.mark.parametrize("phone", [GONE, replace(GONE, told_at=T0, sure=True)])
def test_an_acknowledgement_also_holds_it_where_another_channel_refused(
    phone: ChannelStatus,
) -> None:
    """F3, E6: `call` was to be told in place of the phone, and that was taken back."""
    told = {"phone": phone, "mail": KNOWS, "call": ChannelStatus()}
    assert decisions(told)["call"] is Kind.FIRING
    assert decisions(told, silences=[ack(5)]) == {
        "phone": HoldReason.REFUSED,
        "mail": HoldReason.NEVER_REPEATS,
        "call": HoldReason.ACKNOWLEDGED,
        "boss": HoldReason.ACKNOWLEDGED,
    }


STATUSES = (None, ChannelStatus(), KNOWS, GONE)


@pytest.mark.parametrize("told", list(product(STATUSES, repeat=len(CHANNELS))))
def test_after_an_acknowledgement_no_channel_of_escalate_gets_first_news(
    told: tuple[ChannelStatus | None, ...],
) -> None:
    """E6: whatever became of the news on every channel before."""
    known = {name: one for name, one in zip(CHANNELS, told, strict=True) if one is not None}
    found = decisions(known, silences=[ack(5)])
    assert Kind.FIRING not in (found["call"], found["boss"])


def test_a_failing_channel_delays_no_escalation() -> None:
    """E6: the time counts from the decision to tell it, not from the delivery."""
    waits = ChannelStatus(announced_after=0)
    assert announced_at(ALERT, {"phone": waits, "mail": ChannelStatus()}) == T0
    assert announced_at(ALERT, {"phone": ChannelStatus()}) is None
