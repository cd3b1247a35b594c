"""`peak`: the highest value of all, recorded for each rule."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from daemon.rules.evaluation.evaluator import Evaluator, recorded_expressions
from daemon.rules.language.parse import parse_condition
from daemon.rules.rule import Rule
from daemon.types import MINUTE, Balances, RecordedValue
from tests.rules.strategies import amounts, reading
from tests.values import miss


def rule(when: str, name: str = "r", clear_when: str = "") -> Rule:
    return Rule(name, parse_condition(when), parse_condition(clear_when) if clear_when else None)


def bound(amount: str | None) -> Balances:
    """Nothing but al_margin."""
    return Balances(al_margin=None if amount is None else Decimal(amount))


def kept(value: str, name: str = "r", expression: str = "peak(al_margin)") -> RecordedValue:
    return RecordedValue(name, expression, Decimal(value))


def test_the_highest_value_so_far() -> None:
    """Known from the first reading that has a value; a reading without one changes nothing."""
    evaluator = Evaluator([rule("al_margin < 0.5 * peak(al_margin)")])
    found = [
        evaluator.read(reading(at, bound(amount)))["r"].when
        for at, amount in enumerate((None, "4", "3", "10", "4.99", None, "5"))
    ]
    assert found == [None, False, False, False, True, None, False]
    assert evaluator.values == (kept("10"),)


def test_the_values_are_the_same_object_until_one_changes() -> None:
    """Nothing is recorded, or compared, at a reading that changes none."""
    evaluator = Evaluator([rule("al_margin < peak(al_margin)")], recorded=[kept("5")])
    before = evaluator.values
    evaluator.read(reading(0, bound("5.0")))
    assert evaluator.values is before
    evaluator.read(reading(1, bound("6")))
    assert evaluator.values == (kept("6"),)


def test_it_goes_on_from_the_recorded_value() -> None:
    """Promise 4: readings that fill windows do not raise it; they were counted before."""
    evaluator = Evaluator([rule("al_margin < peak(al_margin)")], recorded=[kept("5")])
    evaluator.warm(reading(0, bound("9")))
    assert evaluator.values == (kept("5"),)
    assert evaluator.read(reading(1, bound("6")))["r"].when is False
    assert evaluator.values == (kept("6"),)


def test_a_miss_shows_it_as_it_is() -> None:
    """Beside `age`, a miss is judged with the peak by then."""
    evaluator = Evaluator([rule("age > 1m and peak(al_margin) > 5")])
    evaluator.read(reading(0, bound("6")))
    assert evaluator.miss(miss(2, 2 * MINUTE))["r"].when is True


def test_each_rule_has_its_own() -> None:
    """Two rules with one expression began at different times."""
    older = rule("al_margin < peak(al_margin)", "older", "al_margin >= peak(al_margin)")
    evaluator = Evaluator(
        [older, rule("al_margin < peak(al_margin)")], recorded=[kept("9", "older")]
    )
    verdicts = evaluator.read(reading(0, bound("7")))
    assert (verdicts["older"].when, verdicts["r"].when) == (True, False)
    assert evaluator.values == (kept("9", "older"), kept("7"))
    when, clear = evaluator.trace("older")
    assert [part.value for part in when.children] == [Decimal(7), Decimal(9)]
    assert clear is not None
    assert [part.value for part in clear.children] == [Decimal(7), Decimal(9)]


def test_values_that_no_rule_uses_are_left_out() -> None:
    """A rule whose expression changed begins anew."""
    changed = rule("al_margin < peak(al_margin + 1)")
    evaluator = Evaluator([changed], recorded=[kept("9"), kept("5", "gone")])
    assert not evaluator.values
    evaluator.read(reading(0, bound("1")))
    assert evaluator.values == (kept("2", expression="peak(al_margin + 1)"),)
    assert list(recorded_expressions(changed)) == [("r", "peak(al_margin + 1)")]


def test_why_it_is_unknown() -> None:
    """Before the first value, `explain` says why."""
    evaluator = Evaluator([rule("peak(al_margin) > al_freeze")])
    evaluator.read(reading(0, Balances(al_freeze=Decimal(1))))
    (peak, _) = evaluator.trace("r")[0].children
    assert peak.why == "no reading had a value since the rule began"


@given(st.lists(st.none() | amounts, max_size=12), st.integers(0, 12))
def test_promise_4_a_restart_is_invisible(series: list[Decimal | None], stop: int) -> None:
    """Whatever the values, and wherever the restart: the peak is the highest of all."""
    rules = [rule("al_margin < peak(al_margin)")]
    evaluator = Evaluator(rules)
    for number, amount in enumerate(series):
        if number == stop:
            evaluator = Evaluator(rules, recorded=evaluator.values)
        verdict = evaluator.read(reading(number, Balances(al_margin=amount)))["r"]
        known = [each for each in series[: number + 1] if each is not None]
        assert verdict.judged is not None
        assert verdict.judged.threshold == max(known, default=None)
