"""The evaluator: verdicts on readings and misses, equal to a plain recomputation and to a
rebuild.
"""

from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.system_rules import system_rule
from daemon.rules.evaluation.evaluator import Evaluator, Verdict
from daemon.rules.language.parse import parse_condition
from daemon.rules.language.tree import Comparison, Node, uses
from daemon.rules.rule import AtLeast, Condition, Rule
from daemon.types import (
    DAY,
    MINUTE,
    Balances,
    DecidingComparison,
    Millis,
    Quality,
    Reading,
    Source,
    Unconfirmed,
)
from tests.rules import naive
from tests.rules.strategies import Event, Fail, Judge, Step, conditions, days, reading
from tests.values import miss

START = 1_767_265_200_000


def margin(at: Millis, amount: str) -> Reading:
    """A reading of this available margin, everything else unknown."""
    return reading(START + at, Balances(available_margin=Decimal(amount)))


def rule(when: str, clear_when: str = "") -> Rule:
    """A rule called `r`."""
    return Rule("r", parse_condition(when), parse_condition(clear_when) if clear_when else None)


def whens(evaluator: Evaluator, readings: list[Reading]) -> list[bool | None]:
    """Verdicts of the rule `r` at each reading."""
    return [evaluator.read(one)["r"].when for one in readings]


def test_threshold_verdict() -> None:
    """A verdict says whether the rule holds, whether it may clear, and which comparison decided."""
    verdict = Evaluator([rule("availableMargin < 100")]).read(margin(0, "99.5"))["r"]
    judged = DecidingComparison(
        "available_margin < 100", "available_margin", Decimal("99.5"), Decimal(100), falling=True
    )
    assert verdict == Verdict(when=True, clear=False, judged=judged)


@pytest.mark.parametrize(
    ("amount", "expected"), [("90", (True, False)), ("110", (False, False)), ("130", (False, True))]
)
def test_clear_when(amount: str, expected: tuple[bool, bool]) -> None:
    """D2: with `clear_when` a rule may clear only when that holds."""
    verdict = Evaluator([rule("available_margin < 100", "available_margin > 120")]).read(
        margin(0, amount)
    )["r"]
    assert (verdict.when, verdict.clear) == expected


def test_unknown_field_says_nothing() -> None:
    """C2: a field that was not sent leaves both `when` and `clear` unknown."""
    verdict = Evaluator([rule("cross_un_pnl < 0")]).read(margin(0, "1"))["r"]
    assert (verdict.when, verdict.clear) == (None, None)


def test_nan_is_unknown() -> None:
    """A value that is no number is unknown, and raises nothing."""
    assert Evaluator([rule("available_margin < 100")]).read(margin(0, "NaN"))["r"].when is None


def test_window_includes_both_ends() -> None:
    """C1: a reading exactly `w` old is in the window, one a millisecond older is not."""
    readings = [margin(0, "500"), margin(600_000, "1"), margin(600_001, "1")]
    assert whens(Evaluator([rule("max(available_margin, 10m) == 500")]), readings) == [
        True,
        True,
        False,
    ]


def test_delta_needs_two_readings() -> None:
    """C2: `delta` is unknown with one reading, known with two."""
    assert whens(
        Evaluator([rule("delta(available_margin, 1m) <= 0")]), [margin(0, "5"), margin(1, "5")]
    ) == [
        None,
        True,
    ]


def test_look_back_adds_up() -> None:
    """C1: look-back adds up along nesting, and is the longest of all rules."""
    nested = Rule("a", parse_condition("max(delta(available_margin, 20m), 1h) > 0"))
    plain = Rule(
        "b",
        parse_condition("min(al_margin, 30m) > 0"),
        parse_condition("min(al_margin, 1h10m) > 0"),
    )
    assert Evaluator([nested, plain]).look_back == 80 * MINUTE


def test_look_back_covers_the_changes() -> None:
    """The changes of ten minutes are asked of every account, so no look-back is shorter."""
    assert Evaluator([]).look_back == 10 * MINUTE


def test_longest_look_back() -> None:
    """DESIGN 6: seven days are the longest window."""
    assert Evaluator([rule("min(al_margin, 7d) > 0")]).look_back == 7 * DAY


def test_deepest_nesting_works() -> None:
    """An expression that parses can be evaluated, also windows nested sixty deep."""
    deep = rule("max(" * 60 + "available_margin" + ", 1s)" * 60 + " > 4")
    evaluator = Evaluator(
        [deep, Rule("not", parse_condition("not " * 60 + "available_margin > 4"))]
    )
    verdicts = evaluator.read(margin(0, "5"))
    assert [verdict.when for verdict in verdicts.values()] == [True, True]


