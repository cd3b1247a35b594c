"""Values that rules keep: which inputs change them, and what is recorded."""

from decimal import Decimal

import pytest

from daemon.alerts.recorded_values import changed_values, next_values
from daemon.types import (
    ClockStep,
    ConfigChange,
    Input,
    Quality,
    RecordedValue,
    Unconfirmed,
)
from tests.values import T0, miss, reading, rule, state

HELD = RecordedValue("low", "peak(equity)", Decimal(5))
HIGHER = RecordedValue("low", "peak(equity)", Decimal(9))
OTHER = RecordedValue("other", "peak(equity)", Decimal(5))
RULES = {"low": rule("low", "equity < 0.5 * peak(equity)")}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (reading(2, T0), HIGHER),
        (Unconfirmed(3, T0, reading(2, T0, Quality.SUSPECT)), HIGHER),
        (reading(2, T0, Quality.SUSPECT), HELD),
        (miss(2, T0), HELD),
        (ClockStep(2, T0, 500), HELD),
    ],
)
def test_only_a_judged_reading_changes_a_value(event: Input, expected: RecordedValue) -> None:
    """B5: what judges nothing raises no peak."""
    assert next_values(state(values=(HELD,)), event, (HIGHER,), RULES) == (expected,)


def test_a_configuration_without_the_expression_drops_its_value() -> None:
    """A rule keeps its value as long as it has the expression, under its name."""
    held = state(values=(HELD, OTHER))
    assert next_values(held, ConfigChange(2, T0), (), RULES) == (HELD,)
    assert next_values(held, ConfigChange(2, T0), (), {}) == ()
    assert next_values(state(), ConfigChange(2, T0), (), RULES) == ()


def test_what_changed_is_recorded_and_what_went_is_deleted() -> None:
    """One row for each value that rose, one deletion for each that is gone."""
    gone = RecordedValue("other", "peak(equity)", None)
    before = (HELD, OTHER)
    assert list(changed_values(before, before)) == []
    assert list(changed_values(before, (HELD, OTHER))) == []
    assert list(changed_values(before, (HIGHER, OTHER))) == [HIGHER]
    assert list(changed_values(before, (HELD,))) == [gone]
