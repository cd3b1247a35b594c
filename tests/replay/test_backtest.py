"""From records to messages: joining, urgent messages, and their order."""

from datetime import UTC, time
from decimal import Decimal

from daemon.alerts import system_rules
from daemon.alerts.mutes import DAYS, Mutes, MuteWindow
from daemon.replay.backtest import (
    Joiner,
    ReplayedMessage,
    add_messages,
    merge_records,
    replay_account,
)
from daemon.replay.session import ReplaySession, RuleSet
from daemon.types import (
    HOUR,
    MINUTE,
    SECOND,
    AccountState,
    ClockStep,
    Input,
    Kind,
    OnMissing,
    Record,
    Severity,
)
from tests.replay.played import announcements, new_session, readings, records
from tests.values import T0, miss, reading, rule


def told(found: list[ReplayedMessage]) -> list[tuple[int, list[tuple[str, Kind]]]]:
    """When after the beginning, and of what."""
    return [
        (each.at - T0, [(one.key.rule, one.key.kind) for one in each.notices]) for each in found
    ]


def test_f5_what_is_due_within_group_wait_is_one_message() -> None:
    """F5: two rules a second apart are told together, the wait beginning with the first."""
    rules = [rule("a"), rule("b", "available_margin < 80")]
    found = announcements(rules, readings("500", "90", "70", every=SECOND), wait=2 * SECOND)
    assert told(found) == [(3 * SECOND, [("a", Kind.FIRING), ("b", Kind.FIRING)])]


def test_f5_a_critical_never_waits_and_takes_along_what_waits() -> None:
    """F5: with it leaves what is due for its channel; several at one instant are one message."""
    critical = [
        rule(name, "available_margin < 80", severity=Severity.CRITICAL) for name in ("b", "c")
    ]
    found = announcements(
        [rule("a"), *critical], readings("500", "90", "70", every=SECOND), wait=MINUTE
    )
    (at, news), *rest = told(found)
    assert (at, sorted(news), rest) == (2 * SECOND, [(name, Kind.FIRING) for name in "abc"], [])


def test_firing_and_end_within_group_wait_are_told_as_one() -> None:
    """Promise 3: one account of both."""
    (only,) = announcements([rule()], readings("90", "500", every=SECOND), wait=MINUTE)
    assert [notice.key.kind for notice in only.notices] == [Kind.FIRING, Kind.RESOLVED]
    assert only.at == T0 + MINUTE


def test_e1_what_gets_worse_while_news_waits_is_told_after_it() -> None:
    """E1, E3, F5: a queued notice is sent as it was decided, and later ones are not lost."""
    sinking = rule(worse_by=Decimal("0.1"), repeat=20 * SECOND)
    found = announcements([sinking], readings("95", "80", "60", *["20"] * 9), wait=12 * SECOND)
    assert told(found) == [
        (12 * SECOND, [("low", Kind.FIRING)]),
        (27 * SECOND, [("low", Kind.WORSE)]),
        (47 * SECOND, [("low", Kind.REPEAT)]),
        (67 * SECOND, [("low", Kind.REPEAT)]),
    ]
    assert found[1].message.title == "WORSE main: available_margin 20 (was 95, below 100)"


def test_e2_what_waits_when_a_mute_begins_is_not_told() -> None:
    """E2: a queued firing is superseded, and sent when the mute ends if it still fires."""
    window = MuteWindow("lunch", frozenset(DAYS), time(11, 0, 10), time(11, 5))
    low = rule("low", mute=("lunch",))
    inputs = [*readings("90", "90", "90"), reading(3, T0 + 10 * MINUTE, available_margin="90")]
    found = announcements([low], inputs, wait=15 * SECOND, mutes=Mutes({"lunch": window}, UTC))
    assert told(found) == [(10 * MINUTE + 15 * SECOND, [("low", Kind.FIRING)])]
    assert "muted until now" in found[0].message.body


