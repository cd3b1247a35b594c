"""Ratios compared with a percentage: in messages, in test cases and in `explain`."""

from datetime import UTC
from decimal import Decimal

import pytest

from daemon.replay.cases import ExpectedTransition, RuleTestCase, case_inputs, run_case
from daemon.replay.differences import differences
from daemon.replay.series import parse_series
from daemon.replay.session import RuleSet
from daemon.rules.recorded import read_rules
from daemon.rules.rule import Rule
from daemon.text.numbers import format_value
from daemon.types import SECOND, State
from tests.values import T0, rule


def _case(*changes: ExpectedTransition) -> RuleTestCase:
    """The margin falls from 500 to 285, while 228 more are bound and frozen."""
    fields = {
        "available_margin": "500x3 285.205595",
        "al_margin": "10x3 228",
        "al_freeze": "10x3 228",
    }
    played = {
        "main": case_inputs(
            {name: parse_series(text) for name, text in fields.items()}, T0, 5 * SECOND
        )
    }
    return RuleTestCase("a case", T0, UTC, played, frozenset({"r"}), changes or None)


@pytest.mark.parametrize(
    ("when", "news"),
    [
        ("drop(available_margin, 30s) > 30%", "drop(available_margin, 30s) 42.96% (above 30%)"),
        (
            "change(available_margin, 30s) < -30%",
            "change(available_margin, 30s) -42.96% (below -30%)",
        ),
        ("rise(al_freeze, 30s) > 12.5%", "rise(al_freeze, 30s) 2180% (above 12.5%)"),
        ("margin_usage > 70%", "margin_usage 79.94% (above 70%)"),
        ("freeze_ratio > 70%", "freeze_ratio 79.94% (above 70%)"),
        (
            "al_margin / available_margin > 70%",
            "al_margin / available_margin 79.94% (above 70%)",
        ),
        (
            "1 - al_margin / available_margin < 30%",
            "1 - al_margin / available_margin 20.06% (below 30%)",
        ),
        ("margin_usage > 0.7", "margin_usage 79.94% (above 70%)"),
        (
            "available_margin < 120% * (al_margin + al_freeze)",
            "available_margin 285.21 (below 547.2)",
        ),
    ],
)
def test_c4_messages_show_what_the_rule_says(when: str, news: str) -> None:
    """C4: value and limit as the rule has them, an amount as an amount; and the rule."""
    (post,) = run_case(_case(), RuleSet((rule("r", when),), ("phone",))).posts
    head, *lines = post.text.splitlines()
    value, limit = news.removesuffix(")").split(" (")
    assert (head, lines[0]) == (f"WARNING main: {value}", limit) or head == f"WARNING main: {news}"
    assert any(line.split(" · ")[0] == f"rule: {when}" for line in lines)


def test_c4_a_test_case_shows_a_percentage_that_can_be_written_into_it() -> None:
    """C4: What is shown of a difference, pasted into the case, is no difference any more."""
    scheme = RuleSet((rule("r", "drop(available_margin, 30s) > 30%"),), ("phone",))
    (seen,) = run_case(_case(), scheme).changes
    assert seen.shown == "42.958881%"
    written = ExpectedTransition(
        seen.at, "main", "r", State.FIRING, Decimal("0.42958881"), "42.958881%"
    )
    case = _case(written)
    assert not differences(case, run_case(case, scheme)).any


def test_c4_rules_are_recorded_with_their_percentages() -> None:
    """C4: an epoch's replay shows percentages as live; one recorded without shows ratios."""

    def judged(played: Rule) -> str:
        (change,) = run_case(_case(), RuleSet((played,), ("phone",))).changes
        return change.shown

    live = rule("r", "margin_usage > 70%", clear_when="margin_usage < 60%")
    (again,) = read_rules([live.written()])
    assert (again, again.meaning, judged(again)) == (live, live.meaning, judged(live))
    (older,) = read_rules([live.written() | {"when": "margin_usage > 0.7"}])
    assert (older, judged(older)) == (live, "0.79942331")
    assert format_value(Decimal("0.7"), None) == "0.7"
