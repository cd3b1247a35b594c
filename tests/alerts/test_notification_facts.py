"""What a notification tells of an alert: how fields moved, and what a value is compared with."""

from dataclasses import replace
from decimal import Decimal

from daemon.alerts.notification_facts import balance_changes, worst_of
from daemon.types import Balances, FlapRange, NotificationFacts, Severity
from tests.values import T0, balances, judged

FLAPPING = NotificationFacts(
    Severity.WARNING,
    "k3f9",
    T0,
    T0,
    T0,
    judged("45"),
    swings=FlapRange(7, Decimal(40), Decimal(130)),
)


def test_fields_moved_where_both_values_are_known() -> None:
    """Promise 5: what was or is not sent has moved by nothing that anybody knows."""
    assert balance_changes(balances("500"), replace(balances("90"), al_freeze=None)) == {
        "available_margin": Decimal(-410),
        "available_usdt": Decimal(-410),
        "almighty_gold": 0,
        "al_margin": 0,
    }
    assert balance_changes(Balances(), balances("90")) == {}


def test_e4_the_worst_told_of_a_flapping_rule_is_the_end_of_its_range() -> None:
    """E4: the lower end if low is bad, else the higher; none without a judged comparison."""
    worst, high = (
        worst_of(FLAPPING),
        worst_of(replace(FLAPPING, judged=judged("45", falling=False))),
    )
    assert (worst and worst.value, high and high.value) == (Decimal(40), Decimal(130))
    assert worst_of(replace(FLAPPING, judged=None)) is None
