"""Traces: the value of each part of a condition, and the cause of an unknown one."""

from datetime import UTC
from decimal import Decimal

import pytest

from daemon.rules.evaluation.compile import compile_truth
from daemon.rules.evaluation.trace import Held, Trace, trace_condition, unknown_part
from daemon.rules.evaluation.values import ValueTable
from daemon.rules.language.parse import parse_condition, parse_recorded
from daemon.rules.language.types import ValueType
from daemon.types import DAY, Balances


def seen(text: str, *readings: Balances, every: int = 60_000) -> Trace:
    """Into a condition after these readings."""
    tree, table = parse_recorded(text).tree, ValueTable()
    compile_truth(tree, table)
    for number, balances in enumerate(readings):
        table.feed(number * every, balances)
    return trace_condition(tree, table)


def sent(*margins: str) -> list[Balances]:
    """Readings of nothing but al_margin."""
    return [Balances(al_margin=Decimal(margin)) for margin in margins]


def test_every_part_is_shown() -> None:
    """Truths, numbers and durations with their types; windows with their count and start."""
    told = seen("max(al_margin + 1, 2m) > 4 and not age > 1m", *sent("7", "2", "3", "4"))
    assert (told.value, told.kind, len(told.children)) == (True, ValueType.TRUTH, 2)
    window = told.children[0].children[0]
    assert (window.text, window.value, window.held) == (
        "max(al_margin + 1, 2m)",
        Decimal(5),
        Held(3, 60_000, 180_000),
    )
    assert [(part.text, part.value) for part in window.children] == [("al_margin + 1", Decimal(5))]
    age = told.children[1].children[0].children
    assert [(part.text, part.kind, part.value) for part in age] == [
        ("age", ValueType.DURATION, Decimal(0)),
        ("1m", ValueType.DURATION, Decimal(60_000)),
    ]
    assert unknown_part(told) is None


def test_a_level_is_shown_and_a_length_is_not() -> None:
    """Below a window function are its series, with the present value, and its level."""
    told = seen("time_to(al_margin, 2 * al_freeze, 30m) < 2h", *sent("7"))
    (window, _) = told.children
    assert (window.kind, window.held) == (ValueType.DURATION, Held(1, 0, 0, needed=3))
    assert [part.text for part in window.children] == ["al_margin", "2 * al_freeze"]


@pytest.mark.parametrize(
    ("text", "margins", "expected"),
    [
        ("cross_un_pnl < 0", ["1"], ("cross_un_pnl", "cross_un_pnl is not sent")),
        ("1 < 2 and margin_usage < 1", ["1"], ("margin_usage", "available_margin is not sent")),
        (
            "not freeze_ratio < 1",
            ["1"],
            ("freeze_ratio", "al_freeze and available_margin are not sent"),
        ),
        ("al_margin < 0", [], ("al_margin", "no reading yet")),
        ("age > 1m", [], ("age", "no reading yet")),
        ("key_refused > 0", ["1"], ("key_refused", "nothing is known of key_refused here")),
        (
            "spike(al_margin, 1h) > 3",
            ["1"] * 3,
            ("spike(al_margin, 1h)", "3 of 10 readings needed in 1h"),
        ),
        ("max(cross_un_pnl, 1h) > 3", ["1"], ("cross_un_pnl", "cross_un_pnl is not sent")),
        (
            "-delta(al_margin, 30s) > 3",
            ["1", "2"],
            ("delta(al_margin, 30s)", "1 of 2 readings needed in 30s"),
        ),
        (
            "prev(al_margin) > 3",
            ["1"],
            ("prev(al_margin)", "there is no reading before, or it has no value"),
        ),
        (
            'since(al_margin, "08:00") > 3',
            [],
            ("al_margin", "no reading yet"),
        ),
        (
            "today(al_margin / 0 - 1 / 0) > 3",
            ["1.50"],
            ("al_margin / 0 - 1 / 0", "∞ \N{MINUS SIGN} ∞"),
        ),
        ("(al_margin - 1) / 0 > 3", ["1"], ("(al_margin - 1) / 0", "0 ÷ 0")),
        ("al_margin / 0 - 1 / 0 > 3", ["1.50"], ("al_margin / 0 - 1 / 0", "∞ \N{MINUS SIGN} ∞")),
        (
            "-1 / 0 * (al_margin * 0) > 3",
            ["-1.50"],
            ("-1 / 0 * (al_margin * 0)", "-∞ \N{MULTIPLICATION SIGN} 0"),
        ),
        (
            "stddev(2 / al_margin, 1h) > 3",
            ["2", "0", "3"],
            ("stddev(2 / al_margin, 1h)", "∞ among its readings"),
        ),
        (
            "time_to(al_margin, cross_un_pnl, 1h) > 3s",
            ["2", "0", "3"],
            ("cross_un_pnl", "cross_un_pnl is not sent"),
        ),
        ("least(al_margin, al_freeze) > 3", ["1"], ("al_freeze", "al_freeze is not sent")),
    ],
)
def test_c2_what_is_to_blame(text: str, margins: list[str], expected: tuple[str, str]) -> None:
    """C2: the innermost unknown part, and why in words."""
    found = unknown_part(seen(text, *sent(*margins)))
    assert found is not None
    assert (found.text, found.why) == expected


