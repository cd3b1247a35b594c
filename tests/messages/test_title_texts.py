"""Headlines of all news beyond firing and end: SEMANTICS D4, D7, E1, E2, E4."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.system_rules import KINDS
from daemon.messages.compose import compose, pair
from daemon.messages.section import MessageItem, RenderContext
from daemon.messages.title_fitting import TITLE
from daemon.notifiers.services import encoded, escaped, utf16
from daemon.types import (
    FLAPPING,
    HOUR,
    MINUTE,
    SECOND,
    Balances,
    DecidingComparison,
    FlapRange,
    Kind,
    Late,
    Message,
    Millis,
    Notice,
    NoticeKey,
    NotificationFacts,
    Severity,
)
from tests.values import T0, balances, judged

FACTS = NotificationFacts(
    severity=Severity.WARNING,
    code="k3f9",
    since=T0,
    fired_at=T0,
    at=T0,
    judged=judged("45"),
    worst=Decimal(45),
    balances=Balances(available_margin=Decimal(45)),
)
SILENT = DecidingComparison(
    "on_missing after 2m", "age", Decimal(130_000), Decimal(120_000), falling=False, duration=True
)
SWINGS = FlapRange(7, Decimal(42), Decimal(130))


def notice(
    kind: Kind = Kind.FIRING, rule: str = "low", account: str = "main", **facts: object
) -> Notice:
    changed = replace(FACTS, **facts)  # type: ignore[arg-type]
    return Notice(NoticeKey(account, rule, 1, "telegram", kind, 1), changed.at, changed)


def composed(items: Sequence[MessageItem], now: Millis) -> Message:
    """As a channel gets it that shows no title: with whole headlines."""
    return compose(items, RenderContext(now, UTC, titled=False)).message


def said(one: Notice, **item: object) -> Message:
    return composed([MessageItem(one, **item)], one.at)  # type: ignore[arg-type]


def headline(one: Notice) -> str:
    """The first line of the news, wherever it stands."""
    both = composed(
        [MessageItem(one), MessageItem(replace(one, key=replace(one.key, alert_seq=2)))], one.at
    )
    return both.body.splitlines()[0]


def lines(one: Notice) -> list[str]:
    return said(one).body.splitlines()


def test_e1_worse_names_both_values() -> None:
    """E1: what it is, and what was last told; in the title too where there is room."""
    worse = notice(Kind.WORSE, told=Decimal(60), worst=Decimal(44))
    assert said(worse).title == "WORSE main: available_margin 45 (was 60, below 100)"
    assert "lowest 44" in lines(worse)
    long = notice(Kind.WORSE, account="my-trading-desk", told=Decimal("60.123"))
    assert said(long).title == "WORSE my-trading-desk: available_margin 45 (below 100)"
    assert (
        lines(long)[0] == "WORSE my-trading-desk: available_margin 45 (was 60.12, below 100) · low"
    )


def test_e1_worse_than_something_unknown() -> None:
    """E1: nothing is made up where it was not recorded."""
    assert headline(notice(Kind.WORSE)) == "WORSE main: available_margin 45 (below 100) · low"


def test_d4_missing_readings_are_no_field() -> None:
    """D4: it says that there are no readings, for how long, and why the last attempt gave none."""
    gone = notice(
        judged=SILENT, worst=Decimal(130_000), reason="missing", detail="no answer within 10 s"
    )
    assert said(gone).title == "BLIND main: no readings for 2 min 10 s"
    assert lines(gone)[0] == "BLIND main: no readings for 2 min 10 s · low"
    assert lines(gone)[1] == "no answer within 10 s"
    assert lines(gone)[-2:] == [
        "alert k3f9 · warning · since 11:00:00",
        "rule: on_missing after 2m",
    ]
    assert "look into the exchange's own app if this lasts" in lines(gone)
    still = replace(SILENT, value=Decimal(14_530_000))
    assert (
        headline(notice(Kind.REPEAT, judged=still)) == "STILL main: no readings for 4 h 2 min · low"
    )
    worse = notice(Kind.WORSE, judged=still, told=Decimal(130_000))
    assert headline(worse) == "WORSE main: no readings for 4 h 2 min (was 2 min 10 s) · low"


@pytest.mark.parametrize("reason", ["back", "cleared"])
def test_what_was_the_matter_is_over_with_the_alert(reason: str) -> None:
    """D4, D7: an end does not say that something fails, or cannot be judged."""
    over = notice(
        Kind.RESOLVED,
        judged=judged("500"),
        reason=reason,
        detail="CoinW failed to answer: asking again",
    )
    assert "asking again" not in said(over).body


def test_d7_how_long_something_lasts_is_seen_up_to_its_limit_only() -> None:
    """D7: 15 minutes are no worst value of what has lasted for hours, nor what it is worth now."""
    limit = Decimal(900_000)
    unknown = DecidingComparison(
        "rule_unknown >= 15m", "rule_unknown", limit, limit, falling=False, duration=True
    )
    still = notice(
        Kind.REPEAT,
        "rule-unknown",
        judged=unknown,
        worst=limit,
        detail="the rule pnl cannot be judged",
    )
    assert "15 min" not in said(still).body
    assert "the rule pnl cannot be judged" in said(still).body


def test_d4_the_rules_own_words_stand_below_a_headline_that_has_others() -> None:
    """D4: of an account that is blind the first thing to know is that it is."""
    gone = notice(judged=SILENT, worst=None, summary="look at the server in the cellar")
    assert lines(gone)[:2] == [
        "BLIND main: no readings for 2 min 10 s · low",
        "look at the server in the cellar",
    ]


def test_a_limit_that_reads_as_its_value_is_not_said() -> None:
    """Durations are spelled in two units: `1 h (above 1 h)` would tell nothing."""
    hour = Decimal(HOUR)
    text = "time_to(available_margin, 900, 30m) > 1h"
    slow = DecidingComparison(text, "time_to", hour + 1, hour, falling=False, duration=True)
    assert headline(notice(judged=slow)).startswith("WARNING main: time_to 1 h · low")


def test_a_limit_without_a_direction_is_what_the_value_is_not() -> None:
    """`al_freeze != 0` has neither above nor below."""
    odd = DecidingComparison(
        "al_freeze != 0", "al_freeze", Decimal(9), Decimal(0), falling=False, directed=False
    )
    assert headline(notice(judged=odd)) == "WARNING main: al_freeze 9 (not 0) · low"


def test_a_value_on_its_limit_names_the_limit_once() -> None:
    """`<=` fires there: neither below nor above; without a direction it adds nothing."""
    on = judged("50", "50")
    assert headline(notice(judged=on)) == "WARNING main: available_margin 50 (limit 50) · low"
    even = replace(on, directed=False)
    assert headline(notice(judged=even)) == "WARNING main: available_margin 50 · low"


def test_d4_readings_are_back_and_low() -> None:
    """D4: low or high, as the condition goes."""
    back = notice(reason="back", judged=judged("87"))
    assert said(back).title == "WARNING main: available_margin 87 (below 100)"
    assert (
        lines(back)[0] == "WARNING main: available_margin 87 (readings are back, below 100) · low"
    )
    high = judged("9", "5", falling=False, field="al_freeze")
    assert (
        said(notice(reason="back", judged=high)).title
        == "WARNING main: al_freeze 9 (readings are back, above 5)"
    )
    assert headline(notice(reason="back", judged=None)).endswith("low fires (readings are back)")


def test_d4_readings_that_are_back_are_not_called_resolved() -> None:
    """D4: readings that are back do not say that the trouble is over."""
    back = notice(
        Kind.RESOLVED, reason="back", at=T0 + 12 * MINUTE, judged=judged("300"), worst=None
    )
    why = "low fired for 12 min as there were no readings"
    title = "BACK main: available_margin 300"
    assert said(back).title == f"{title} (above 100)"
    assert headline(back) == f"{title} ({why}, readings are back, above 100)"
    assert "alert k3f9 · warning · 11:00:00 to 11:12:00" in lines(back)
    assert "rule: available_margin < 100" in lines(back)


def test_d4_readings_that_are_back_say_where_the_value_stands() -> None:
    """D4: it may be as bad as before, on either side of its limit, or be no number."""

    def title(side: DecidingComparison | None) -> str:
        return said(notice(Kind.RESOLVED, reason="back", judged=side)).title

    assert title(judged("40")).endswith("available_margin 40 (still below 100)")
    high = judged("40", "5", falling=False, field="al_freeze")
    assert title(high).endswith("al_freeze 40 (readings are back, still above 5)")
    assert title(replace(high, value=Decimal(3))).endswith(
        "al_freeze 3 (readings are back, below 5)"
    )
    even = judged("100")
    assert title(replace(even, directed=False)).endswith("available_margin 100 (readings are back)")
    assert title(None).startswith("BACK main: readings are back")


def test_d4_what_is_no_longer_judged_is_not_called_resolved() -> None:
    """D4: on_missing = "ok"."""
    ended = notice(Kind.RESOLVED, reason="missing", at=T0 + MINUTE)
    assert said(ended).title == "BLIND main: no readings, low is no longer judged"
    assert lines(ended)[0] == "BLIND main: no readings, low is no longer judged"
    assert "OVER" not in said(ended).body + said(ended).title
    assert (
        lines(ended)[1]
        == "the alert was closed as there are no readings, NOT because it got better"
    )
    why = replace(ended, facts=replace(ended.facts, detail="no answer within 10 s"))
    assert "no answer within 10 s" in lines(why)


@pytest.mark.parametrize(
    ("facts", "word", "end"),
    [
        ({}, "OVER", "fired 11:00:00, cleared 11:09:00"),
        ({"reason": "missing"}, "BLIND", "fired 11:00:00, no longer judged since 11:09:00"),
        ({"reason": "back"}, "BACK", "fired 11:00:00, readings back 11:09:00"),
        (
            {"swings": SWINGS, "reason": "calm"},
            "CALM",
            "flapping since 11:00:00, calm since 11:09:00",
        ),
    ],
    ids=["cleared", "missing", "back", "flapping"],
)
def test_promise_3_an_account_of_both_tells_how_it_ended(
    facts: dict[str, Any], word: str, end: str
) -> None:
    """Promise 3, D4: what ended because nobody knows was not cleared."""
    over = notice(Kind.RESOLVED, at=T0 + 9 * MINUTE, **facts)
    assert (
        f"{word} main: low {end}"
        in composed(pair([MessageItem(notice()), MessageItem(over)]), over.at).body
    )
    retired = notice(Kind.RETIRED, at=T0 + 9 * MINUTE, **facts)
    text = composed(pair([MessageItem(notice()), MessageItem(retired)]), over.at).body
    assert "watched no longer since 11:09:00" in text


# Flapping.


def flapping(kind: Kind = Kind.FIRING, **facts: Any) -> Notice:
    return notice(
        kind, "low" + FLAPPING, **{"swings": SWINGS, "worst": None, "at": T0 + HOUR, **facts}
    )


def test_e4_flapping_tells_count_span_and_range() -> None:
    """E4: of the rule by its plain name, and whether it fires at this moment."""
    assert said(flapping()).title == "FLAPPING main: low fired 7 times in 1 h (between 42 and 130)"
    assert lines(flapping())[0] == "FLAPPING main: low fired 7 times in 1 h (between 42 and 130)"
    assert "firing now" in lines(flapping(detail="firing now"))
    outlook = "from now on not each firing is told, until it is calm"
    assert outlook in lines(flapping())
    assert outlook not in lines(flapping(Kind.REPEAT))
    assert ":flapping" not in said(flapping()).body + said(flapping()).title
    short = flapping(swings=FlapRange(7, Decimal(2), Decimal(9)), at=T0 + 40 * SECOND)
    assert said(short).title == "FLAPPING main: low fired 7 times in 40 s (between 2 and 9)"
    long = flapping(severity=Severity.CRITICAL, swings=FlapRange(7, None, None))
    assert said(replace(long, key=replace(long.key, account="a" * 29))).title.endswith(
        "a: fired 7 times in 1 h"
    )


def test_e4_a_range_that_is_not_known_is_left_out() -> None:
    """E4: episodes of missing readings have no values."""
    assert (
        headline(flapping(swings=FlapRange(7, None, None)))
        == "FLAPPING main: low fired 7 times in 1 h"
    )


def test_e4_durations_in_a_range_are_spelled() -> None:
    """E4: of a rule that judges a duration."""
    swings = FlapRange(3, Decimal(130_000), Decimal(900_000))
    stale = DecidingComparison(
        "age > 2m", "age", Decimal(130_000), Decimal(120_000), falling=False, duration=True
    )
    assert headline(flapping(judged=stale, swings=swings)).endswith(
        " (between 2 min 10 s and 15 min)"
    )


def test_e4_a_range_of_one_value_is_a_value() -> None:
    """E4: all of its episodes were judged by the same number."""
    one = FlapRange(3, Decimal(5), Decimal("5.00"))
    assert headline(flapping(swings=one)) == "FLAPPING main: low fired 3 times in 1 h (at 5)"
    assert headline(flapping(Kind.WORSE, swings=one)) == "WORSE main: low flaps, 3 times (now at 5)"


def test_e4_a_wider_range_is_still_flapping() -> None:
    """E4: the new range, and how often by now."""
    wider = flapping(Kind.WORSE, swings=FlapRange(9, Decimal(30), Decimal(130)), told=Decimal(45))
    assert headline(wider) == "WORSE main: low flaps, 9 times (now between 30 and 130)"
    again = flapping(Kind.REPEAT)
    assert headline(again) == "STILL main: low flaps, 7 times (between 42 and 130)"


def test_e4_an_acknowledgement_of_flapping_says_of_what() -> None:
    """E4: its value would be that of one episode."""
    assert headline(flapping(Kind.ACK, detail="noted by anna")) == (
        "ACK main: low flaps (noted by anna, no more reminders)"
    )


@pytest.mark.parametrize(("detail", "value"), [("firing now", "45"), ("not firing now", "500")])
def test_e4_the_end_of_flapping_tells_the_present_state(detail: str, value: str) -> None:
    """E4: it may still fire, so it is not called resolved."""
    end = flapping(Kind.RESOLVED, reason="calm", detail=detail, judged=judged(value))
    assert said(end).title == f"CALM main: {detail}, available_margin {value}"
    assert headline(end) == f"CALM main: {detail}, available_margin {value} (low no longer flaps)"
    unknown = flapping(Kind.RESOLVED, detail=detail, judged=None)
    assert said(unknown).title == f"CALM main: {detail} (low no longer flaps)"


def test_e4_news_of_flapping_that_comes_late() -> None:
    """E2, E4, E5: "muted until now", a new channel, and a firing after the flapping."""
    assert headline(flapping(late=Late.MUTED)).endswith(
        " (since 11:00:00, muted until now, between 42 and 130)"
    )
    assert headline(flapping(late=Late.NEW_CHANNEL)).endswith(
        " (since 11:00:00, between 42 and 130)"
    )
    still = notice(late=Late.FLAPPING)
    assert (
        headline(still) == "WARNING main: available_margin 45"
        " (since 11:00:00, no longer flapping, below 100) · low"
    )
    assert said(still).title == "WARNING main: available_margin 45 (below 100)"
    handed = notice(late=Late.HANDED_OVER)
    assert headline(handed) == "WARNING main: available_margin 45 (below 100) · low"


# System rules.


def sign(field: str, value: str, threshold: str, *, duration: bool) -> DecidingComparison:
    return DecidingComparison(
        f"{field} >= {threshold}",
        field,
        Decimal(value),
        Decimal(threshold),
        falling=False,
        duration=duration,
    )


REFUSED = sign("key_refused", "1", "1", duration=False)
SKEW = sign("clock_skew", "45000", "30000", duration=True)


def test_d7_a_refused_key_is_told_in_words() -> None:
    """D7: never as `key_refused == 1`; the exchange's own reason is the news where it is short."""
    refused = notice(
        rule="key-refused", judged=REFUSED, worst=Decimal(1), severity=Severity.CRITICAL
    )
    assert said(refused).title == "CRITICAL main: the exchange refuses the key"
    assert "key_refused" not in said(refused).body
    remedy = "check the key at the exchange, and look into its own app meanwhile"
    assert remedy in lines(refused)
    assert remedy not in lines(notice(Kind.RESOLVED, "key-refused", judged=REFUSED))
    told = replace(
        refused, facts=replace(refused.facts, detail="coinw says 6000: the key is unknown")
    )
    assert headline(told) == "CRITICAL main: coinw says 6000: the key is unknown · key-refused"
    long = replace(refused, facts=replace(refused.facts, detail="a word " * 40))
    assert headline(long) == "CRITICAL main: the exchange refuses the key · key-refused"
    assert "a word a word" in said(long).body
    end = replace(refused, key=replace(refused.key, kind=Kind.RESOLVED))
    assert "worst" not in said(end).body
    assert said(end).title == "OVER main: key-refused (over after 0 ms)"


