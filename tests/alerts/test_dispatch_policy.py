"""Dispatch of worse values, mutes, flapping and missing readings (SEMANTICS D4, E1, E2, E4)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, time
from decimal import Decimal
from typing import Any

import pytest

from daemon.alerts.channel_decisions import ChannelStatus, NotificationPolicy, ToldBy
from daemon.alerts.decide import Decision, decide, judge
from daemon.alerts.engine import step
from daemon.alerts.mutes import DAYS, Mutes, MuteWindow
from daemon.alerts.notification_facts import EvaluationSnapshot
from daemon.alerts.system_rules import system_rule
from daemon.rules.evaluation.evaluator import Evaluator, Verdict
from daemon.rules.rule import Rule
from daemon.types import (
    FLAPPING,
    HOUR,
    MINUTE,
    SECOND,
    AccountState,
    Check,
    ClockStep,
    ConfigChange,
    DecidingComparison,
    FlapRange,
    Input,
    Kind,
    Late,
    Limit,
    MissReason,
    Notice,
    NoticeKey,
    NotificationFacts,
    OnMissing,
    Quality,
    Silence,
    State,
    Unconfirmed,
)
from tests.alerts.played import name
from tests.values import FALSE, T0, TRUE, balances, judged, miss, reading, rule, state

Heard = list[tuple[str, Kind, Late]]


class Phone:
    """The only channel of an account, to which everything arrives at once, unless it is `away`."""

    def __init__(self, *rules: Rule, mutes: Mutes | None = None) -> None:
        self.rules = {one.name: one for one in rules}
        self.mutes = mutes or Mutes()
        self.silences: Sequence[Silence] = ()
        self.state: AccountState = state()
        self.told: dict[tuple[str, int], dict[str, ChannelStatus]] = {}
        self.notices: list[Notice] = []
        self.last: Decision | None = None
        self.away = False

    def read(self, second: float, *values: str | None) -> Heard:
        """A reading at which each rule judges its value, true below 100, unknown without one."""
        verdicts = {rule: verdict(value) for rule, value in zip(self.rules, values, strict=True)}
        return self.take(reading(self.state.seq + 1, T0 + round(second * SECOND)), verdicts)

    def missed(self, second: float, found: Mapping[str, Verdict] | None = None) -> Heard:
        return self.take(miss(self.state.seq + 1, T0 + round(second * SECOND)), found or {})

    def take(self, event: Input, verdicts: Mapping[str, Verdict]) -> Heard:
        order = NotificationPolicy(self.rules, ["phone"], self.mutes, self.silences)
        snapshot = EvaluationSnapshot(verdicts, balances("75"))
        self.last = decide(self.state, event, snapshot, order, self.told, name)
        self.state = self.last.state
        for key in self.last.record.superseded:
            self.told[key.rule, key.alert_seq]["phone"] = ChannelStatus()
        new = list(self.last.record.notices)
        for notice in new if not self.away else []:
            known = self.told.setdefault((notice.key.rule, notice.key.alert_seq), {})
            acked = notice.key.kind is Kind.ACK
            known["phone"] = (
                replace(known.get("phone", ChannelStatus()), acked=True)
                if acked
                else ChannelStatus(event.at, notice.facts)
            )
        self.notices += new
        return [(n.key.rule, n.key.kind, n.facts.late) for n in new]

    @property
    def facts(self) -> NotificationFacts:
        """Of the last notice."""
        return self.notices[-1].facts


def verdict(value: str | None) -> Verdict:
    if value is None:
        return Verdict(when=None, clear=None, judged=judged(None))
    low = Decimal(value) < 100
    return Verdict(when=low, clear=not low, judged=judged(value))


FIRED: Heard = [("low", Kind.FIRING, Late.NO)]
WORSE: Heard = [("low", Kind.WORSE, Late.NO)]
OVER: Heard = [("low", Kind.RESOLVED, Late.NO)]
FLAPS: Heard = [("low:flapping", Kind.FIRING, Late.NO)]

# Worse.


def test_e1_worse_is_told_beyond_the_value_last_told() -> None:
    """E1: by at least that share of the value last told, each time anew."""
    phone = Phone(rule(worse_by=Decimal("0.25")))
    assert phone.read(1, "80") == FIRED
    assert [
        phone.read(2, "60.01"),
        phone.read(3, "60"),
        phone.read(4, "46"),
        phone.read(5, "45"),
    ] == [
        [],
        WORSE,
        [],
        WORSE,
    ]
    assert (phone.facts.told, phone.facts.judged) == (Decimal(60), judged("45"))
    assert phone.facts.told_at is not None
    assert phone.facts.told_at < phone.facts.at
    assert [
        phone.read(6, "90"),
        phone.read(7, "45"),
        phone.read(8, "34"),
        phone.read(9, "33.75"),
    ] == [
        [],
        [],
        [],
        WORSE,
    ]


def test_e1_of_a_rising_condition_higher_is_worse() -> None:
    """E1: the direction is that of the comparison."""
    phone = Phone(rule(worse_by=Decimal("0.5")))
    for second, value, heard in (
        (1, "10", FIRED),
        (2, "5", []),
        (3, "14.9", []),
        (4, "15", WORSE),
        (5, "22.5", WORSE),
    ):
        side = judged(value, "1", falling=False)
        event = reading(phone.state.seq + 1, T0 + second * SECOND)
        assert phone.take(event, {"low": Verdict(when=True, clear=False, judged=side)}) == heard


@pytest.mark.parametrize(
    ("first", "then", "heard"),
    [
        ("0", "0", []),
        ("0", "-0.01", WORSE),
        ("-10", "-12.4", []),
        ("-10", "-12.5", WORSE),
        ("-10", "-5", []),
        ("Infinity", "5", WORSE),
        ("5", "-Infinity", WORSE),
        ("-Infinity", "-Infinity", []),
        (None, "5", []),
        ("5", None, []),
    ],
)
def test_e1_worse_at_the_edges(first: str | None, then: str | None, heard: Heard) -> None:
    """E1: from zero any worse value counts; unknown and infinite values are not compared."""
    phone = Phone(rule(worse_by=Decimal("0.25")))
    found = [Verdict(when=True, clear=False, judged=judged(value)) for value in (first, then)]
    said = [
        phone.take(reading(seq, T0 + seq * SECOND), {"low": one})
        for seq, one in enumerate(found, 1)
    ]
    assert said == [FIRED, heard]


def test_e1_another_comparison_is_not_worse() -> None:
    """E1: no "worse" for another field, a condition that does not hold, or without a verdict."""
    phone = Phone(rule(worse_by=Decimal("0.25")))
    phone.read(1, "80")
    for second, found in enumerate(
        (
            Verdict(when=True, clear=False, judged=judged("1", field="al_freeze")),
            Verdict(when=True, clear=False),
            Verdict(when=False, clear=False, judged=judged("1")),
            Verdict(when=None, clear=None, judged=judged("1")),
        ),
        2,
    ):
        assert phone.take(reading(second, T0 + second * SECOND), {"low": found}) == []
    assert phone.missed(9) == []


def test_e1_without_the_key_nothing_is_told_as_worse() -> None:
    """E1: `worse_by` is off by default; a delivery of unknown text is no base to compare with."""
    phone = Phone(rule())
    phone.read(1, "80")
    assert phone.read(2, "1") == []
    fresh = Phone(rule(worse_by=Decimal("0.25")))
    fresh.read(1, "80")
    fresh.told["low", 1] = {"phone": ChannelStatus(told_at=T0)}
    assert fresh.read(2, "1") == []


def test_e1_worse_starts_the_repeat_clock() -> None:
    """E3: the clock of reminders starts at the last delivery, whatever it told."""
    phone = Phone(rule(worse_by=Decimal("0.25"), repeat=MINUTE))
    phone.read(0, "80")
    assert [phone.read(30, "40"), phone.read(60, "40"), phone.read(90, "40")] == [
        WORSE,
        [],
        [("low", Kind.REPEAT, Late.NO)],
    ]


# Mute windows. T0 is 11:00 UTC.

NOON = Mutes(
    {
        "noon": MuteWindow("noon", frozenset(DAYS), time(11, 1), time(12)),
        "late": MuteWindow("late", frozenset(DAYS), time(12), time(13)),
    },
    UTC,
)
END = T0 + HOUR


def test_e2_a_mute_window_holds_firing_repeats_and_worse() -> None:
    """E2: what still fires when it ends is told as muted until now, once."""
    phone = Phone(rule(mute=("noon",), repeat=MINUTE, worse_by=Decimal("0.25")), mutes=NOON)
    assert phone.read(60, "90") == []
    assert phone.read(3_599, "10") == []
    assert phone.read(3_600, "10") == [("low", Kind.FIRING, Late.MUTED)]
    told = Phone(rule(mute=("noon",), repeat=MINUTE, worse_by=Decimal("0.25")), mutes=NOON)
    assert told.read(59, "90") == FIRED
    assert told.read(3_000, "10") == []
    assert told.read(3_600, "10") == WORSE


def test_e2_what_fired_and_cleared_inside_a_window_is_history_only() -> None:
    """E2: nobody hears of it."""
    phone = Phone(rule(mute=("noon",)), mutes=NOON)
    assert [phone.read(60, "90"), phone.read(70, "500"), phone.read(3_600, "500")] == [[], [], []]


def test_e2_an_end_inside_a_window_waits_for_its_end() -> None:
    """E2: it is queued at once, and may leave when the last of adjoining windows is over."""
    phone = Phone(rule(mute=("noon",)), mutes=NOON)
    phone.read(0, "90")
    assert (phone.read(90, "500"), phone.facts.not_before) == (OVER, END)
    long = Phone(rule(mute=("noon", "late")), mutes=NOON)
    long.read(0, "90")
    assert (long.read(90, "500"), long.facts.not_before) == (OVER, END + HOUR)


def test_e2_an_end_outside_a_window_is_sent_at_once() -> None:
    """E2: also where the rule names a window."""
    phone = Phone(rule(mute=("noon",)), mutes=NOON)
    phone.read(0, "90")
    assert (phone.read(30, "500"), phone.facts.not_before) == (OVER, None)


def test_e2_the_end_of_a_removed_rule_knows_no_window() -> None:
    """D5, E2: whose windows are gone with it."""
    phone = Phone(rule(mute=("noon",)), mutes=NOON)
    phone.read(0, "90")
    phone.rules = {}
    assert phone.take(ConfigChange(2, T0 + 2 * MINUTE), {}) == [("low", Kind.RETIRED, Late.NO)]
    assert phone.facts.not_before is None


def test_e2_a_window_that_begins_while_a_firing_is_queued_supersedes_it() -> None:
    """E2: it is told when the window ends, if it still fires then."""
    phone = Phone(rule(mute=("noon",)), mutes=NOON)
    phone.away = True
    phone.read(59, "90")
    key = phone.notices[0].key
    phone.told["low", 1] = {"phone": ChannelStatus(waiting=key)}
    phone.read(60, "90")
    assert phone.last is not None
    assert phone.last.record.superseded == (key,)
    assert phone.read(3_600, "90") == [("low", Kind.FIRING, Late.MUTED)]


def test_e2_a_clock_step_tells_nothing() -> None:
    """A5: neither a firing that was muted nor a reminder is told because the clock was set."""
    phone = Phone(rule(repeat=MINUTE))
    phone.read(0, "90")
    assert phone.take(ClockStep(2, T0 + HOUR, HOUR), {}) == []


# Inhibition.


def test_e2_a_system_rule_inhibits_like_any_other() -> None:
    """D7, E2: `key-refused` mutes `no-readings`, which says the same without the reason."""
    refused, silent = system_rule("key-refused", 0), system_rule("no-readings", 2 * SECOND)
    phone = Phone(refused, silent)
    auth = Verdict(
        when=True,
        clear=False,
        judged=judged("1", "1", falling=False, field="key_refused"),
        detail="no such key",
    )
    phone.read(0, None, None)
    assert phone.missed(1, {"key-refused": auth}) == [("key-refused", Kind.FIRING, Late.NO)]
    assert phone.facts.detail == "no such key"
    assert phone.missed(3, {"key-refused": auth}) == []
    assert "no-readings" in phone.state.alerts
    back = phone.take(reading(4, T0 + 4 * SECOND), {"key-refused": FALSE, "no-readings": FALSE})
    assert back == [("key-refused", Kind.RESOLVED, Late.NO)]


def test_e2_nothing_mutes_itself() -> None:
    """E2: `inhibited_by = ["*"]` means all others, and an alert about flapping is none of them."""
    phone = Phone(rule(inhibited_by=("*",), flapping=Limit(1, MINUTE)))
    assert [phone.read(1, "90"), phone.read(2, "500"), phone.read(3, "90")] == [FIRED, OVER, FLAPS]
    mild = Phone(rule("high", flapping=Limit(1, HOUR)), rule(inhibited_by=("high*",)))
    for second, value in enumerate(("90", "500", "90", "500")):
        mild.read(second, value, "500")
    assert mild.read(9, "500", "90") == FIRED


# Events: rules with `resolve = false`.


def test_e1_an_end_that_nobody_wants_is_told_to_nobody() -> None:
    """E1: the alert ends on record, and fires again; reminders and acks are as ever."""
    phone = Phone(rule(resolve=False, repeat=MINUTE))
    assert phone.read(0, "90") == FIRED
    assert phone.read(60, "90") == [("low", Kind.REPEAT, Late.NO)]
    phone.silences = (
        Silence(
            1,
            ack=True,
            rule="low",
            account="main",
            code=phone.facts.code,
            started_at=T0 + 61 * SECOND,
            ended_at=None,
        ),
    )
    assert phone.read(62, "90") == [("low", Kind.ACK, Late.NO)]
    assert phone.facts.still_told == ()
    assert phone.read(180, "90") == []
    assert phone.read(190, "500") == []
    assert phone.last is not None
    assert [alert.state for alert in phone.last.record.alerts] == [State.RESOLVED]
    assert phone.read(200, "90") == FIRED


def test_e2_no_unwanted_end_waits_for_a_mute_window() -> None:
    """E2: nothing is queued that a window would hold."""
    phone = Phone(rule(resolve=False, mute=("noon",)), mutes=NOON)
    phone.read(0, "90")
    assert phone.read(90, "500") == []


def test_e4_the_end_of_flapping_events_is_not_told() -> None:
    """E4: nor that it is calm; the next firing is told as ever."""
    phone = flapping(resolve=False)
    assert [n.key.kind for n in phone.notices] == [Kind.FIRING, Kind.FIRING]
    assert phone.read(81, "500") == []
    assert phone.read(82, "90") == FIRED


def test_d4_neither_back_nor_no_longer_judged_is_told_of_an_event() -> None:
    """D4: both are ends; a firing at the first reading is told."""
    silent = gone(resolve=False)
    silent.missed(3)
    assert silent.read(4, "87") == FIRED
    judged_no_more = Phone(rule(resolve=False, on_missing=OnMissing.OK, missing_after=2 * SECOND))
    judged_no_more.read(0, "90")
    assert judged_no_more.missed(3) == []


def test_d5_the_rule_as_it_is_at_the_end_decides_whether_it_is_told() -> None:
    """D5: a changed rule that wants no ends is not told as retired, one that was removed is."""
    for rules, expected in (
        ({"low": rule(when="available_margin < 50", resolve=False)}, []),
        ({"low": rule(when="available_margin < 50")}, [("low", Kind.RETIRED, Late.NO)]),
        ({}, [("low", Kind.RETIRED, Late.NO)]),
    ):
        phone = Phone(rule(resolve=False))
        phone.read(0, "90")
        phone.rules = rules
        assert phone.take(ConfigChange(2, T0 + MINUTE), {}) == expected


def test_fields_at_a_miss_carry_the_instant_of_their_reading() -> None:
    """Promise 10: so that a message can say how old they are; none for the reading itself."""
    phone = Phone(rule(repeat=SECOND))
    phone.read(0, "90")
    assert phone.facts.read_at is None
    phone.missed(2)
    assert phone.facts.read_at == T0


def test_the_words_of_a_rule_are_filled_in() -> None:
    """Title and summary by themselves; the unit of flapping too, which has words of its own."""
    own: dict[str, Any] = {
        "title": "{account}: {value}",
        "summary": "{cross_un_pnl} left",
        "unit": "USDT",
    }
    phone = flapping(**own)
    first, flaps = phone.notices[0].facts, phone.notices[2].facts
    assert (first.title, first.summary, first.unfilled, first.unit) == (
        "main: 90",
        "",
        "cross_un_pnl is unknown",
        "USDT",
    )
    assert (flaps.title, flaps.summary, flaps.unfilled, flaps.unit) == ("", "", "", "USDT")


# Flapping.


def flapping(times: int = 3, **policy: Any) -> Phone:
    """Fire so often, every ten seconds, for five each; the second firing is one too many."""
    phone = Phone(rule(**{"flapping": Limit(1, MINUTE), **policy}))
    for number in range(times):
        phone.read(10 * number, "90")
        phone.read(10 * number + 5, "110")
    return phone


def test_e4_the_firing_that_exceeds_is_told_as_flapping_instead() -> None:
    """E4: the firing before was told; this one and later ones within the range are not."""
    phone = flapping()
    said = [(n.key.rule, n.key.kind, n.at - T0) for n in phone.notices]
    assert said == [
        ("low", Kind.FIRING, 0),
        ("low", Kind.RESOLVED, 5_000),
        ("low:flapping", Kind.FIRING, 10_000),
    ]
    facts = phone.facts
    assert facts.swings is not None
    assert (facts.swings.count, facts.swings.low, facts.swings.high) == (
        2,
        Decimal(90),
        Decimal(110),
    )
    assert (facts.judged, facts.reason, facts.since, facts.detail) == (
        judged("90"),
        "flapping",
        T0,
        "firing now",
    )


def test_e4_a_wider_value_at_a_firing_or_an_end_is_told_as_worse() -> None:
    """E4: values beyond the told range are told once; others only widen the range."""
    phone = flapping()
    flaps = [("low:flapping", Kind.WORSE, Late.NO)]
    assert phone.read(30, "80") == flaps
    assert phone.facts.swings is not None
    assert (phone.facts.swings.count, phone.facts.swings.low, phone.facts.detail) == (
        4,
        Decimal(80),
        "firing now",
    )
    assert [phone.read(31, "70"), phone.read(32, "75")] == [[], []]
    assert phone.read(33, "105") == flaps
    assert phone.facts.swings is not None
    assert (phone.facts.swings.low, phone.facts.detail) == (Decimal(70), "not firing now")
    assert [phone.read(34, "85"), phone.read(35, "111")] == [[], flaps]


def test_e4_worse_by_is_heeded_while_it_flaps() -> None:
    """E1, E4: who asks to be told of a fall is, measured by the worse end of what was told."""
    phone = flapping(worse_by=Decimal("0.5"))
    flaps = [("low:flapping", Kind.WORSE, Late.NO)]
    assert [
        phone.read(30, "90"),
        phone.read(31, "46"),
        phone.read(32, "45"),
        phone.read(33, "30"),
    ] == [
        [],
        [],
        flaps,
        [],
    ]
    assert phone.read(34, "22.5") == flaps


def test_e4_its_end_is_told_once_with_the_present_state() -> None:
    """E4: what is calm and fires no more."""
    phone = flapping()
    assert phone.read(81, "500") == [("low:flapping", Kind.RESOLVED, Late.NO)]
    assert (phone.facts.detail, phone.facts.reason, phone.facts.judged) == (
        "not firing now",
        "calm",
        judged("500"),
    )
    assert phone.read(82, "500") == []


def test_e4_what_still_fires_at_its_end_is_told() -> None:
    """E4: channels that were not told of the episode hear that it still fires, and its end."""
    phone = flapping()
    phone.read(30, "90")
    assert phone.read(90.001, "45") == [
        ("low:flapping", Kind.RESOLVED, Late.NO),
        ("low", Kind.FIRING, Late.FLAPPING),
    ]
    assert phone.notices[-2].facts.detail == "firing now"
    assert phone.read(95, "500") == OVER


def test_e4_a_firing_that_comes_with_its_end_is_an_ordinary_one() -> None:
    """E4: half the limit or fewer began within the span, this one included."""
    phone = Phone(rule(flapping=Limit(2, MINUTE)))
    for second, value in enumerate(("90", "110") * 3):
        phone.read(second, value)
    assert phone.read(500, "90") == [("low:flapping", Kind.RESOLVED, Late.NO), *FIRED]


def test_e4_flapping_that_began_in_a_mute_is_told_when_it_ends() -> None:
    """E2, E4: the message about flapping is muted like the rule itself, and so are its ends."""
    phone = Phone(rule(flapping=Limit(1, HOUR), mute=("noon",)), mutes=NOON)
    for second in (60, 80):
        phone.read(second, "90")
        phone.read(second + 10, "500")
    assert phone.notices == []
    assert phone.read(3_600, "500") == [("low:flapping", Kind.FIRING, Late.MUTED)]


def test_e4_a_changed_rule_tells_of_flapping_as_retired() -> None:
    """D5: to whom it was told."""
    phone = flapping()
    phone.rules = {"low": rule(when="available_margin < 50")}
    change = ConfigChange(phone.state.seq + 1, T0 + MINUTE)
    assert phone.take(change, {}) == [("low:flapping", Kind.RETIRED, Late.NO)]


def test_e4_a_range_that_is_not_known_is_not_wider() -> None:
    """E4: nothing is compared with what nobody knows."""
    phone = Phone(rule(flapping=Limit(1, MINUTE), worse_by=Decimal("0.25")))
    bare = Verdict(when=True, clear=False)
    clear = Verdict(when=False, clear=True)
    day = enumerate((TRUE, clear, TRUE, clear, bare), 1)
    said = [phone.take(reading(seq, T0 + seq * SECOND), {"low": one}) for seq, one in day]
    assert ("low:flapping" in phone.state.alerts, said[-1]) == (True, [])


def test_e4_the_first_value_is_beyond_a_range_that_was_told_without_any() -> None:
    """D4, E4: silences alone made it flap; when readings are back, and low, that is news."""
    phone = Phone(
        rule(flapping=Limit(1, HOUR), on_missing=OnMissing.FIRING, missing_after=2 * SECOND)
    )
    flaps = [("low:flapping", Kind.WORSE, Late.NO)]
    phone.read(0, "500")
    phone.missed(10)
    phone.read(15, "500")
    phone.missed(20)
    assert phone.read(25, "500") == []
    assert phone.notices[-1].facts.swings == FlapRange(2, None, None)
    phone.missed(30)
    assert phone.read(35, "5") == flaps
    assert phone.facts.swings == FlapRange(4, Decimal(5), Decimal(5))
    assert [phone.read(36, "4"), phone.read(37, "500")] == [[], flaps]


def test_e4_a_firing_beyond_the_range_is_told_when_the_message_before_it_has_left() -> None:
    """E3, E4: while news of the flapping waits for its channel, a wider range is kept for it."""
    phone = flapping()
    phone.away = True
    phone.read(20, "60")
    waiting = phone.notices[-1]
    told = ChannelStatus(
        told_at=T0 + 10 * SECOND, last=phone.notices[-2].facts, waiting=waiting.key
    )
    phone.told["low:flapping", waiting.key.alert_seq]["phone"] = told
    assert [phone.read(25, "110"), phone.read(30, "3"), phone.read(31, "3")] == [[], [], []]
    phone.told["low:flapping", waiting.key.alert_seq]["phone"] = replace(
        told, waiting=None, last=waiting.facts
    )
    assert phone.read(32, "3") == [("low:flapping", Kind.WORSE, Late.NO)]
    assert phone.facts.swings is not None
    assert phone.facts.swings.low == Decimal(3)


# Missing readings.


def gone(**policy: Any) -> Phone:
    phone = Phone(rule(on_missing=OnMissing.FIRING, missing_after=2 * SECOND, **policy))
    phone.read(0, "500")
    return phone


def test_d4_missing_readings_are_told_with_how_long_they_were_missing() -> None:
    """D4: when it fired, and in a reminder by then."""
    phone = gone(repeat=10 * SECOND)
    assert phone.missed(3) == FIRED
    assert (phone.facts.reason, phone.facts.detail) == ("missing", "no answer within 10 s")
    assert phone.facts.judged is not None
    assert phone.facts.judged.value == Decimal(3_000)
    assert phone.missed(13) == [("low", Kind.REPEAT, Late.NO)]
    assert phone.facts.judged.value == Decimal(13_000)


def test_d4_back_and_low_is_told_as_an_end_and_a_firing() -> None:
    """D4: both in one input; the end shows the reading, and no silence as its worst value."""
    phone = gone()
    phone.missed(3)
    assert phone.read(4, "87") == [*OVER, *FIRED]
    end, fired = (notice.facts for notice in phone.notices[-2:])
    assert (end.reason, end.judged, end.worst) == ("back", judged("87"), None)
    assert (fired.reason, fired.judged, fired.worst) == ("back", judged("87"), Decimal(87))


def test_d4_what_is_no_longer_judged_says_so() -> None:
    """D4: it shows the last known value, and a reason that tells it from an ordinary end."""
    phone = Phone(rule(on_missing=OnMissing.OK, missing_after=2 * SECOND))
    phone.read(0, "90")
    assert phone.missed(3) == OVER
    assert (phone.facts.reason, phone.facts.judged) == ("missing", judged("75"))
    assert phone.facts.detail == "no answer within 10 s"


def test_a_reminder_at_a_miss_shows_the_field_as_it_was_last_seen() -> None:
    """A reminder at a miss shows the fields' last known value, not an old judged one."""
    phone = Phone(rule(repeat=SECOND))
    phone.read(0, "90")
    phone.missed(2)
    assert phone.facts.judged == judged("75")
    windowed = Phone(rule(repeat=SECOND))
    side = DecidingComparison(
        "delta(al_freeze, 1m) > 5", "delta(al_freeze, 1m)", Decimal(9), Decimal(5), falling=False
    )
    windowed.take(reading(1, T0), {"low": Verdict(when=True, clear=False, judged=side)})
    windowed.missed(2)
    assert windowed.facts.judged == side
    bare = Phone(rule(repeat=SECOND))
    bare.take(reading(1, T0), {"low": Verdict(when=True, clear=False)})
    bare.missed(2)
    assert bare.facts.judged is None


