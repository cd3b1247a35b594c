"""Test cases of rules: outcome, differences from the expectation, and their explanation."""

from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pytest

from daemon.alerts import system_rules
from daemon.replay.cases import (
    CaseAck,
    CaseOutcome,
    ExpectedMessage,
    ExpectedNews,
    ExpectedTransition,
    RuleTestCase,
    case_inputs,
    run_case,
)
from daemon.replay.context import ContextRows, context_rows
from daemon.replay.differences import DifferenceLine, Differences, Location, differences
from daemon.replay.series import parse_series
from daemon.replay.session import RuleSet
from daemon.rules.rule import Rule
from daemon.types import (
    MINUTE,
    SECOND,
    Balances,
    ConfigChange,
    Kind,
    Miss,
    MissReason,
    Reading,
    State,
)
from tests.values import T0, rule

LOW = rule("low", clear_when="available_margin > 120", inhibited_by=("bad",))
BAD = rule("bad", "available_margin < 50")
SCHEME = RuleSet((LOW, BAD), ("phone", "mail"), group_waits={"phone": SECOND, "mail": SECOND})


def _case(*rules: Rule, interval: int = 5 * SECOND, **accounts: str) -> RuleTestCase:
    played = {
        name: case_inputs({"available_margin": parse_series(text)}, T0, interval)
        for name, text in (accounts or {"main": "500"}).items()
    }
    return RuleTestCase(
        "a case", T0, UTC, played, frozenset(each.name for each in rules or (LOW, BAD))
    )


def _change(
    at: int, rule: str, to: State, value: str | None = None, account: str = "main"
) -> ExpectedTransition:
    return ExpectedTransition(
        at * SECOND, account, rule, to, None if value is None else Decimal(value), value or ""
    )


def _post(
    at: int, channel: str, *news: tuple[str, Kind], contains: tuple[str, ...] = ()
) -> ExpectedMessage:
    return ExpectedMessage(
        at * SECOND,
        channel,
        tuple(ExpectedNews("main", name, kind) for name, kind in news),
        contains,
    )


def _found(case: RuleTestCase, scheme: RuleSet = SCHEME) -> Differences:
    return differences(case, run_case(case, scheme))


# What is read.


def test_attempts_are_spaced_by_the_interval_and_by_pauses() -> None:
    """The start comes first; a shorter series repeats its end; a field not sent is not zero."""
    fields = {"available_margin": parse_series("500 ~1m 490 480"), "al_freeze": parse_series("? 7")}
    start, *readings = case_inputs(fields, T0, 5 * SECOND)
    assert start == ConfigChange(1, T0)
    assert [each.at - T0 for each in readings] == [0, MINUTE, MINUTE + 5 * SECOND]
    assert [(each.seq, each.balances) for each in readings if isinstance(each, Reading)] == [
        (2, Balances(available_margin=Decimal(500))),
        (3, Balances(available_margin=Decimal(490), al_freeze=Decimal(7))),
        (4, Balances(available_margin=Decimal(480), al_freeze=Decimal(7))),
    ]


def test_a_miss_of_one_field_is_a_miss_of_all() -> None:
    """An answer that is not there has no fields."""
    fields = {"available_margin": parse_series("500x3"), "al_freeze": parse_series("1 _auth 1")}
    assert [type(each) for each in case_inputs(fields, T0, SECOND)] == [
        ConfigChange,
        Reading,
        Miss,
        Reading,
    ]
    assert case_inputs(fields, T0, SECOND)[2] == Miss(
        3, T0 + SECOND, MissReason.AUTH, "the test case says auth"
    )


# What comes of it.