def test_d7_what_a_system_rule_measures_is_spelled() -> None:
    """D7: durations as durations, and no names of signs."""
    skew = notice(rule="clock-skew", judged=SKEW, worst=Decimal(45_000), detail="")
    assert said(skew).title == "WARNING main: the clocks of this machine and of the exchang…"
    assert lines(skew)[:2] == [
        "WARNING main: the clocks of this machine and of the exchange differ · clock-skew",
        "45 s (limit 30 s)",
    ]
    bare = replace(skew, facts=replace(skew.facts, judged=replace(SKEW, threshold=None)))
    assert lines(bare)[1] == "45 s"
    worst = replace(skew.facts, worst=Decimal(50_000))
    end = replace(skew, key=replace(skew.key, kind=Kind.RESOLVED), facts=worst)
    assert "longest 50 s" in lines(end)
    again = replace(
        skew,
        key=replace(skew.key, kind=Kind.REPEAT),
        at=T0,
        facts=replace(skew.facts, at=T0 + HOUR),
    )
    assert headline(again).endswith(
        "the clocks of this machine and of the exchange differ (for 1 h) · clock-skew"
    )


def test_d7_an_alert_of_the_daemon_itself_names_no_account() -> None:
    """D7: it is about marginwatch, and says what is wrong, since when."""
    failing = notice(
        rule="channel-failing",
        account="",
        judged=sign("channel_failing", "700000", "600000", duration=True),
        balances=Balances(),
        detail="the channel telegram fails since 03:12: the token is none",
    )
    assert headline(failing) == (
        "WARNING marginwatch: the channel telegram fails since 03:12: the token is none"
        " · channel-failing"
    )
    assert said(failing).title == "WARNING marginwatch: the channel telegram fails since 03:12…"