def test_a_retired_silence_shows_what_it_was_told_with() -> None:
    """D5, D4: nothing was judged at a change of the configuration."""
    phone = gone()
    phone.missed(3)
    phone.rules = {}
    assert phone.take(ConfigChange(3, T0 + MINUTE), {}) == [("low", Kind.RETIRED, Late.NO)]
    assert phone.facts.judged is not None
    assert phone.facts.judged.field == "age"


def test_a_silence_that_was_recorded_without_a_value_is_told_without_one() -> None:
    """Nothing is invented."""
    phone = gone(repeat=SECOND)
    phone.missed(3)
    alert = phone.state.alerts["low"]
    phone.state = replace(phone.state, alerts={"low": replace(alert, judged=None)})
    phone.missed(9)
    assert phone.facts.judged is None


def test_the_worst_value_is_shown_with_its_own_field_only() -> None:
    """Of a condition with parts, another part may decide the end than decided the firing."""
    phone = Phone(rule())
    phone.read(0, "90")
    other = Verdict(when=False, clear=True, judged=judged("0", field="al_freeze"))
    phone.take(reading(2, T0 + SECOND), {"low": other})
    assert (phone.facts.judged, phone.facts.worst) == (other.judged, None)


# One input, as a whole.


def test_a1_what_is_judged() -> None:
    """A1, B5: judged or unconfirmed readings and misses give verdicts; clock steps move windows."""
    evaluator = Evaluator([rule(flapping=None), rule("old", when="age > 1m")])
    assert set(judge(evaluator, reading(1), {})) == set()
    assert set(judge(evaluator, reading(2, available_margin="90"), {})) == {"low"}
    assert set(judge(evaluator, reading(3), {"low": None})) == {"low"}
    assert set(judge(evaluator, reading(3), {"low" + FLAPPING: None})) == {"low"}
    assert set(judge(evaluator, Unconfirmed(4, T0, reading(3)), {"low": None})) == {"low"}
    assert (
        judge(evaluator, reading(5, quality=Quality.SUSPECT, available_margin="1"), {"low": None})
        == {}
    )
    assert judge(evaluator, ClockStep(6, T0 + MINUTE, MINUTE), {}) == {}
    assert judge(evaluator, miss(7, T0 + 2 * MINUTE), {})["old"].when is False
    assert judge(evaluator, miss(8, T0 + 2 * MINUTE + 1), {})["old"].when is True
    assert judge(evaluator, ConfigChange(9, T0), {}) == {}


