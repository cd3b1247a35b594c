"""Trees: canonical text, and queries on a tree."""

from decimal import Decimal

import pytest
from hypothesis import given

from daemon.rules.language.parse import parse_condition
from daemon.rules.language.tree import (
    Call,
    Comparison,
    DurationLiteral,
    Field,
    Node,
    Number,
    compares_percentages,
    either,
    every,
    longest_window,
    look_back,
    readable,
    uses,
    varies,
    walk,
)
from daemon.types import HOUR, MINUTE
from tests.rules.strategies import conditions


@given(conditions)
def test_canonical_text_reads_back(tree: Node) -> None:
    """The canonical text of any tree parses to an equal tree."""
    assert parse_condition(str(tree)).tree == tree


@pytest.mark.parametrize(
    "text",
    [
        "al_margin - (al_freeze - 1) < 2 * (3 + 4)",
        "al_margin / (al_freeze * 2) >= -(1 + 2)",
        "--al_margin != -al_freeze * 3",
        "not (al_margin < 1 or al_freeze < 2) and not al_margin == 3",
        "max(delta(al_margin + 1, 10m), 1h30m) < 0.25 or age > 1m30s",
    ],
)
def test_canonical_text_keeps_what_matters(text: str) -> None:
    """A text that is canonical already stays as it is, with just the parentheses it needs."""
    assert str(parse_condition(text)) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [("100", "100"), ("1e5", "100000"), ("0.500", "0.5"), ("10.0", "10"), ("0", "0")],
)
def test_numbers(value: str, expected: str) -> None:
    """Numbers are written plainly, without exponent or needless zeros."""
    assert str(Number(Decimal(value))) == expected


def test_flat() -> None:
    """`and` and `or` are flat; of one part, the part itself."""
    a, b, c = (
        Comparison("<", Field(name), Number(Decimal(1)))
        for name in ("al_margin", "al_freeze", "age")
    )
    assert every([every([a, b]), c]) == every([a, b, c])
    assert either([a, either([b, c])]) == either([a, b, c])
    assert (every([a]), either([b])) == (a, b)


def test_walk() -> None:
    """Walking visits parents first, and every part once."""
    tree = parse_condition("not -al_margin + 1 < 2 and age > 1s").tree
    assert [str(part) for part in walk(tree)] == [
        "not -al_margin + 1 < 2 and age > 1s",
        "not -al_margin + 1 < 2",
        "-al_margin + 1 < 2",
        "-al_margin + 1",
        "-al_margin",
        "al_margin",
        "1",
        "2",
        "age > 1s",
        "age",
        "1s",
    ]


def test_varies() -> None:
    """Fields and windows vary from reading to reading; computed numbers do not."""
    numbers = Comparison("<", Number(Decimal(1)), Number(Decimal(2)))
    assert not varies(numbers)
    assert varies(Call("max", (Number(Decimal(1)), DurationLiteral(1_000))))
    assert not varies(Call("abs", (Number(Decimal(1)),)))
    assert varies(Field("al_margin"))


def test_uses() -> None:
    """A field is found wherever it stands."""
    tree = parse_condition("max(al_margin * 2, 1m) > 1 or not age > 1s").tree
    assert (uses(tree, "age"), uses(tree, "al_margin"), uses(tree, "al_freeze")) == (
        True,
        True,
        False,
    )


def test_look_back() -> None:
    """C1: the look-back of windows in windows adds up; beside each other, the longest counts."""
    tree = parse_condition(
        "max(delta(al_margin, 10m) - min(al_margin, 5m), 1h) > max(al_margin, 30m)"
    ).tree
    assert look_back(tree) == 70 * MINUTE


def test_c1_only_the_series_adds_up() -> None:
    """C1: a level is of the present instant, so its window does not add to the outer one's."""
    assert (
        look_back(parse_condition("time_to(al_margin, min(al_margin, 5m), 30m) > 1h").tree)
        == 30 * MINUTE
    )
    assert (
        look_back(
            parse_condition("time_to(max(al_margin, 5m), min(al_margin, 50m), 30m) > 1h").tree
        )
        == 50 * MINUTE
    )
    assert look_back(parse_condition("least(max(al_margin, 5m), al_margin) > 1").tree) == 5 * MINUTE


@given(conditions)
def test_c4_the_readable_text_reads_back(tree: Node) -> None:
    """C4: It says the same as the canonical text, which has no percentages."""
    text = readable(tree)
    assert parse_condition(text).tree == tree
    assert str(parse_condition(text)) == str(tree)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("drop(available_margin, 30s) > 30%", "drop(available_margin, 30s) > 0.3"),
        ("change(al_margin, 1h) < -12.5% and not margin_usage > 0.8", None),
        ("available_margin < 15% * (available_usdt + al_margin)", None),
        ("margin_usage > 0.00000000000000000000000000000123456789%", None),
        ("al_margin / available_margin > 100% or freeze_ratio >= 0%", None),
    ],
)
def test_c4_percentages_are_written_as_such_for_people(text: str, canonical: str | None) -> None:
    """C4: percentages are written for people; meaning, comparison and record are unchanged."""
    found = parse_condition(text)
    assert readable(found.tree) == text
    assert "%" not in str(found)
    assert canonical is None or str(found) == canonical
    assert parse_condition(str(found)) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("margin_usage > 80%", True),
        ("freeze_ratio >= 20%", True),
        ("change(available_margin, 1h) < -20%", True),
        ("rise(al_freeze, 1h) > 50%", True),
        ("drop(available_margin, 30s) > 30%", True),
        ("al_margin / available_margin > 80%", True),
        ("1 - al_margin / available_margin < 20%", True),
        ("80% < margin_usage", True),
        ("margin_usage > 2 * 40%", True),
        ("margin_usage > 80% / 2", True),
        ("margin_usage > 80% - 5%", True),
        ("margin_usage > least(80%, 90%)", True),
        ("abs(change(al_margin, 1h)) > -(-5%)", True),
        ("margin_usage > 0.8", False),
        ("available_margin < 15% * available_usdt", False),
        ("available_margin < 15% * (available_usdt + al_margin) + 5", False),
        ("margin_usage > 80% / 40%", False),
        ("margin_usage > 80% + 0.05", False),
        ("margin_usage > least(80%, 0.9)", False),
        ("drop(available_margin, 1h) > drop(available_usdt, 1h)", False),
        ("available_margin < 100", False),
    ],
)
def test_c4_what_is_compared_with_a_percentage_is_one(text: str, expected: bool) -> None:
    """C4: the literal decides, not the field: a constant with a percent sign, or made of such."""
    comparison = parse_condition(text).tree
    assert isinstance(comparison, Comparison)
    assert compares_percentages(comparison) is expected


@pytest.mark.parametrize(
    ("text", "back", "window"),
    [
        ("al_margin < 1", 0, 0),
        ("max(delta(al_margin, 5m), 10m) > 1 or min(al_margin, 1m) > 2", 15 * MINUTE, 15 * MINUTE),
        ("max(al_margin - prev(al_margin), 10m) > 1", 10 * MINUTE + 1, 10 * MINUTE),
        ("today(max(al_margin, 10m)) > 1", 28 * HOUR + 10 * MINUTE, 10 * MINUTE),
        ("al_margin > peak(al_margin)", 0, 0),
    ],
)
def test_how_far_a_condition_looks_back(text: str, back: int, window: int) -> None:
    """C1: nested look-backs add up; only windows have a length that somebody wrote."""
    tree = parse_condition(text).tree
    assert (look_back(tree), longest_window(tree)) == (back, window)
