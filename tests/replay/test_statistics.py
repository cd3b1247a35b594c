"""Statistics of each rule: count, duration, at night, worst value, warning time."""

from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal

from daemon.replay.statistics import RuleSummary, Summary, Worst
from daemon.rules.rule import Rule
from daemon.types import HOUR, MINUTE, SECOND, ClockStep, Input, Millis
from tests.replay.played import new_session, readings, records
from tests.values import T0, judged, reading, rule


def summed(
    rules: Sequence[Rule], inputs: Sequence[Input], end: Millis | None = None
) -> dict[str, RuleSummary]:
    summary = Summary([each.name for each in rules], UTC)
    for record in records(new_session(*rules), inputs, 0):
        summary.take(record)
    return dict(summary.finish({"main": inputs[-1].at if end is None else end}))


def worst(value: str, *, falling: bool = True) -> tuple[Worst, ...]:
    return (Worst(Decimal(value), judged(value, falling=falling)),)


def test_alerts_are_counted_with_their_time_and_worst_value() -> None:
    """Alerts that never fired do not count; the worst follows the comparison's direction."""
    rules = [rule(flapping=None), rule("held", hold=MINUTE), rule("high", "available_margin > 400")]
    found = summed(rules, readings("500", "90", "70", "80", "500", "95", "600"))
    assert found == {
        "low": RuleSummary("low", 2, 20 * SECOND, 15 * SECOND, 0, worst("70"), 5 * SECOND),
        "held": RuleSummary("held"),
        "high": RuleSummary("high", 3, 10 * SECOND, 5 * SECOND, 0, worst("600", falling=False)),
    }


def test_of_several_comparisons_each_has_its_own_worst() -> None:
    """Values of different comparisons are not compared, neither by field nor by direction."""
    both = rule("low", "available_margin < 100 or al_freeze > 500", flapping=None)
    sides = rule("sides", "not 100 < available_margin < 1_000", flapping=None)
    days = (
        ("500", "0"),
        ("20", "0"),
        ("500", "0"),
        ("500", "900"),
        ("500", "0"),
        ("90", "0"),
        ("500", "0"),
        ("2000", "0"),
    )
    inputs = [
        reading(seq, T0 + seq * SECOND, available_margin=margin, al_freeze=freeze)
        for seq, (margin, freeze) in enumerate([*days, ("500", "0")])
    ]
    found = summed([both, sides], inputs)
    shown = {
        name: [(each.judged.text, each.value) for each in one.worst] for name, one in found.items()
    }
    assert shown == {
        "low": [("available_margin < 100", Decimal(20)), ("al_freeze > 500", Decimal(900))],
        "sides": [
            ("available_margin <= 100", Decimal(20)),
            ("available_margin >= 1000", Decimal(2000)),
        ],
    }


def test_what_still_fires_counts_up_to_the_last_input() -> None:
    """Up to the last input of its own account."""
    assert summed([rule()], readings("90", "90", "90"))["low"].firing == 10 * SECOND
    assert summed([rule()], readings("90"), T0 + HOUR)["low"].longest == HOUR


def test_night_is_from_eleven_to_seven() -> None:
    """By the clock of the time zone; T0 is 11:00 UTC."""
    hours = {
        hour: summed([rule()], [reading(1, T0 + hour * HOUR, available_margin="90")])
        for hour in range(24)
    }
    assert [(11 + hour) % 24 for hour, found in hours.items() if found["low"].at_night] == [
        23,
        0,
        1,
        2,
        3,
        4,
        5,
        6,
    ]


def test_early_is_the_least_of_all_alerts_that_got_worse() -> None:
    """How long one had, at the least, before the worst."""
    margins = ("90", "80", "70", "500", "90", "60", "500", "90", "500")
    assert summed([rule(flapping=None)], readings(*margins))["low"].early == 5 * SECOND


def test_a5_a_step_of_the_clock_changes_no_duration() -> None:
    """A5: instants held move with the clock."""
    inputs: list[Input] = [
        reading(1, T0, available_margin="90"),
        ClockStep(2, T0 + HOUR, HOUR),
        reading(3, T0 + HOUR + SECOND, available_margin="80"),
        reading(4, T0 + HOUR + MINUTE, available_margin="500"),
    ]
    found = summed([rule()], inputs)["low"]
    assert (found.firing, found.early) == (MINUTE, SECOND)