def test_a5_what_waits_when_the_clock_is_set_leaves_before_what_follows() -> None:
    """A5: an hour back or ahead, a second of waiting is a second."""
    for by in (-HOUR, HOUR):
        step = ClockStep(1, T0 + by, by)
        inputs: list[Input] = [
            *readings("90"),
            step,
            reading(2, T0 + by + MINUTE, available_margin="500"),
        ]
        found = announcements([rule()], inputs, wait=SECOND)
        assert [news for _, news in told(found)] == [
            [("low", Kind.FIRING)],
            [("low", Kind.RESOLVED)],
        ]


def test_more_headlines_than_fit_are_more_messages() -> None:
    """F5: a headline is never cut."""
    found = announcements([rule(f"r{number:_<60}") for number in range(40)], readings("90"))
    assert [len(each.notices) for each in found] == [29, 11]


def test_d7_no_readings_and_rules_about_missing_ones_are_one_message() -> None:
    """D7: an account falls silent once, however many rules ask for it."""
    rules = [system_rules.system_rule("no-readings", 2 * MINUTE), rule(on_missing=OnMissing.FIRING)]
    inputs: list[Input] = [*readings("500"), *(miss(seq, T0 + seq * MINUTE) for seq in (1, 2, 3))]
    found = announcements(rules, [*inputs, reading(4, T0 + 4 * MINUTE)])
    assert told(found) == [
        (121 * SECOND, [("no-readings", Kind.FIRING), ("low", Kind.FIRING)]),
        (241 * SECOND, [("low", Kind.RESOLVED), ("no-readings", Kind.RESOLVED)]),
    ]


def test_e2_the_end_of_what_was_told_waits_for_the_mute_window_to_pass() -> None:
    """E2: it leaves at the window's end, while other news of the channel leaves before."""
    begin = T0 + 2 * MINUTE  # 11:02 UTC
    window = MuteWindow("lunch", frozenset(DAYS), time(11, 1), time(12, 0))
    scheme = RuleSet(
        (rule("low", mute=("lunch",)), rule("b", "al_freeze > 5")),
        ("phone",),
        Mutes({"lunch": window}, UTC),
    )
    inputs = [
        reading(0, T0, available_margin="90"),
        reading(1, begin, available_margin="500"),
        reading(2, begin + MINUTE, al_freeze="9"),
        reading(3, begin + 2 * HOUR),
    ]
    joiner = Joiner({"phone": SECOND}, UTC)
    stream = add_messages(
        replay_account(ReplaySession(scheme, AccountState("main")), inputs, 0), joiner
    )
    found = told([each for each in stream if isinstance(each, ReplayedMessage)])
    assert [(at // MINUTE, news) for at, news in found] == [
        (0, [("low", Kind.FIRING)]),
        (3, [("b", Kind.FIRING)]),
        (60, [("low", Kind.RESOLVED)]),
        (122, [("b", Kind.RESOLVED)]),
    ]


def test_accounts_are_merged_in_the_order_of_time() -> None:
    """Messages come among the records, each at its time, joined across accounts."""
    ours = replay_account(new_session(rule()), readings("500", "90"), 0)
    theirs = replay_account(new_session(rule(), account="grid"), readings("90", "500", "500"), 0)
    stream = list(add_messages(merge_records([ours, theirs]), Joiner({"phone": 6 * SECOND}, None)))
    places = [each.account if isinstance(each, Record) else len(each.notices) for each in stream]
    assert places == ["grid", "main", "grid", 3]


def test_inputs_before_the_span_judge_nothing() -> None:
    """The play begins with the first input at or after it."""
    found = list(replay_account(new_session(rule()), readings("90", "90", "90"), 1))
    assert [each.event.at for each in found] == [T0 + 5 * SECOND]
    assert list(replay_account(new_session(rule()), readings("90"), 1)) == []


def test_a5_a_step_of_the_clock_before_the_span_makes_nothing_missing() -> None:
    """The time without readings is a duration, also if the clock was set meanwhile."""
    silent = rule(on_missing=OnMissing.FIRING, missing_after=2 * MINUTE)
    step = ClockStep(3, T0 + HOUR + 10 * SECOND, HOUR)
    inputs: list[Input] = [
        *readings("500", "500", "500"),
        step,
        miss(4, step.at + 5 * SECOND),
        miss(5, step.at + 2 * MINUTE),
    ]
    (found,) = records(new_session(silent), inputs, first=4)
    assert found.event.seq == 5
