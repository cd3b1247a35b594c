"""`prev`: the value of the reading before."""

from datetime import UTC
from decimal import Decimal

from daemon.rules.evaluation.evaluator import Evaluator
from daemon.rules.language.parse import parse_condition
from daemon.rules.rule import Rule
from daemon.types import MINUTE, Balances
from tests.rules.functions.sliding import worth
from tests.rules.strategies import reading
from tests.values import miss


def test_the_reading_before() -> None:
    """Unknown at the first reading, and where the reading before had no value."""
    values = worth("prev(al_margin)", "1", "2.50", None, "4", "4", "5")
    assert values == [None, "1", "2.50", None, "4", "4"]


def test_a_single_step() -> None:
    """`x - prev(x)` is the step from reading to reading, over a window too."""
    series = ("5", "9", "8", "8")
    assert worth("abs(al_margin - prev(al_margin))", *series) == [None, "4", "1", "0"]
    assert worth("max(al_margin - prev(al_margin), 20s)", *series) == [None, "4", "4", "4"]


def test_misses_are_stepped_over() -> None:
    """A miss is no reading: `prev` is unknown at it, and the same as ever at the next reading."""
    step = Rule("r", parse_condition("prev(al_margin) > 5 or age > 1d"))
    evaluator = Evaluator([step], zone=UTC)
    evaluator.read(reading(0, Balances(al_margin=Decimal(6))))
    evaluator.read(reading(1, Balances(al_margin=Decimal(1))))
    assert evaluator.miss(miss(3, MINUTE))["r"].when is None
    assert evaluator.read(reading(2 * MINUTE, Balances(al_margin=Decimal(7))))["r"].when is False
    assert evaluator.read(reading(3 * MINUTE, Balances(al_margin=Decimal(7))))["r"].when is True


def test_a_step_of_the_clock_changes_nothing() -> None:
    """`prev` goes by the order of readings, not by time (SEMANTICS A5)."""
    evaluator = Evaluator([Rule("r", parse_condition("prev(al_margin) > 5"))])
    evaluator.read(reading(0, Balances(al_margin=Decimal(6))))
    evaluator.shift(-MINUTE)
    assert evaluator.read(reading(1 - MINUTE, Balances(al_margin=Decimal(1))))["r"].when is True