def test_promise_1_a_decision_is_one_record() -> None:
    """Promise 1: the state and all that is recorded with it come of one input."""
    phone = Phone(rule())
    phone.read(1, "90")
    assert phone.last is not None
    record = phone.last.record
    assert (record.account, record.event, record.superseded) == (
        "main",
        reading(1, T0 + SECOND),
        (),
    )
    assert (len(record.alerts), len(record.transitions), len(record.notices)) == (1, 1, 1)


def test_d7_the_daemons_own_alerts_belong_to_no_account() -> None:
    """D7: they are judged by looks at the daemon itself, told like any other."""
    full = system_rule("disk-full", Decimal("0.05"), channels=("phone",))
    found = Verdict(
        when=True,
        clear=False,
        judged=judged("0.03", "0.05", field="disk_free"),
        detail="3 % are free",
    )
    phone = Phone(full)
    phone.state = AccountState("")
    assert phone.take(Check(1, T0), {"disk-full": found}) == [("disk-full", Kind.FIRING, Late.NO)]
    assert (phone.notices[0].key.account, phone.facts.detail) == ("", "3 % are free")


def test_a_told_firing_is_known_by_its_key() -> None:
    """E3: what waits is not queued again, whatever kind of news it is."""
    phone = Phone(rule(repeat=SECOND))
    phone.read(0, "90")
    key = NoticeKey("main", "low", 1, "phone", Kind.WORSE, 2)
    told: ToldBy = {("low", 1): {"phone": ChannelStatus(told_at=T0, waiting=key)}}
    phone.told = {episode: dict(channels) for episode, channels in told.items()}
    assert phone.read(60, "1") == []


def test_the_engine_and_dispatch_agree_on_a_quiet_input() -> None:
    """Nearly every input comes to nothing, and says so."""
    outcome = step(state(), reading(1), {}, {}, name)
    assert (outcome.changed, outcome.transitions, outcome.state.fired) == ((), (), {})
    assert MissReason.AUTH in MissReason