def test_age_grows_at_misses() -> None:
    """`age` is 0 at a judged reading and the time since it at a miss."""
    evaluator = Evaluator([rule("age >= 2m")])
    assert evaluator.read(margin(0, "1"))["r"].when is False
    early, late = (
        evaluator.miss(miss(1, START + 119_999))["r"],
        evaluator.miss(miss(1, START + 120_000))["r"],
    )
    assert (early.when, late.when) == (False, True)
    assert late.judged == DecidingComparison(
        "age >= 2m", "age", Decimal(120_000), Decimal(120_000), falling=False, duration=True
    )


def test_a4_age_before_the_first_reading() -> None:
    """A4: nothing was judged yet, so `age` is unknown."""
    assert Evaluator([rule("age > 2m")]).miss(miss(1, START))["r"].when is None


def test_miss_concerns_only_rules_with_age() -> None:
    """Promise 5: a miss gives verdicts only to rules with `age` in `when` or `clear_when`."""
    rules = [
        Rule("plain", parse_condition("available_margin < 100")),
        Rule("when", parse_condition("age > 1m or available_margin < 100")),
        Rule("clear", parse_condition("available_margin < 100"), parse_condition("age < 10s")),
    ]
    assert set(Evaluator(rules).miss(miss(1, START))) == {"when", "clear"}


def test_miss_keeps_fields_and_moves_windows() -> None:
    """At a miss fields are as last judged, and windows are those of the miss's instant."""
    evaluator = Evaluator(
        [rule("age > 0s and available_margin == 5 and max(available_margin, 1m) > 0")]
    )
    evaluator.read(margin(0, "5"))
    assert evaluator.miss(miss(1, START + 60_000))["r"].when is True
    assert evaluator.miss(miss(1, START + 60_001))["r"].when is None


def test_unconfirmed_is_judged_at_its_own_instant() -> None:
    """B5: an unconfirmed suspect's values are judged when it was given up, not when it was read."""
    evaluator = Evaluator([rule("age >= 0s and available_margin < 100")])
    suspect = Reading(
        7, START, Source.REST, Quality.SUSPECT, None, Balances(available_margin=Decimal(1))
    )
    assert evaluator.read(Unconfirmed(8, START + 3_000, suspect))["r"].when is True
    age = evaluator.miss(miss(1, START + 4_000))["r"].judged
    assert age == DecidingComparison(
        "age >= 0s", "age", Decimal(1_000), Decimal(0), falling=False, duration=True
    )


def test_a5_shift_keeps_durations_true() -> None:
    """A5: after a step of the clock, ages and windows are as if it had always gone right."""
    evaluator = Evaluator([rule("age >= 1m and delta(available_margin, 2m) < 0")])
    evaluator.warm(margin(0, "5"))
    evaluator.warm(margin(60_000, "4"))
    evaluator.shift(-3_600_000)
    assert evaluator.miss(miss(1, START + 120_000 - 3_600_000))["r"].when is True


def test_changes() -> None:
    """The change of each field over ten minutes, where it is known."""
    evaluator = Evaluator([])
    evaluator.read(reading(START, Balances(Decimal(500), Decimal(400), al_freeze=Decimal("0.1"))))
    assert evaluator.changes() == {}
    evaluator.read(
        reading(START + 600_000, Balances(Decimal(440), Decimal(400), cross_un_pnl=Decimal(1)))
    )
    assert evaluator.changes() == {"available_margin": Decimal(-60), "available_usdt": Decimal(0)}


def test_balances_are_those_last_judged() -> None:
    """Messages show the fields of the last judged reading; before the first, none."""
    evaluator = Evaluator([])
    assert evaluator.balances == Balances()
    evaluator.warm(margin(0, "5"))
    assert evaluator.balances == Balances(available_margin=Decimal(5))


