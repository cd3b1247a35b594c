"""What the section of one alert says, and what it leaves to the headline and to others."""

from dataclasses import replace
from decimal import Decimal

import pytest

from daemon.messages.section import MessageItem
from daemon.types import (
    HOUR,
    MINUTE,
    SECOND,
    Balances,
    DecidingComparison,
    Kind,
    Severity,
    Step,
    Trend,
)
from tests.messages.news import QUIET, notice, said, text
from tests.values import T0, balances, judged


@pytest.mark.parametrize(
    ("side", "worst", "expected"),
    [
        (judged("130", "50"), "45", "lowest 45 USDT"),
        (judged("3", "50", falling=False, field="al_freeze"), "60", "highest 60 USDT"),
        (replace(judged("0", "0"), directed=False), "9", "worst 9 USDT"),
        (
            DecidingComparison(
                "time_to(available_margin, 0, 30m) < 1h",
                "time_to(available_margin, 0, 30m)",
                Decimal(2 * HOUR),
                Decimal(HOUR),
                falling=True,
                duration=True,
            ),
            str(9 * MINUTE),
            "shortest 9 min",
        ),
        (
            DecidingComparison(
                "age > 2m", "age", Decimal(0), Decimal(120_000), falling=False, duration=True
            ),
            str(9 * MINUTE),
            "longest 9 min",
        ),
    ],
    ids=["low", "high", "no direction", "short", "long"],
)
def test_the_worst_value_is_named_by_its_side(
    side: DecidingComparison, worst: str, expected: str
) -> None:
    """A person reads at once whether it was a low or a high; a duration has its own unit."""
    end = notice(Kind.RESOLVED, judged=side, worst=Decimal(worst), unit="USDT")
    assert expected in text(MessageItem(end)).splitlines()


def test_a_field_that_did_not_move_shows_no_change() -> None:
    """Zeros are noise on a phone."""
    assert "frozen 0\n" in text(MessageItem(notice(changes={"al_freeze": Decimal(0)})))


def test_a_change_that_adds_nothing_is_not_said() -> None:
    """Of equal changes the one over the shortest time is told; a step needs no change like it."""
    moved = {"available_margin": Decimal(-300)}
    fell = notice(minutely=moved, changes=moved, hourly={"available_margin": Decimal(-310)})
    assert text(MessageItem(fell)).splitlines()[1] == (
        "available_margin -300 in 1 min, -310 in 1 h"
    )
    crash = Step(Decimal("345.2"), T0 - 40 * SECOND, Decimal("45.2"), T0)
    stepped = replace(fell, facts=replace(fell.facts, trend=Trend(crash)))
    step = "345.2 at 10:59:20 -> 45.2 at 11:00:00: -300 in 40 s"
    assert text(MessageItem(stepped)).splitlines()[1:3] == [
        step,
        "available_margin -310 in 1 h",
    ]
    alone = replace(stepped, facts=replace(stepped.facts, hourly={}))
    assert text(MessageItem(alone)).splitlines()[1:3] == [step, "in positions 0"]


def test_after_a_start_the_changes_say_their_true_span() -> None:
    """Ten minutes are not known after four."""
    young = notice(span=4 * MINUTE)
    assert "available_margin -54.8 in 4 min" in text(MessageItem(young))
    younger = notice(span=40 * SECOND, minutely={"available_margin": Decimal("-54.8")})
    assert "available_margin -54.8 in 40 s" in text(MessageItem(younger))


def test_the_fields_of_an_account_stand_once_and_are_its_latest() -> None:
    """Of an account with several alerts the first section has them, of the last news there is."""
    end = notice(
        Kind.RESOLVED,
        rule="gone",
        at=T0 + MINUTE,
        judged=judged("130", "50"),
        balances=balances("130"),
    )
    other = MessageItem(notice(account="grid", severity=Severity.WARNING))
    items = (MessageItem(notice()), MessageItem(end), other)
    first, grid, over = text(*items, now=T0 + 30 * SECOND).split("\n\n")
    assert first.splitlines()[1:5] == [
        "at 11:01:00:",
        "available_margin 130",
        "in positions 0",
        "frozen 0",
    ]
    assert "available_margin -54.8 in 10 min" in grid
    assert ["in positions" in each for each in (first, grid, over)] == [True, True, False]