def test_d7_a_sign_that_no_rule_of_today_asks_for() -> None:
    """What an earlier version recorded is still told."""
    assert headline(notice(rule="gone", judged=REFUSED)) == "WARNING main: gone fires"


@pytest.mark.parametrize("rule", KINDS)
def test_d7_every_system_rule_has_its_sentence(rule: str) -> None:
    """D7: it fits into a headline."""
    assert len(KINDS[rule].sentence) <= 60
    assert headline(notice(rule=rule, judged=REFUSED)).endswith(f"{KINDS[rule].sentence} · {rule}")


# Room.


def test_e2_an_end_that_a_mute_window_held_says_so() -> None:
    """E2: it was not late."""
    end = notice(Kind.RESOLVED, reason="cleared", not_before=T0 + HOUR)
    body = composed([MessageItem(end)], T0 + HOUR).body
    assert "ended in a mute window, and held until 12:00:00" in body
    assert "late" not in body


def test_a_long_expression_is_shortened_in_the_headline_only() -> None:
    """F5: an expression can be of any length, a message cannot."""
    field = "available_margin - al_margin * 2 + al_freeze - almighty_gold * 0.5 + available_usdt"
    one = notice(judged=judged("7", field=field))
    assert headline(one) == f"WARNING main: {field[:59]}… 7 (below 100) · low"
    assert said(one).title == "WARNING main: 7 (below 100)"
    assert f"rule: {field} < 100" in lines(one)


