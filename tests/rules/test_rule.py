"""Rules: whom they watch, and what they mean."""

from dataclasses import replace

import pytest

from daemon.rules.parse import condition
from daemon.rules.rule import Rule
from daemon.types import Severity

LOW = Rule("low", condition("available_margin < 100"))


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [(("*",), True), (("main",), True), (("ma*",), True), (("MAIN",), False), (("x", "?ain"), True), ((), False)],
)
def test_watches(patterns: tuple[str, ...], expected: bool) -> None:
    """A rule watches the accounts that any of its globs matches, case for case."""
    assert replace(LOW, accounts=patterns).watches("main") is expected


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("availableMargin<100", "available_margin < 100.0"),
        ("(available_margin) < 1_00", "available_margin < 100"),
        ("0 < al_margin < 5", "0 < al_margin and al_margin < 5"),
        ("(al_margin < 1 or al_freeze < 2) or age > 1m", "al_margin < 1 or al_freeze < 2 or age > 60s"),
        ("freeze_ratio > 20%", "freeze_ratio > 0.2"),
    ],
)
def test_spelling_is_no_meaning(first: str, second: str) -> None:
    """D5: conditions are equal when their trees are, and so are the recorded meanings of their rules."""
    left, right = condition(first), condition(second)
    assert (left, hash(left), str(left)) == (right, hash(right), str(right))
    assert replace(LOW, when=left).meaning == replace(LOW, when=right).meaning


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("al_margin < 100", "al_margin <= 100"),
        ("al_margin - 1 - 2 < 3", "al_margin - (1 - 2) < 3"),
        ("not al_margin < 1 and al_freeze < 2", "not (al_margin < 1 and al_freeze < 2)"),
        ("max(al_margin, 1m) < 3", "max(al_margin, 2m) < 3"),
    ],
)
def test_other_meanings(first: str, second: str) -> None:
    """D5: another tree is another meaning."""
    assert condition(first) != condition(second)
    assert replace(LOW, when=condition(first)).meaning != replace(LOW, when=condition(second)).meaning


def test_meaning() -> None:
    """D5: the meaning is `when`, `clear_when` and `for`, as canonical text."""
    rule = replace(LOW, clear_when=condition("availableMargin > 120"), hold=90_000)
    assert rule.meaning == "when available_margin < 100; clear_when available_margin > 120; for 1m30s"


def test_meaning_leaves_out_defaults() -> None:
    """Keys at their defaults are not part of a recorded meaning, so that a new key changes none."""
    assert LOW.meaning == "when available_margin < 100"


def test_policy_is_no_meaning() -> None:
    """D5: severity, channels, accounts, repeat and inhibition may change and keep the alert."""
    other = replace(LOW, severity=Severity.CRITICAL, channels=("a",), repeat=None, inhibited_by=("b",), name="c")
    assert other.meaning == LOW.meaning


def test_a_rule_is_recorded_as_it_would_be_written() -> None:
    """Epochs hold the rules in force, in canonical spelling, so that a replay can read them again."""
    bare = Rule("low", condition("availableMargin<1_00"))
    assert bare.written() == {
        "name": "low",
        "when": "available_margin < 100",
        "clear_when": "",
        "for": "0s",
        "severity": "warning",
        "accounts": ["*"],
        "channels": [],
        "repeat": "4h",
        "inhibited_by": [],
    }
    full = Rule("low", condition("age > 2m"), condition("age < 1m"), hold=90_000, repeat=None, channels=("email",))
    assert (full.written()["clear_when"], full.written()["for"]) == ("age < 1m", "1m30s")
    assert (full.written()["repeat"], full.written()["channels"]) == ("", ["email"])
