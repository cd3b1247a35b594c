"""A rule's own words in messages: what check says of a template, and what becomes of it."""

from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.summary_template import LONGEST, NAMES, SHOWN, fill_template, template_problem
from daemon.messages.compose import compose
from daemon.messages.section import MessageItem, RenderContext
from daemon.types import (
    HOUR,
    MINUTE,
    Balances,
    DecidingComparison,
    Kind,
    Message,
    Notice,
    NoticeKey,
    NotificationFacts,
    Severity,
)
from tests.values import T0, balances, judged

KEY = NoticeKey("main", "low", 1, "phone", Kind.FIRING, 1)
FACTS = NotificationFacts(
    Severity.WARNING,
    "k3f9",
    T0,
    T0,
    T0 + 90 * MINUTE,
    judged("92.19527741"),
    Decimal("12.5"),
    balances=balances("92.5"),
)


def words(template: str, facts: NotificationFacts = FACTS) -> str:
    assert template_problem(template) is None
    text, why = fill_template(template, KEY, facts)
    assert why == ""
    return text


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("margin {available_margin:.2f} USDT", "margin 92.50 USDT"),
        ("{availableMargin}", "92.5"),
        ("{value:.2f} of {threshold}, worst {worst}", "92.20 of 100, worst 12.5"),
        (
            "{account}/{rule} [{id}] {severity}, for {firing_for}",
            "main/low [k3f9] warning, for 1 h 30 min",
        ),
        ("{al_margin:+,.0f} {margin_usage:.1%}", "+0 0.0%"),
        ("two\nlines\t{{braces}}", "two lines {braces}"),
        ("", ""),
    ],
)
def test_names_in_braces_are_filled_in(template: str, expected: str) -> None:
    """Fields in either spelling, the judged numbers, words about the alert; one line."""
    assert words(template) == expected


def test_durations_and_infinity_are_written_as_everywhere() -> None:
    """However many digits were asked for."""
    age = DecidingComparison(
        "age > 1m", "age", Decimal(90_000), Decimal(60_000), falling=False, duration=True
    )
    assert words("{value:.2f}", replace(FACTS, judged=age)) == "1 min 30 s"
    endless = Balances(Decimal(0), Decimal(1), Decimal(1), Decimal(1), Decimal(1))
    assert words("{margin_usage:.1%}", replace(FACTS, balances=endless)) == "∞"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            "{available_margn}",
            "names {available_margn}, which there is not; did you mean {available_margin}?",
        ),
        ("{margin}", "names {margin}, which there is not; did you mean {available_margin}?"),
        ("{sevrity}", "names {sevrity}, which there is not; did you mean {severity}?"),
        ("{}", f"names {{}}, which there is not; there are {', '.join(NAMES)}"),
        ("{age}", f"names {{age}}, which there is not; there are {', '.join(NAMES)}"),
        ("{account.__class__}", "names {account.__class__}, which there is not; there are "),
        ("{available_margin", "has a brace without its other one: names stand in braces, "),
        ("50} left", "has a brace without its other one: names stand in braces, "),
        (
            "{value:>999999999}",
            "has {value…} with something that is no way to write a number; there are ",
        ),
        ("{value!r}", "has {value…} with something that is no way to write a number; there are "),
        (
            "{value:{worst}}",
            "has {value…} with something that is no way to write a number; there are ",
        ),
        ("{rule:.2f}", "has {rule:.2f}, but that is a text: write {rule}"),
        ("x" * 10_000, "has 10,000 characters; 500 are read by nobody at night, write less"),
    ],
)
def test_mistakes_are_found_before_anything_fires(template: str, expected: str) -> None:
    """Each is one sentence with what to do."""
    assert (template_problem(template) or "").startswith(expected)


def test_what_is_not_known_is_named() -> None:
    """A field that the exchange did not send; a threshold of an alert without a comparison."""
    assert fill_template("{cross_un_pnl}", KEY, FACTS) == ("", "cross_un_pnl is unknown")
    assert fill_template("{threshold}", KEY, replace(FACTS, judged=None)) == (
        "",
        "threshold is unknown",
    )
    assert fill_template("{of_a_later_version}", KEY, FACTS) == (
        "",
        "of_a_later_version is unknown",
    )


@given(
    st.text("{}:.!,f%ax_ \n9é", max_size=LONGEST + 5) | st.sampled_from(NAMES).map("{{{}}}".format)
)
def test_every_template_is_refused_or_filled_in(template: str) -> None:
    """Nothing that check accepts breaks when it is needed, and nothing is endless."""
    if template_problem(template) is None:
        text, why = fill_template(template, KEY, FACTS)
        assert len(text) <= SHOWN
        assert text == " ".join(text.split())
        assert not (text and why)


def message(kind: Kind = Kind.FIRING, **facts: object) -> Message:
    told = Notice(replace(KEY, kind=kind), T0, replace(FACTS, **{"at": T0, **facts}))  # type: ignore[arg-type]
    return compose([MessageItem(told)], RenderContext(T0, UTC)).message


def test_the_words_are_the_headline_of_a_firing() -> None:
    """What was judged stands below it all the same."""
    told = message(summary="margin 92.50 USDT")
    assert told.title == "WARNING main: margin 92.50 USDT"
    assert told.body.splitlines()[0] == "available_margin 92.5"
    assert "rule: available_margin < 100" in told.body


def test_every_title_of_its_rule_has_them() -> None:
    """They are filled in anew for each; the body does not repeat them."""
    kinds = {kind: message(kind, summary="margin 92.50 USDT", at=T0 + HOUR) for kind in Kind}
    assert {kind: told.title for kind, told in kinds.items()} == {
        Kind.FIRING: "WARNING main: margin 92.50 USDT",
        Kind.REPEAT: "STILL main: margin 92.50 USDT (for 1 h)",
        Kind.WORSE: "WORSE main: margin 92.50 USDT",
        Kind.RESOLVED: "OVER main: margin 92.50 USDT (low, 1 h)",
        Kind.RETIRED: ("RETIRED main: low is no longer watched"),
        Kind.ACK: "ACK main: margin 92.50 USDT (no more reminders)",
    }
    assert not any("92.50" in told.body for told in kinds.values())


def test_what_could_not_be_filled_in_is_said() -> None:
    """The default words, and why."""
    told = message(unfilled="cross_un_pnl is unknown")
    assert told.title == "WARNING main: available_margin 92.2 (below 100)"
    assert (
        "the rule's own words could not be filled in: cross_un_pnl is unknown"
        in told.body.splitlines()
    )


def test_long_words_give_way_to_the_value_in_a_title() -> None:
    """They stand whole in the text."""
    told = message(summary="add margin, " * 10)
    assert told.title == "WARNING main: available_margin 92.2 (below 100)"
    assert told.body.startswith("add margin, add margin,")