KINDS_OF_NEWS = st.builds(
    lambda kind, facts, name: notice(kind, name, "a" * 64, **facts),
    st.sampled_from(list(Kind)),
    st.sampled_from(
        [
            {"told": Decimal("123456.12345678")},
            {"judged": SILENT, "reason": "missing", "detail": "no answer within 10 s"},
            {"reason": "back"},
            {"swings": SWINGS, "detail": "not firing now"},
            {"swings": SWINGS, "late": Late.MUTED},
            {"judged": REFUSED, "detail": "x" * 120},
            {"judged": SKEW, "detail": "x" * 5_000},
            {"judged": None},
            {"judged": judged("1", field="f" * 900)},
            {"late": Late.FLAPPING, "balances": balances("5")},
        ],
    ),
    st.text("rRüß_", min_size=64, max_size=64),
)


WEIGHERS: st.SearchStrategy[Callable[[str], int]] = st.sampled_from([len, utf16, escaped, encoded])


@given(st.lists(KINDS_OF_NEWS, min_size=1, max_size=15), st.integers(1_600, 4_000), WEIGHERS)
def test_f5_every_headline_of_every_news_is_in_a_text(
    notices: list[Notice], room: int, weigh: Callable[[str], int]
) -> None:
    """F5: no headline is cut and no text too long; the rest is another message."""
    waiting = [MessageItem(one) for one in notices]
    while waiting:
        composed_message = compose(waiting, RenderContext(T0, UTC, room=room, weigh=weigh))
        assert len(composed_message.message.title) <= TITLE
        assert weigh(composed_message.message.title) + weigh(composed_message.message.body) < room
        assert all(
            headline(item.notice) in composed_message.message.body for item in composed_message.told
        )
        assert composed_message.told
        waiting = (
            waiting[:0]
            if set(map(id, waiting)) == set(map(id, composed_message.told))
            else _rest(waiting, composed_message.told)
        )


def _rest(waiting: list[MessageItem], told: tuple[MessageItem, ...]) -> list[MessageItem]:
    gone = set(map(id, told))
    return [item for item in waiting if id(item) not in gone]
