"""How fast the judged field moves, and what that leads to."""

from dataclasses import replace
from decimal import Decimal

import pytest

from daemon.alerts.pace import pace
from daemon.types import MINUTE, SECOND, Facts, Judged, Severity
from tests.values import T0, judged


def told(moved: str, value: str = "90", span: int = 10 * MINUTE, side: Judged | None = None) -> str:
    """What is said of a field that changed by so much within the span."""
    side = replace(side or judged(value), value=Decimal(value))
    changes = {side.field: Decimal(moved)}
    return "".join(pace(Facts(Severity.WARNING, "k3f9", T0, T0, T0, side, changes=changes, span=span)))


@pytest.mark.parametrize(
    ("moved", "value", "expected"),
    [
        ("-50", "90", "falling by 5 a minute over the last 10 min: at this pace 0 in 18 min"),
        ("2.5", "90", "rising by 0.25 a minute over the last 10 min: at this pace back at 100 in 40 min"),
        ("-50", "9", "falling by 5 a minute over the last 10 min: at this pace 0 in 1 min 48 s"),
        ("-0.01", "90", "falling by 0.001 a minute over the last 10 min"),
        ("2", "130", "rising by 0.2 a minute over the last 10 min"),
        ("-10", "130", "falling by 1 a minute over the last 10 min: at this pace back at 100 in 30 min"),
        ("-10", "-5", "falling by 1 a minute over the last 10 min"),
        ("0", "90", ""),
    ],
)
def test_it_goes_on_from_the_last_minutes(moved: str, value: str, expected: str) -> None:
    """Towards the threshold, else towards nothing; within a day, for nobody knows farther."""
    assert told(moved, value) == expected


def test_a_change_of_a_moment_is_no_pace() -> None:
    """After a start the window holds little; what it holds is said with how long that is."""
    assert told("-5", span=29 * SECOND) == ""
    assert told("-5", span=30 * SECOND) == "falling by 10 a minute over the last 30 s: at this pace 0 in 9 min"


def test_only_amounts_have_a_pace() -> None:
    """A ratio, a function of a window and a time have none; free_margin has that of its parts."""
    ratio = judged("0.5", "0.2", falling=False, field="margin_usage")
    assert (
        "".join(pace(Facts(Severity.WARNING, "k", T0, T0, T0, ratio, changes={"al_margin": Decimal(5)}, span=MINUTE)))
        == ""
    )
    free = judged("40", field="free_margin")
    changes = {"available_margin": Decimal(-3), "al_margin": Decimal(7)}
    facts = Facts(Severity.WARNING, "k", T0, T0, T0, free, changes=changes, span=MINUTE)
    assert "".join(pace(facts)).startswith("falling by 10 a minute over the last 1 min: at this pace 0 in 4 min")
    assert "".join(pace(replace(facts, changes={"al_margin": Decimal(7)}))) == ""
    assert "".join(pace(replace(facts, judged=replace(free, value=Decimal("Infinity"))))) == ""
