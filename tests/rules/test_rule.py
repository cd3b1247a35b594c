"""Rules: the accounts they watch, and their meaning."""

from dataclasses import replace
from decimal import Decimal

import pytest

from daemon.rules.language.parse import parse_condition
from daemon.rules.rule import AtLeast, Condition, EscalationStep, Rule
from daemon.types import MINUTE, Limit, OnMissing, Severity

LOW = Rule("low", parse_condition("available_margin < 100"))
FULL = Rule(
    "low",
    parse_condition("age > 2m"),
    parse_condition("age < 1m"),
    hold=90_000,
    severity=Severity.CRITICAL,
    accounts=("main", "grid-*"),
    channels=("email",),
    repeat=None,
    escalate=(EscalationStep(15 * MINUTE, ("call",)),),
    inhibited_by=("other",),
    keep_firing_for=10 * MINUTE,
    at_least=AtLeast(3, 5),
    on_missing=OnMissing.FIRING,
    missing_after=3 * MINUTE,
    flapping=Limit(2, 30 * MINUTE),
    worse_by=Decimal("0.125"),
    mute=("night",),
    summary="low",
    title="low on {account}",
    unit="USDT",
    resolve=False,
    system=True,
)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("*",), True),
        (("main",), True),
        (("ma*",), True),
        (("MAIN",), False),
        (("x", "?ain"), True),
        ((), False),
    ],
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
        (
            "(al_margin < 1 or al_freeze < 2) or age > 1m",
            "al_margin < 1 or al_freeze < 2 or age > 60s",
        ),
        ("freeze_ratio > 20%", "freeze_ratio > 0.2"),
    ],
)
def test_spelling_is_no_meaning(first: str, second: str) -> None:
    """D5: conditions are equal when their trees are, and so are their recorded meanings."""
    left, right = parse_condition(first), parse_condition(second)
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
    assert parse_condition(first) != parse_condition(second)
    assert (
        replace(LOW, when=parse_condition(first)).meaning
        != replace(LOW, when=parse_condition(second)).meaning
    )


def test_meaning() -> None:
    """D5: the meaning is `when`, `clear_when` and `for`, as canonical text."""
    rule = replace(LOW, clear_when=parse_condition("availableMargin > 120"), hold=90_000)
    assert (
        rule.meaning == "when available_margin < 100; clear_when available_margin > 120; for 1m30s"
    )


def test_meaning_leaves_out_defaults() -> None:
    """Keys at their defaults are not part of a recorded meaning, so that a new key changes none."""
    assert LOW.meaning == "when available_margin < 100"


def test_policy_is_no_meaning() -> None:
    """D5: severity, channels, accounts, repeat and inhibition may change and keep the alert."""
    policy = (
        "severity",
        "accounts",
        "channels",
        "repeat",
        "inhibited_by",
        "flapping",
        "worse_by",
        "mute",
        "summary",
        "title",
        "unit",
        "resolve",
        "system",
    )
    assert FULL.meaning != LOW.meaning
    for key in policy:
        assert replace(LOW, **{key: getattr(FULL, key)}).meaning == LOW.meaning
    assert replace(LOW, name="c").meaning == LOW.meaning


@pytest.mark.parametrize(
    "key",
    ["when", "clear_when", "hold", "keep_firing_for", "at_least", "on_missing", "missing_after"],
)
def test_d5_every_key_that_says_when_an_alert_is_there_is_meaning(key: str) -> None:
    """D5: when, clear_when, for, keep_firing_for, at_least, on_missing, missing_after."""
    assert replace(LOW, **{key: getattr(FULL, key)}).meaning != LOW.meaning


def test_d5_a_meaning_is_recorded_as_text() -> None:
    """D5: in the order of the keys, so that equal meanings are equal texts."""
    assert FULL.meaning == (
        "when age > 2m; clear_when age < 1m; for 1m30s; keep_firing_for 10m; at_least 3 of 5; "
        "on_missing firing; missing_after 3m"
    )
    assert isinstance(FULL.when, Condition)


def test_a_rule_is_recorded_as_it_would_be_written() -> None:
    """Epochs hold the rules in canonical form, so a replay can read them again."""
    bare = Rule("low", parse_condition("availableMargin<1_00"))
    assert bare.written() == {
        "name": "low",
        "when": "available_margin < 100",
        "clear_when": "",
        "for": "0s",
        "keep_firing_for": "0s",
        "at_least": "",
        "severity": "warning",
        "accounts": ["*"],
        "channels": [],
        "repeat": "4h",
        "escalate": [],
        "flapping": "6 per 1h",
        "worse_by": "",
        "inhibited_by": [],
        "on_missing": "keep",
        "missing_after": "2m",
        "mute": [],
        "summary": "",
        "title": "",
        "unit": "",
        "resolve": True,
        "system": False,
    }
    assert FULL.written() == {
        "name": "low",
        "when": "age > 2m",
        "clear_when": "age < 1m",
        "for": "1m30s",
        "keep_firing_for": "10m",
        "at_least": "3 of 5",
        "severity": "critical",
        "accounts": ["main", "grid-*"],
        "channels": ["email"],
        "repeat": "",
        "escalate": [{"after": "15m", "channels": ["call"]}],
        "flapping": "2 per 30m",
        "worse_by": "12.5%",
        "inhibited_by": ["other"],
        "on_missing": "firing",
        "missing_after": "3m",
        "mute": ["night"],
        "summary": "low",
        "title": "low on {account}",
        "unit": "USDT",
        "resolve": False,
        "system": True,
    }
    assert replace(FULL, flapping=None).written()["flapping"] == ""
    assert replace(FULL, worse_by=Decimal(10)).written()["worse_by"] == "1000%"
