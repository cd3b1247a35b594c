"""Trends in messages, replayed from series as `rules test` does."""

import re
from datetime import UTC
from decimal import Decimal

import pytest

from daemon.replay.cases import RuleTestCase, case_inputs, run_case
from daemon.replay.series import parse_series
from daemon.replay.session import RuleSet
from daemon.rules.rule import Rule
from daemon.types import MINUTE, SECOND, Kind, Severity
from tests.values import T0, rule

CRITICAL = rule(
    "margin-critical",
    "available_margin < 50",
    clear_when="available_margin > 60",
    severity=Severity.CRITICAL,
    repeat=3 * MINUTE,
)
LOW = rule(
    "low-margin",
    clear_when="available_margin > 120",
    inhibited_by=("margin-critical",),
    repeat=3 * MINUTE,
)
FALLING = rule("low-margin", worse_by=Decimal("0.25"))
FREEZE = rule("freeze", "al_freeze > 200", clear_when="al_freeze < 50", repeat=MINUTE)

FORETOLD = re.compile(r".*(?:a minute|at this pace|back at|rising|falling).*")
STEP = re.compile(r".* -> .*")


def _lines(text: str, pattern: re.Pattern[str]) -> list[str]:
    return [line for line in text.splitlines() if pattern.fullmatch(line)]


def _told(*rules: Rule, **fields: str) -> list[tuple[Kind, str]]:
    """Messages about fields read every five seconds, by their first notice."""
    played = {
        "main": case_inputs(
            {name: parse_series(text) for name, text in fields.items()}, T0, 5 * SECOND
        )
    }
    case = RuleTestCase("a case", T0, UTC, played, frozenset(each.name for each in rules))
    return [
        (post.news[0].kind, post.text) for post in run_case(case, RuleSet(rules, ("phone",))).posts
    ]


@pytest.mark.parametrize(
    ("margin", "kind", "step"),
    [
        pytest.param(
            "500x20 40x60",
            Kind.FIRING,
            "500 at 11:01:35 -> 40 at 11:01:40: -460 in 5 s",
            id="one drop",
        ),
        pytest.param("500x20 40x60", Kind.REPEAT, "", id="flat for three minutes since"),
        pytest.param(
            "60x10 400x80 90",
            Kind.FIRING,
            "400 at 11:07:25 -> 90 at 11:07:30: -310 in 5 s",
            id="topped up, then a crash",
        ),
        pytest.param(
            "130x60 400x60 90",
            Kind.FIRING,
            "400 at 11:09:55 -> 90 at 11:10:00: -310 in 5 s",
            id="raised, then one step",
        ),
        pytest.param(
            "354x10 154 94",
            Kind.FIRING,
            "354 at 11:00:45 -> 94 at 11:00:55: -260 in 10 s",
            id="in two steps",
        ),
        pytest.param(
            "500 354x100 154 93 45 50 55 60x5 65 71x30",
            Kind.REPEAT,
            "",
            id="recovered to 71 and flat since",
        ),
        pytest.param("500x20 90x20 91x30", Kind.REPEAT, "", id="flat but for one step of 1 up"),
    ],
)
def test_the_step_is_the_news_and_nothing_is_foretold_of_it(
    margin: str, kind: Kind, step: str
) -> None:
    """C7: a crash is told as a step with its time, without a pace; constant fields are left out."""
    texts = [text for each, text in _told(CRITICAL, LOW, available_margin=margin) if each is kind]
    assert texts
    assert _lines(texts[-1], FORETOLD) == []
    assert _lines(texts[-1], STEP) == ([step] if step else [])


def test_what_gets_worse_again_is_told_as_the_largest_step() -> None:
    """C7: while the margin falls in three steps, no message says that it rises or is back soon."""
    worse = [
        text
        for kind, text in _told(FALLING, available_margin="60x30 354x90 154 94 94 52")
        if kind is Kind.WORSE
    ]
    assert len(worse) == 1
    assert _lines(worse[0], FORETOLD) == []
    assert _lines(worse[0], STEP) == [
        "94 -> 52 since last told at 11:10:05",
        "354 at 11:09:55 -> 52 at 11:10:15: -302 in 20 s",
    ]


def test_what_gets_worse_upward_is_never_told_as_falling() -> None:
    """C7: a frozen amount fires with its step; while it falls but is above, no message calms."""
    told = dict(
        _told(FREEZE, al_freeze="0x5 500x3 490 480 470 460 450 440 430 420 410 400 390 380 370 360")
    )
    assert _lines(told[Kind.FIRING], STEP) == ["0 at 11:00:20 -> 500 at 11:00:25: +500 in 5 s"]
    assert [_lines(text, FORETOLD) for text in told.values()] == [[], []]