def test_readings_of_one_instant_have_no_trend() -> None:
    """C3: a slope needs time between its readings."""
    found = unknown_part(seen("slope(al_margin, 1h) > 3", *sent("1", "2", "3"), every=0))
    assert found is not None
    assert found.why == "all its readings are of one instant"


def test_differences_of_infinities() -> None:
    """A derived field has no value where its parts are infinite."""
    infinite = Balances(available_margin=Decimal("Infinity"), al_margin=Decimal("Infinity"))
    found = unknown_part(seen("free_margin > 3", infinite))
    assert found is not None
    assert found.why == "free_margin has no value for ∞"


def test_looking_changes_nothing() -> None:
    """Two looks see the same, and the frame stays as it was."""
    tree, table = parse_condition("max(al_margin, 2m) > 5 or al_freeze / 2 > 1").tree, ValueTable()
    compile_truth(tree, table)
    table.feed(0, Balances(al_margin=Decimal(1)))
    before = list(table.frame)
    assert trace_condition(tree, table) == trace_condition(tree, table)
    assert table.frame == before


def test_c4_what_is_compared_with_a_percentage_is_shown_as_one() -> None:
    """C4: Through functions that keep a unit, down to where another one begins."""
    told = seen("max(al_margin / 20, 2m) > 30%", *sent("7", "2"))
    window, limit = told.children
    (ratio,) = window.children
    assert [(part.text, part.percentage) for part in (told, window, limit, ratio)] == [
        ("max(al_margin / 20, 2m) > 30%", False),
        ("max(al_margin / 20, 2m)", True),
        ("30%", True),
        ("al_margin / 20", True),
    ]
    assert [part.percentage for part in ratio.children] == [False, False]
    negative = seen("-al_margin > 30%", *sent("7")).children[0]
    assert [part.percentage for part in (negative, *negative.children)] == [True, True]


def test_what_remembers_shows_its_series_and_no_time() -> None:
    """Below `since` is its series; the time of day is in its own text."""
    told = seen('since(al_margin, "00:00") > 3', *sent("7", "9"))
    (change, _) = told.children
    assert (change.text, change.value, change.held) == ('since(al_margin, "00:00")', 2, None)
    assert [(part.text, part.value) for part in change.children] == [("al_margin", Decimal(9))]


def test_at_a_miss_what_remembers_says_why_it_is_unknown() -> None:
    """A miss of a new day comes before its first reading."""
    tree, table = parse_condition("today(al_margin) > 3 and age > 1m").tree, ValueTable(UTC)
    compile_truth(tree, table)
    table.feed(0, Balances(al_margin=Decimal(1)))
    table.advance(DAY)
    found = unknown_part(trace_condition(tree, table))
    assert found is not None
    assert found.why == "no reading of today has a value"
