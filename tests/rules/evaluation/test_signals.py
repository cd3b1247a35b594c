"""System signals: SEMANTICS D7, judged on readings and misses alone."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from daemon.alerts.system_rules import KINDS, system_rule
from daemon.rules.evaluation.evaluator import Evaluator, Verdict
from daemon.rules.evaluation.signals import SystemSignals
from daemon.types import (
    MINUTE,
    SECOND,
    DecidingComparison,
    Millis,
    MissReason,
    OnMissing,
    Quality,
    Reading,
    Severity,
    Source,
    Unconfirmed,
)
from tests.values import T0, miss, reading, rule

LIMIT = Decimal(30_000)


def at(second: float, exchange: float | None = 0) -> Reading:
    """A reading whose exchange says that it is `exchange` seconds after the beginning."""
    moment = None if exchange is None else T0 + round(exchange * SECOND)
    return replace(reading(1, T0 + round(second * SECOND)), exchange_at=moment)


def system(name: str, limit: Millis) -> Evaluator:
    return Evaluator([system_rule(name, limit)])


def holds(found: Mapping[str, Verdict]) -> dict[str, bool | None]:
    return {name: verdict.when for name, verdict in found.items()}


@pytest.mark.parametrize("name", KINDS)
def test_d7_a_system_rule_has_its_name_and_channels(name: str) -> None:
    """D7: named as in `[system]`; critical where only a person can help, else warning."""
    one = system_rule(name, 30 * SECOND, channels=("email",))
    critical = {"key-refused", "answers-unusable", "account-not-judged"}
    severity = Severity.CRITICAL if name in critical else Severity.WARNING
    assert (one.name, one.channels, one.system, one.severity) == (name, ("email",), True, severity)


def test_d7_no_readings_is_missing_readings() -> None:
    """D4, D7: fires as missing, also for an account never read, but not beside its cause."""
    one = system_rule("no-readings", 2 * MINUTE)
    assert (one.on_missing, one.missing_after) == (OnMissing.FIRING, 2 * MINUTE)
    assert one.inhibited_by == ("key-refused", "rate-limited", "answers-unusable")
    assert holds(Evaluator([one]).miss(miss(1, T0))) == {"no-readings": None}


@pytest.mark.parametrize("reason", list(MissReason))
def test_d7_a_refused_key(reason: MissReason) -> None:
    """D7: set by auth, permission and wrong_user; other misses say nothing, a reading clears it."""
    refused = reason in {MissReason.AUTH, MissReason.PERMISSION, MissReason.WRONG_USER}
    evaluator = system("key-refused", 0)
    found = evaluator.miss(miss(1, T0, reason))["key-refused"]
    assert (found.when, found.detail) == (True if refused else None, "no answer within 10 s")
    assert evaluator.read(at(1))["key-refused"].when is False


@pytest.mark.parametrize(
    "reason", [MissReason.RATE_LIMITED, MissReason.BLOCKED, MissReason.NETWORK]
)
def test_d7_limited_calls(reason: MissReason) -> None:
    """D7: by 29001, 429, 403 and HTML; it fires after two minutes of it."""
    found = system("rate-limited", 2 * MINUTE).miss(miss(1, T0, reason))["rate-limited"]
    assert found.when is (None if reason is MissReason.NETWORK else True)
    assert system_rule("rate-limited", 2 * MINUTE).hold == 2 * MINUTE


@pytest.mark.parametrize("reason", list(MissReason))
def test_b1_answers_without_balances(reason: MissReason) -> None:
    """B1, D7: a bad answer sets it with its text; other misses say nothing, a reading clears it."""
    evaluator = system("answers-unusable", MINUTE)
    found = evaluator.miss(miss(1, T0, reason))["answers-unusable"]
    assert (found.when, found.detail) == (
        True if reason is MissReason.BAD_ANSWER else None,
        "no answer within 10 s",
    )
    assert evaluator.read(at(1))["answers-unusable"].when is False
    assert evaluator.read(replace(at(2), source=Source.WS))["answers-unusable"].when is None


def test_d7_a_skew_is_seen_where_the_exchanges_time_moves() -> None:
    """D7: in either direction; the same time once more is unknown, and so is none at all."""
    evaluator = system("clock-skew", 30 * SECOND)
    found = [
        evaluator.read(one)["clock-skew"].when
        for one in (at(0), at(40, 10), at(45, 10), at(50, 80), at(51, 52))
    ]
    assert found == [False, True, None, True, False]
    assert evaluator.read(at(60, None))["clock-skew"].when is None


def test_d7_frozen_data() -> None:
    """B6: the exchange's own time stands still for so long while readings arrive."""
    evaluator = system("exchange-frozen", 30 * SECOND)
    found = [
        evaluator.read(one)["exchange-frozen"]
        for one in (at(0), at(29.999), at(30), at(31, 31), at(40, None))
    ]
    assert [verdict.when for verdict in found] == [False, False, True, False, None]
    assert found[2].judged == DecidingComparison(
        "exchange_unchanged >= 30s",
        "exchange_unchanged",
        Decimal(30_000),
        Decimal(30_000),
        falling=False,
        duration=True,
    )