def test_how_a_field_moved_is_told_once() -> None:
    """Two alerts about one field, from one reading: the step and the finding stand in the first."""
    crash = Step(Decimal(300), T0 - 5 * SECOND, Decimal("45.2"), T0)
    two = [
        MessageItem(notice(rule=rule, trend=Trend(crash), unconfirmed=True)) for rule in ("a", "b")
    ]
    body = text(*two)
    assert body.count("300 at 10:59:55 -> 45.2 at 11:00:00") == 1
    assert body.count("the exchange's answer looked wrong") == 1


def test_fields_that_are_old_say_so() -> None:
    """Promise 10: what was read before the exchange went silent, or before a message waited."""
    blind = notice(Kind.REPEAT, at=T0 + MINUTE, read_at=T0)
    for message in (
        text(MessageItem(blind), now=T0 + MINUTE),
        text(MessageItem(notice()), now=T0 + 2 * MINUTE),
    ):
        lines = message.splitlines()
        assert "last known 11:00:00, may be different now:" in lines
        assert "in positions 0" in lines
        assert "10 min" not in message
    assert "(for 1 min, below 50, at 11:00:00)" in text(MessageItem(blind), now=T0 + MINUTE)
    unread = ["no readings for 1 min", "look into the exchange's own app if this lasts"]
    assert set(unread) <= set(text(MessageItem(blind), now=T0 + MINUTE).splitlines())
    fresh = notice(Kind.REPEAT, at=T0 + 10 * SECOND, read_at=T0)
    assert "(for 10 s, below 50)" in text(MessageItem(fresh), now=T0 + 10 * SECOND)
    assert "no readings" not in text(MessageItem(fresh), now=T0 + 10 * SECOND)


def test_free_margin_is_called_an_estimate() -> None:
    """DESIGN §2: messages that use it say so."""
    assert "cautious estimate" in text(MessageItem(notice(judged=judged("5", field="free_margin"))))


def test_equity_is_called_an_estimate() -> None:
    """Nobody knows whether its parts overlap, so messages that use it say so."""
    said = text(MessageItem(notice(judged=judged("5", field="equity"))))
    assert "equity is an estimate: available_usdt, al_margin and al_freeze added up" in said


def test_age_is_a_duration() -> None:
    """`age` is shown as a duration, its threshold too."""
    stale = DecidingComparison("age > 2m", "age", Decimal(150_000), Decimal(120_000), falling=False)
    said = text(MessageItem(notice(judged=stale)))
    assert said.startswith("BLIND main: no readings for 2 min 30 s · margin-critical\n")
    assert "rule: age > 2m" in said


def test_an_endless_age_is_shown_as_such() -> None:
    """∞ stays ∞: the account was never read."""
    stale = DecidingComparison(
        "age > 2m", "age", Decimal("Infinity"), Decimal(120_000), falling=False
    )
    shown = text(MessageItem(notice(judged=stale)))
    assert shown.startswith("BLIND main: no readings so far · margin-critical\n")


def test_what_is_not_known_is_not_shown() -> None:
    """Missing fields have no line, a missing threshold no words; unknown values say so."""
    bare = notice(judged=None, worst=None, balances=Balances(), changes={})
    assert text(MessageItem(bare)).splitlines() == [
        "CRITICAL main: margin-critical fires",
        *QUIET,
        "alert k3f9 · since 11:00:00",
    ]
    unknown = DecidingComparison("a < b", "available_margin", None, None, falling=True)
    said = text(MessageItem(notice(judged=unknown)))
    assert said.startswith("CRITICAL main: available_margin unknown · margin-critical\n")
    assert "rule: a < b" in said


def test_a_computed_limit_stands_in_the_line_for_the_curious() -> None:
    """The rule's text has no number then, and a title may have no room for it."""
    share = replace(judged("45.2", "75.123"), text="available_margin < 15% * available_usdt")
    long = notice(Kind.ACK, judged=share)
    assert "rule: available_margin < 15% * available_usdt (limit 75.12) · " in text(
        MessageItem(long)
    )
    assert "(limit" not in text(MessageItem(notice(judged=share)))