class Side:
    """An evaluator and all it was fed, side by side."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules
        self.evaluator = Evaluator(rules, zone=UTC)
        self.history: naive.History = []
        self.now = START

    def apply(self, event: Event) -> Mapping[str, Verdict]:
        """Feed one event."""
        match event:
            case Judge(after, balances):
                self.now += after
                self.history.append((self.now, balances))
                return self.evaluator.read(reading(self.now, balances))
            case Fail(after):
                self.now += after
                return self.evaluator.miss(miss(1, self.now))
            case Step(by):
                self.now += by
                self.history = [(at + by, balances) for at, balances in self.history]
                self.evaluator.shift(by)
                return {}

    def rebuild(self) -> None:
        """Rebuild the windows from stored readings, from the last before the look-back."""
        self.evaluator = Evaluator(self.rules, zone=UTC)
        since = self.now - self.evaluator.look_back
        before = [number for number, (at, _) in enumerate(self.history) if at <= since]
        for at, balances in self.history[before[-1] if before else 0 :]:
            self.evaluator.warm(reading(at, balances))


def rules_of(trees: list[Node]) -> list[Rule]:
    """A rule for each condition; every second one clears by the condition before it."""
    told = [Condition(str(tree), tree) for tree in trees]
    return [Rule(str(n), one, told[n - 1] if n % 2 else None) for n, one in enumerate(told)]


@given(st.lists(conditions, min_size=1, max_size=3), days)
def test_equals_recomputation(trees: list[Node], day: list[Event]) -> None:
    """C1 to C4: after any inputs, verdicts equal those of a recomputation from all readings."""
    side = Side(rules_of(trees))
    for event in day:
        for name, verdict in side.apply(event).items():
            assert verdict.when is naive.truth(trees[int(name)], side.history, side.now)
            assert verdict.judged is not None
            # What decided is as true as the whole, read from its own text alone.
            told = parse_condition(verdict.judged.text).tree
            assert isinstance(told, Comparison)
            assert naive.truth(told, side.history, side.now) is verdict.when
            assert verdict.judged.value == naive.quantity(told.left, side.history, side.now)
            assert verdict.judged.threshold == naive.quantity(told.right, side.history, side.now)
            assert verdict.judged.field == str(told.left)


def counted(trees: list[Node]) -> list[Rule]:
    """Rules that count readings, each with a `clear_when`, and the system rules that remember."""
    told = [Condition(str(tree), tree) for tree in trees]
    written = [
        Rule(str(n), one, told[n - 1], at_least=AtLeast(n + 1, n + 2), missing_after=5_000)
        for n, one in enumerate(told)
    ]
    return [
        *written,
        system_rule("exchange-frozen", 30_000),
        system_rule("rule-unknown", 15 * MINUTE),
    ]


@given(st.lists(conditions, min_size=1, max_size=3), days, st.integers(0, 25))
def test_equals_rebuild(trees: list[Node], day: list[Event], stop: int) -> None:
    """Promise 4, D3, D7: an evaluator rebuilt at any point from its look-back gives the same.

    Windows come back, and also what is counted, or timed, from reading to reading.
    """
    for rules in (rules_of, counted):
        live, restarted = Side(rules(trees)), Side(rules(trees))
        for number, event in enumerate(day):
            if number == stop:
                restarted.rebuild()
            assert live.apply(event) == restarted.apply(event)
            if not isinstance(event, Step):
                assert live.evaluator.changes() == restarted.evaluator.changes()


def test_a5_what_is_counted_moves_with_the_clock() -> None:
    """A5, D3: a step makes no gap."""
    one = Rule(
        "often",
        parse_condition("available_margin < 100"),
        at_least=AtLeast(2, 2),
        missing_after=MINUTE,
    )
    evaluator = Evaluator([one, rule("al_margin > 1")])
    evaluator.read(margin(0, "90"))
    evaluator.shift(60 * MINUTE)
    assert evaluator.read(margin(61 * MINUTE, "90"))["often"].when is True
    assert (evaluator.agreement("often"), evaluator.agreement("r")) == ((2, 2), None)


@given(conditions)
def test_only_age_is_asked_at_misses(tree: Node) -> None:
    """Promise 5, for any condition: a miss is judged exactly by those that name `age`."""
    assert bool(Evaluator(rules_of([tree])).miss(miss(1, START))) is uses(tree, "age")


def test_c7_the_values_of_the_last_ten_minutes_are_at_hand_for_messages() -> None:
    """C7: instants are by the present clock, both ends included, also in packed windows."""
    evaluator = Evaluator([], ["available_margin"])
    for second in range(0, 1_205, 5):
        evaluator.read(margin(second * 1_000, str(second)))
    evaluator.shift(MINUTE)
    points = evaluator.recent("available_margin")
    assert points[0] == (START + 600_000 + MINUTE, Decimal(600))
    assert points[-1] == (START + 1_200_000 + MINUTE, Decimal(1_200))
    assert len(points) == 121
    assert evaluator.recent("al_freeze") == evaluator.recent("margin_usage") == ()


def test_c7_the_estimate_of_free_margin_has_values_where_both_its_parts_have() -> None:
    """C7: A reading without one of the parts leaves a place out."""
    evaluator = Evaluator([])
    for at, amount, bound in (
        (0, "500", "10"),
        (1, "400", None),
        (2, None, "20"),
        (3, "300", "30"),
    ):
        parts = (None if each is None else Decimal(each) for each in (amount, bound))
        sent = dict(zip(("available_margin", "al_margin"), parts, strict=True))
        evaluator.read(reading(START + at, Balances(**sent)))
    assert evaluator.recent("free_margin") == ((START, Decimal(490)), (START + 3, Decimal(270)))


def test_c7_equity_has_values_where_all_three_parts_have() -> None:
    """C7: messages tell how equity moved from the parts that are kept."""
    evaluator = Evaluator([])
    for at, frozen in ((0, "5"), (1, None), (2, "7")):
        sent = Balances(
            available_usdt=Decimal(100),
            al_margin=Decimal(10),
            al_freeze=None if frozen is None else Decimal(frozen),
        )
        evaluator.read(reading(START + at, sent))
    assert evaluator.recent("equity") == ((START, Decimal(115)), (START + 2, Decimal(117)))