def test_what_comes_is_what_the_daemon_does() -> None:
    """Transitions with their values, messages joined per channel after inhibition."""
    outcome = run_case(_case(main="500 40 70 130"), SCHEME)
    assert [(each.at // SECOND, each.rule, each.to, each.shown) for each in outcome.changes] == [
        (5, "low", State.FIRING, "40"),
        (5, "bad", State.FIRING, "40"),
        (10, "bad", State.RESOLVED, "70"),
        (15, "low", State.RESOLVED, "130"),
    ]
    assert {
        (each.at // SECOND, *each.news) for each in outcome.posts if each.channel == "mail"
    } == {
        (6, ExpectedNews("main", "bad", Kind.FIRING)),
        (11, ExpectedNews("main", "low", Kind.FIRING), ExpectedNews("main", "bad", Kind.RESOLVED)),
        (16, ExpectedNews("main", "low", Kind.RESOLVED)),
    }


def test_an_end_that_is_not_told_is_a_transition_all_the_same() -> None:
    """E1: of a rule with `resolve = false`; a case that expects its end as a message fails."""
    event = rule("low", resolve=False, title="deposit on {account}", unit="USDT")
    scheme = RuleSet((event,), ("phone",))
    outcome = run_case(_case(event, main="500 90 500"), scheme)
    assert [(each.to, each.at) for each in outcome.changes] == [
        (State.FIRING, 5 * SECOND),
        (State.RESOLVED, 10 * SECOND),
    ]
    assert [each.text.splitlines()[0] for each in outcome.posts] == [
        "WARNING main: deposit on main"
    ]


def test_rules_not_looked_at_are_played_and_not_told() -> None:
    """They mute the others as ever."""
    outcome = run_case(_case(LOW, main="500 40 70 130"), SCHEME)
    assert {each.rule for each in outcome.changes} == {"low"}
    assert [each.at // SECOND for each in outcome.posts if each.channel == "phone"] == [11, 16]


def test_what_is_pending_is_left_out_unless_it_is_looked_at() -> None:
    """So is a pending alert that did not hold."""
    held = replace(LOW, hold=10 * SECOND, clear_when=None)
    case = _case(held, main="90 500 90x3")
    outcome = run_case(case, RuleSet((held,), ()))
    assert [(each.at // SECOND, each.to.value) for each in outcome.changes] == [(20, "firing")]
    everything = run_case(replace(case, pending=True), RuleSet((held,), ()))
    assert [(each.at // SECOND, each.to.value) for each in everything.changes] == [
        (0, "pending"),
        (5, "resolved"),
        (10, "pending"),
        (20, "firing"),
    ]


def test_values_are_shown_as_everywhere_and_durations_as_they_are_written() -> None:
    """Values have at most eight places, as in `backtest`, so people can compare them."""
    scheme = RuleSet(
        (system_rules.system_rule("no-readings", MINUTE), rule("ratio", "freeze_ratio > 2")), ()
    )
    silent = _case(scheme.rules[0], main="500 _x12")
    assert [each.shown for each in run_case(silent, scheme).changes] == ["1m"]
    fields = {"available_margin": parse_series("7 0"), "al_freeze": parse_series("100 1")}
    ratio = replace(
        silent, inputs={"main": case_inputs(fields, T0, SECOND)}, rules=frozenset({"ratio"})
    )
    assert [each.shown for each in run_case(ratio, scheme).changes] == ["14.28571429"]


@pytest.mark.parametrize(
    ("written", "good"),
    [
        ("14.28571429", True),
        ("14.285714290", True),
        ("14.28571428571428571428571429", True),
        ("14.28571428", False),
        ("14.3", False),
        ("14.285714286", False),
        ("14.28571428571428571428571428", False),
    ],
)
def test_a_value_is_what_is_shown_or_what_it_is_exactly(written: str, good: bool) -> None:
    """An expectation with more digits than shown means them all; differing digits are all shown."""
    scheme = RuleSet((rule("ratio", "freeze_ratio > 2"),), ())
    fields = {"available_margin": parse_series("7"), "al_freeze": parse_series("100")}
    expected = replace(_change(0, "ratio", State.FIRING, written), shown=written)
    case = replace(
        _case(*scheme.rules), inputs={"main": case_inputs(fields, T0, SECOND)}, changes=(expected,)
    )
    found = _found(case, scheme)
    assert found.any is not good
    if not good:
        missing, unexpected = found.changes
        assert missing.cells[-1] == written
        assert unexpected.cells[-1] == (
            "14.28571429" if len(written) < 12 else "14.28571428571428571428571429"
        )


def test_the_same_case_comes_to_the_same() -> None:
    case = _case(main="500 -10x60 +20x40", other="90 _x30 500")
    assert run_case(case, SCHEME) == run_case(case, SCHEME)


# What differs.


def test_a_case_as_expected_has_no_difference() -> None:
    """A value that is not written is any; order within the list does not matter."""
    case = replace(
        _case(LOW, main="500 90 130"),
        changes=(_change(10, "low", State.RESOLVED), _change(5, "low", State.FIRING, "90")),
        posts=tuple(
            _post(at, channel, ("low", kind), contains=(" main: ", "low"))
            for at, kind in ((6, Kind.FIRING), (11, Kind.RESOLVED))
            for channel in ("phone", "mail")
        ),
    )
    found = _found(case)
    assert not found.any
    assert found.place is None
    assert [line.cells for line in found.changes] == [
        ("low", "firing", "90"),
        ("low", "resolved", "130"),
    ]
    assert [line.cells for line in found.posts] == [
        ("phone, mail:", "low firing"),
        ("phone, mail:", "low resolved"),
    ]


def test_nothing_is_said_of_what_is_not_expected_at_all() -> None:
    """A case may be about transitions alone, or about messages alone."""
    assert _found(_case(main="500 40")) == Differences()


def test_an_unexpected_firing_fails_a_case() -> None:
    """`expect = []` says that nothing happens."""
    found = _found(replace(_case(main="500 40"), changes=()))
    assert found.changes == (
        DifferenceLine("+", 5 * SECOND, ("low", "firing", "40")),
        DifferenceLine("+", 5 * SECOND, ("bad", "firing", "40")),
    )
    assert found.place == Location("main", "low", (5 * SECOND,))


@pytest.mark.parametrize(
    ("expected", "lines"),
    [
        (
            _change(10, "low", State.FIRING, "90"),
            [("+", 5, "90", "5s earlier than expected"), ("-", 10, "90", "")],
        ),
        (
            _change(0, "low", State.FIRING),
            [("-", 0, "", ""), ("+", 5, "90", "5s later than expected")],
        ),
        (_change(5, "low", State.FIRING, "91"), [("-", 5, "91", ""), ("+", 5, "90", "")]),
        (
            _change(6, "bad", State.FIRING),
            [("+", 5, "90", ""), ("-", 6, "", "there is no attempt at 6s")],
        ),
        (
            _change(60, "bad", State.FIRING),
            [("+", 5, "90", ""), ("-", 60, "", "the last attempt is at 10s")],
        ),
        (_change(10, "bad", State.FIRING), [("+", 5, "90", ""), ("-", 10, "", "")]),
    ],
)
def test_what_differs_is_said_in_the_order_of_time(
    expected: ExpectedTransition, lines: list[tuple[str, int, str, str]]
) -> None:
    """With how far apart it is, or why it cannot be."""
    found = _found(replace(_case(main="500 90x2"), changes=(expected,)))
    assert [
        (line.sign, line.at // SECOND, line.cells[-1], line.remark) for line in found.changes
    ] == lines


def test_accounts_are_named_where_there_are_several() -> None:
    case = replace(
        _case(LOW, main="500 500", other="500 90"), changes=(_change(5, "low", State.FIRING),)
    )
    assert [(line.sign, line.cells[0], line.remark) for line in _found(case).changes] == [
        ("-", "main/low", ""),
        ("+", "other/low", ""),
    ]


def test_a_message_without_what_it_should_contain_is_shown() -> None:
    """Which words are not in it, and the whole text; the readings explain nothing there."""
    case = replace(
        _case(LOW, main="90"),
        posts=(_post(1, "mail", ("low", Kind.FIRING), contains=("low", "foo")),),
    )
    found = _found(case, replace(SCHEME, channels=("mail",)))
    assert [(line.sign, *line.cells, line.remark) for line in found.posts] == [
        ("-", "mail:", "low firing", 'with "foo"'),
        ("+", "mail:", "low firing", ""),
    ]
    assert [each.text.splitlines()[0] for each in found.texts] == [
        "WARNING main: available_margin 90 (below 100)"
    ]
    assert found.any
    assert found.place is None


def test_a_message_that_does_not_come_has_a_place() -> None:
    """A missing message has a place, also where another message left instead."""
    posts = (_post(6, "phone", ("low", Kind.FIRING)), _post(7, "mail", ("bad", Kind.FIRING)))
    found = _found(replace(_case(main="500 40"), posts=posts))
    assert [(line.sign, line.at // SECOND, *line.cells, line.remark) for line in found.posts] == [
        ("-", 6, "phone:", "low firing", ""),
        ("+", 6, "phone:", "bad firing", ""),
        ("+", 6, "mail:", "bad firing", "1s earlier than expected"),
        ("-", 7, "mail:", "bad firing", ""),
    ]
    assert found.place == Location("main", "low", (6 * SECOND,))


# Why.


def _around(
    case: RuleTestCase, scheme: RuleSet = SCHEME, name: str = "low", *instants: int
) -> ContextRows:
    found = context_rows(
        case, scheme, Location("main", name, tuple(at * SECOND for at in instants))
    )
    assert found is not None
    return found


def test_the_readings_around_a_difference_are_laid_open() -> None:
    """Two before and two after, what both conditions were worth, and what the alert was then."""
    shown = _around(_case(main="500 110 90 110 _ 130 500"), SCHEME, "low", 11)
    assert shown.fields == ("available_margin",)
    assert [
        (row.at // SECOND, *row.fields, row.when, row.clear, row.state.value, row.marked)
        for row in shown.rows
    ] == [
        (0, "500", "no", "yes", "ok", False),
        (5, "110", "no", "no", "ok", False),
        (10, "90", "yes", "no", "firing", True),
        (15, "110", "no", "no", "firing", False),
        (20, "miss: timeout", "not judged", "", "firing", False),
    ]


def test_the_value_judged_is_shown_where_it_is_no_field() -> None:
    """And what is not sent is said to be so."""
    swing = rule("swing", "delta(available_margin, 10s) < -100 and al_freeze < 5")
    scheme = RuleSet((swing,), ())
    shown = _around(_case(swing, main="500 300"), scheme, "swing", 5)
    assert shown.fields == ("available_margin", "al_freeze")
    assert [(row.fields, row.when) for row in shown.rows] == [
        (("500", "not sent"), "unknown (delta(available_margin, 10s) unknown)"),
        (("300", "not sent"), "unknown"),
    ]


def test_clocks_and_mutes_are_shown_beside_the_alert() -> None:
    """Why it is still pending, and why nobody was told."""
    held = replace(LOW, hold=10 * SECOND)
    shown = _around(_case(held, main="90 40 40 80"), RuleSet((held, BAD), ()), "low", 10)
    assert [(row.state.value, row.remark) for row in shown.rows] == [
        ("pending", "for 0s of 10s"),
        ("pending", "for 5s of 10s"),
        ("firing", "muted: inhibited by bad, which fires on the same account"),
        ("firing", ""),
    ]


def test_a_flapping_rule_is_looked_up_by_its_own_name() -> None:
    assert _around(_case(main="90"), SCHEME, "low:flapping", 0).rule is LOW


def test_a_rule_that_does_not_watch_the_account_explains_nothing() -> None:
    scheme = RuleSet((replace(LOW, accounts=("other",)),), ())
    assert context_rows(_case(main="90"), scheme, Location("main", "low", (0,))) is None


def test_an_age_is_explained_by_its_duration() -> None:
    """A rule without fields shows the attempts all the same."""
    stale = rule("stale", "age > 10s")
    shown = _around(_case(stale, main="500 _x4"), RuleSet((stale,), ()), "stale", 15)
    assert [(row.fields, row.when) for row in shown.rows][:3] == [
        ((), "no (age 5s)"),
        ((), "no (age 10s)"),
        ((), "yes (age 15s)"),
    ]


def test_an_outcome_without_anything_is_empty() -> None:
    assert run_case(_case(), SCHEME) == CaseOutcome((), ())


def test_an_alert_is_acknowledged_by_its_account_and_rule() -> None:
    """E1: what is not open then is not acknowledged, and another account's alert stays as it is."""
    often = replace(LOW, repeat=5 * SECOND, inhibited_by=())
    scheme = RuleSet((often,), ("phone",))
    case = replace(
        _case(often, main="90x4", other="90x4"),
        acks=(CaseAck(5 * SECOND, "main", "low"), CaseAck(0, "other", "low")),
        posts=(),
    )
    posts = run_case(case, scheme).posts
    told = [(news.account, news.kind) for post in posts for news in post.news]
    assert [kind for name, kind in told if name == "main"] == [Kind.FIRING, Kind.ACK]
    assert [kind for name, kind in told if name == "other"] == [Kind.FIRING, *[Kind.REPEAT] * 3]