def test_a_value_that_no_field_and_no_headline_has_is_said() -> None:
    """A rule's own words may leave out what it judges; with the limit, and the unit."""
    step = judged("759", "500", falling=False, field="delta(available_margin, 1m)")
    own = notice(judged=step, title="deposit", unit="USDT")
    assert "delta(available_margin, 1m) 759 USDT (above 500)" in text(MessageItem(own))
    even = notice(judged=replace(step, threshold=None), title="deposit")
    assert "delta(available_margin, 1m) 759\n" in text(MessageItem(even))
    parts = notice(judged=judged("45.2", field="available_usdt"), title="low")
    assert "available_usdt 45.2 (below 100)" in text(MessageItem(parts))


def test_a_unit_stands_behind_the_value() -> None:
    """In title and text, not behind limits, changes and fields."""
    worse = notice(Kind.WORSE, unit="USDT", told=Decimal(60), worst=Decimal(40))
    assert said([MessageItem(worse)], T0).title == (
        "WORSE main: available_margin 45.2 USDT (was 60, below 50)"
    )
    assert "lowest 40 USDT" in text(MessageItem(worse))


def test_worse_says_first_how_it_moved_since_last_told() -> None:
    """Below the title, where a locked phone shows it; a step from that very value says more."""
    worse = notice(Kind.WORSE, at=T0 + MINUTE, told=Decimal(60), told_at=T0 - MINUTE)
    since = "60 -> 45.2 since last told at 10:59:00"
    assert text(MessageItem(worse), now=T0 + MINUTE).splitlines()[1] == since
    crash = Step(Decimal(60), T0, Decimal("45.2"), T0 + MINUTE)
    stepped = replace(worse, facts=replace(worse.facts, trend=Trend(crash)))
    assert since not in text(MessageItem(stepped), now=T0 + MINUTE)
    other = replace(crash, before=Decimal(90))
    stepped = replace(worse, facts=replace(worse.facts, trend=Trend(other)))
    assert since in text(MessageItem(stepped), now=T0 + MINUTE)
    unknown = replace(worse, facts=replace(worse.facts, judged=judged(None, "50")))
    assert "since last told" not in text(MessageItem(unknown), now=T0 + MINUTE)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ((Kind.WORSE, Kind.RESOLVED), "you are still told if it gets worse and when it ends"),
        ((Kind.RESOLVED,), "you are still told when it ends"),
        ((), ""),
    ],
)
def test_e1_an_ack_says_what_is_still_told(told: tuple[Kind, ...], sentence: str) -> None:
    """E1: what its rule tells, and nothing that it does not."""
    acked = text(MessageItem(notice(Kind.ACK, still_told=told)))
    assert [line for line in acked.splitlines() if "still told" in line] == [sentence][: len(told)]


def test_a_mail_shows_all_fields_and_tears_no_duration_apart() -> None:
    """Its table has room for the value of the title; `in 10 min` stays on one line."""
    message = said([MessageItem(notice())], T0)
    assert "<b>45.2</b>" in message.html
    assert "in\u00a010\u00a0min" in message.html
    assert "45.2" not in message.body.splitlines()[0]
    alone = notice(balances=Balances(available_margin=Decimal("45.2")), changes={})
    assert "<b>45.2</b>" not in said([MessageItem(alone)], T0).html


def test_the_mail_has_no_bar_without_words() -> None:
    """A title may tell all; a coloured edge beside nothing would be a riddle."""
    message = said([MessageItem(notice(Kind.REPEAT, worst=None))], T0)
    assert "border-left" not in message.html
    assert "border-left" in said([MessageItem(notice(unconfirmed=True))], T0).html


def test_a_title_of_a_rule_stands_in_all_its_titles() -> None:
    """In place of the value; its summary stands in the text then."""
    own = {"title": "almost nothing left", "summary": "add margin on main"}
    for kind, title in {
        Kind.FIRING: "CRITICAL main: almost nothing left",
        Kind.REPEAT: "STILL main: almost nothing left (for 0 ms)",
        Kind.WORSE: "WORSE main: almost nothing left",
        Kind.ACK: "ACK main: almost nothing left (no more reminders)",
        Kind.RESOLVED: "OVER main: almost nothing left (margin-critical, 0 ms)",
    }.items():
        message = said([MessageItem(notice(kind, **own))], T0)
        assert message.title == title
        assert ("add margin on main" in message.body.splitlines()) is (kind is not Kind.RESOLVED)
