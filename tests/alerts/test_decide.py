"""The snapshot that messages are written from: fields and how they moved, from the evaluator."""

from decimal import Decimal

from daemon.alerts.decide import judge, snapshot
from daemon.alerts.trend import minute_changes
from daemon.rules.evaluation.evaluator import Evaluator
from daemon.types import MINUTE, SECOND
from tests.values import T0, balances, reading, rule


def test_a_quiet_input_costs_no_look_at_the_windows() -> None:
    """Nearly every input has neither verdicts nor open alerts: only the fields are needed."""
    evaluator = Evaluator([rule()])
    evaluator.read(reading(1, T0, available_margin="500"))
    found = snapshot(evaluator, {}, {})
    assert (found.balances, found.changes, found.span) == (balances("500"), {}, 0)
    assert found.recent("available_margin") == ()


def test_promise_6_the_changes_come_from_the_readings_alone() -> None:
    """A rebuilt evaluator shows the same changes over one and over ten minutes."""
    values = [
        reading(n, T0 + n * 20 * SECOND, available_margin=str(500 - 10 * n)) for n in range(1, 40)
    ]
    live, rebuilt = Evaluator([rule()]), Evaluator([rule()])
    for each in values[:-1]:
        judge(live, each, {"low": None})
    verdicts = judge(live, values[-1], {"low": None})
    for each in values[5:-1]:
        rebuilt.warm(each)
    again = judge(rebuilt, values[-1], {"low": None})
    now = values[-1].at
    shown = [snapshot(one, said, {}) for one, said in ((live, verdicts), (rebuilt, again))]
    assert shown[0].changes == shown[1].changes
    minutes = [minute_changes(each.recent, now) for each in shown]
    assert minutes[0] == minutes[1]
    assert minutes[0]["available_margin"] == Decimal(-30)
    assert shown[0].span == 10 * MINUTE