def test_d7_an_unconfirmed_reading_shows_what_it_was_sent_with() -> None:
    """B5: its exchange time, at the instant at which it is judged."""
    signs = SystemSignals(MINUTE)
    suspect = replace(at(1, 41), quality=Quality.SUSPECT)
    shown = signs.read(Unconfirmed(2, T0 + 4 * SECOND, suspect))
    assert (shown["clock_skew"], shown["exchange_unchanged"]) == (Decimal(40_000), Decimal(0))


def test_c2_a_rule_that_stays_unknown_is_named() -> None:
    """C2: fires after unknown readings for its time; a known one restarts it, a miss is ignored."""
    unsure = [
        rule("first", when="cross_un_pnl < 0"),
        rule("other", when="delta(available_margin, 1m) < 0"),
    ]
    evaluator = Evaluator([*unsure, system_rule("rule-unknown", 15 * MINUTE)])
    assert evaluator.read(at(0))["rule-unknown"].when is False
    assert evaluator.read(at(10))["other"].when is False
    assert holds(evaluator.miss(miss(1, T0 + 20 * SECOND))) == {}
    for minute in range(1, 15):
        evaluator.read(at(60 * minute))
    early, late = evaluator.read(at(15 * 60 - 0.001)), evaluator.read(at(15 * 60))
    assert (early["rule-unknown"].when, late["rule-unknown"].when) == (False, True)
    assert (
        late["rule-unknown"].detail == "the rule first (cross_un_pnl is not sent) cannot be judged"
    )
    known = replace(at(15 * 60 + 1), balances=replace(at(1).balances, cross_un_pnl=Decimal(1)))
    calm = evaluator.read(known)["rule-unknown"]
    assert (calm.when, calm.detail) == (False, "")


def test_c2_every_rule_that_stays_unknown_is_named_with_the_part_to_blame() -> None:
    """C2: the words stay the same while the cause lasts; a rule known again is not named."""
    few = rule("few", when="zscore(al_freeze, 1h) > 3")
    endless = rule("endless", when="available_margin < 100", clear_when="cross_un_pnl > 0")
    evaluator = Evaluator(
        [rule("one", when="cross_un_pnl < 0"), few, endless, system_rule("rule-unknown", MINUTE)]
    )

    def told(second: float, pnl: str | None = None) -> str:
        sent = replace(at(second).balances, cross_un_pnl=None if pnl is None else Decimal(pnl))
        return evaluator.read(replace(at(second), balances=sent), {"rule-unknown"})[
            "rule-unknown"
        ].detail

    assert [told(0), told(59.999)] == ["", ""]
    parts = "zscore(al_freeze, 1h): fewer than 10 readings", "cross_un_pnl is not sent"
    everything = (
        f"the rules one ({parts[1]}), few ({parts[0]}), endless ({parts[1]}) cannot be judged"
    )
    assert [told(60), told(61)] == [everything] * 2
    only = f"the rule few ({parts[0]}) cannot be judged"
    assert [told(62, "1"), told(63, "1")] == [only] * 2


def test_c2_of_many_unknown_rules_the_first_are_named() -> None:
    """C2: a message has an end."""
    many = [rule(f"r{number}", when=f"cross_un_pnl < {number}") for number in range(5)]
    evaluator = Evaluator([*many, system_rule("rule-unknown", MINUTE)])
    evaluator.read(at(0))
    detail = evaluator.read(at(60))["rule-unknown"].detail
    assert detail.startswith("the rules r0 (cross_un_pnl is not sent), r1 (")
    assert detail.endswith("), r2 (cross_un_pnl is not sent) and 2 more cannot be judged")


def test_c2_unknown_counts_only_while_readings_arrive() -> None:
    """C2: after a pause longer than the limit it counts anew."""
    evaluator = Evaluator([rule(when="cross_un_pnl < 0"), system_rule("rule-unknown", 3 * MINUTE)])
    found = [
        evaluator.read(at(second))["rule-unknown"].when
        for second in (0, 120, 240, 420.001, 540, 600.001)
    ]
    assert found == [False, False, True, False, False, True]


def test_c2_system_rules_are_not_unknown_rules() -> None:
    """C2: a skew that cannot be seen is nobody's fault."""
    evaluator = Evaluator(
        [system_rule("clock-skew", 30 * SECOND), system_rule("rule-unknown", 15 * MINUTE)]
    )
    found = [holds(evaluator.read(at(second))) for second in (0, 100, 200)]
    assert found[1:] == [{"clock-skew": None, "rule-unknown": False}] * 2
    assert SystemSignals(MINUTE).unknown_for(0) == []


def test_a5_a_step_of_the_clock_freezes_nothing() -> None:
    """A5: how long something stands still, or is unknown, are durations."""
    unsure = rule("unsure", when="cross_un_pnl < 0")
    frozen, unknown = (
        system_rule("exchange-frozen", 30 * SECOND),
        system_rule("rule-unknown", 30 * SECOND),
    )
    evaluator = Evaluator([unsure, frozen, unknown])
    evaluator.read(at(0))
    evaluator.shift(MINUTE)
    assert holds(evaluator.read(at(60 + 29))) == {
        "unsure": None,
        "exchange-frozen": False,
        "rule-unknown": False,
    }
    assert holds(evaluator.read(at(60 + 30))) == {
        "unsure": None,
        "exchange-frozen": True,
        "rule-unknown": True,
    }


def test_promise_4_a_rebuild_finds_the_signs_again() -> None:
    """Promise 4: fed with what its look-back names, another evaluator says the same."""
    rules = [
        rule("unsure", when="cross_un_pnl < 0"),
        rule("often", when="available_margin < 600", at_least=None),
        system_rule("exchange-frozen", 30 * SECOND),
        system_rule("rule-unknown", 15 * MINUTE),
    ]
    live, rebuilt = Evaluator(rules), Evaluator(rules)
    readings = [at(30 * number, 30 * number if number < 3 else 60) for number in range(40)]
    for one in readings:
        live.read(one)
    since = readings[-1].at - live.look_back
    for one in readings:
        if one.at >= since:
            rebuilt.warm(one)
    assert holds(live.read(at(1_201, 60))) == holds(rebuilt.read(at(1_201, 60)))
    assert live.look_back >= 15 * MINUTE


def test_only_what_is_watched_or_holds_is_put_together() -> None:
    """The verdicts of all others would change nothing."""
    evaluator = Evaluator(
        [rule(), system_rule("exchange-frozen", 30 * SECOND), system_rule("clock-skew", SECOND)]
    )
    assert set(evaluator.read(at(0), ())) == set()
    assert set(evaluator.read(at(30), ("low",))) == {"low", "exchange-frozen"}


def test_b7_a_push_says_nothing_of_clocks_keys_and_limits() -> None:
    """B7, B6: a push changes neither a standstill nor a refused key."""
    frozen, refused = system("exchange-frozen", 30 * SECOND), system("key-refused", 0)
    push = replace(at(20, exchange=None), source=Source.WS)
    assert [holds(frozen.read(each)) for each in (at(0), push, at(30))] == [
        {"exchange-frozen": False},
        {"exchange-frozen": None},
        {"exchange-frozen": True},
    ]
    refused.miss(miss(1, reason=MissReason.AUTH))
    assert holds(refused.read(push)) == {"key-refused": None}
