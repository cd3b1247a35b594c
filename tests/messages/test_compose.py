"""What a person reads."""

from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from itertools import combinations

import pytest

from daemon.messages.alert_section import item_section
from daemon.messages.compose import compose, pair
from daemon.messages.section import MessageItem, RenderContext
from daemon.messages.title_fitting import TITLE
from daemon.types import (
    HOUR,
    MINUTE,
    SECOND,
    FlapRange,
    Kind,
    Late,
    Millis,
    Severity,
    SteadyChange,
    Step,
    Trend,
)
from tests.hostile import HOSTILE, raw
from tests.messages.news import QUIET, notice, said, text
from tests.values import T0, judged


def test_a_firing_names_everything_a_person_needs_at_night() -> None:
    """A message has rule, account, severity, values, threshold, times, changes and the code."""
    message = said([MessageItem(notice())], T0 + SECOND)
    assert message.title == "CRITICAL main: available_margin 45.2 (below 50)"
    assert message.severity is Severity.CRITICAL
    assert message.body.splitlines() == [
        "available_margin -54.8 in 10 min",
        "in positions 0",
        "frozen 0",
        *QUIET,
        "margin-critical · alert k3f9 · since 11:00:00",
        "rule: available_margin < 50 · available_usdt 45.2, almighty_gold 0",
    ]
    assert message.commands == tuple(each.partition(": ")[2] for each in QUIET)


def test_an_end_says_how_long_it_lasted_and_the_worst_value() -> None:
    """Resolved: the value now, the worst, from when to when, how long."""
    end = notice(
        Kind.RESOLVED, at=T0 + 28 * MINUTE, judged=judged("130", "50"), worst=Decimal("12.5")
    )
    lines = text(MessageItem(end), now=T0 + 28 * MINUTE).splitlines()
    assert lines[0] == "OVER main: available_margin 130 (margin-critical, 28 min)"
    assert "lowest 12.5" in lines
    assert "alert k3f9 · critical · 11:00:00 to 11:28:00" in lines


def test_a_reminder_says_for_how_long() -> None:
    """Repeat: still firing, for how long, and the worst so far, unless that is the value."""
    again = notice(Kind.REPEAT, at=T0 + 4 * MINUTE, worst=Decimal("38.5"))
    lines = text(MessageItem(again), now=T0 + 4 * MINUTE).splitlines()
    assert lines[0] == "STILL main: available_margin 45.2 (for 4 min, below 50) · margin-critical"
    assert "lowest 38.5" in lines
    worst = replace(again, facts=replace(again.facts, worst=Decimal("45.2")))
    assert "lowest" not in text(MessageItem(worst), now=T0 + 4 * MINUTE)


def test_a_retired_alert_is_not_called_resolved() -> None:
    """D5: nobody may take it for the end of the trouble."""
    assert "no longer watched" in text(MessageItem(notice(Kind.RETIRED)))
    gone = notice(Kind.RETIRED, reason="rule_removed")
    unwarned = "you are not warned by this rule any more"
    assert unwarned in text(MessageItem(gone)).splitlines()
    changed = notice(Kind.RETIRED, reason="rule_changed")
    assert f"{unwarned}, only by the rule as it is now" in text(MessageItem(changed)).splitlines()


def test_a_headline_that_was_cut_in_the_title_stands_whole_in_the_text() -> None:
    """F5: Delivered means that the headline was in the text sent; a name that was cut is none."""
    long = "a-trading-desk-with-a-name-that-leaves-no-room-at-all"
    message = said([MessageItem(notice(account=long))], T0)
    assert message.title == "CRITICAL a-trading-desk-with-a-name-that-leaves-no-ro…: 45.2"
    assert message.body.startswith(
        f"CRITICAL {long}: available_margin 45.2 (below 50) · margin-critical\n"
    )


@pytest.mark.parametrize(
    ("item", "unsaid"),
    [
        pytest.param(MessageItem(notice()), "", id="the title says all but the rule"),
        pytest.param(MessageItem(notice(unconfirmed=True)), "", id="unconfirmed"),
        pytest.param(MessageItem(notice(Kind.WORSE, told=Decimal(60))), "", id="worse"),
        pytest.param(
            MessageItem(notice(Kind.WORSE, told=Decimal(60), unconfirmed=True)),
            "was 60",
            id="too much for a title",
        ),
        pytest.param(
            MessageItem(notice(Kind.REPEAT, fired_at=T0 - MINUTE)),
            "",
            id="a reminder",
        ),
        pytest.param(MessageItem(notice(Kind.ACK)), "", id="an ack"),
        pytest.param(MessageItem(notice(Kind.RESOLVED)), "", id="an end, whose title has the rule"),
        pytest.param(
            MessageItem(notice(late=Late.MUTED)),
            "since 11:00:00, muted until now",
            id="late",
        ),
        pytest.param(MessageItem(notice(judged=None)), "", id="no value: the title has the rule"),
    ],
)
def test_c3_a_title_is_not_said_again_below_it(item: MessageItem, unsaid: str) -> None:
    """C3, F5: title and text together lose nothing of the headline."""
    alone, whole = (
        compose([item], RenderContext(T0, UTC, titled=titled)).message for titled in (True, False)
    )
    headline, *details = whole.body.splitlines()
    assert headline.startswith(f"{alone.title.split(':')[0]}: ")
    assert "margin-critical" in headline
    if headline.endswith(" · margin-critical"):
        details = [line.replace("alert k3f9", "margin-critical · alert k3f9") for line in details]
        details = [line.replace("--margin-critical · ", "--") for line in details]
    assert alone.body.splitlines() == ([unsaid, *details] if unsaid else details)
    head = "" if not unsaid else f'font-weight:bold">{unsaid}</div>'
    assert head in alone.html
    assert alone.title.split(":")[0] not in alone.html
    assert headline.split(":")[0].split(" ", 1)[1] in whole.html


def test_c3_of_several_alerts_each_is_named_in_the_text() -> None:
    """C3: A title that counts others names only the first of them."""
    two = [MessageItem(notice(rule="low")), MessageItem(notice(rule="other"))]
    assert [each.splitlines()[0] for each in text(*two).split("\n\n")] == [
        "CRITICAL main: available_margin 45.2 (below 50) · low",
        "CRITICAL main: available_margin 45.2 (below 50) · other",
    ]
    first, other = said(two, T0).body.split("\n\n")
    assert "\nlow · alert k3f9 · since 11:00:00\n" in first
    assert other.startswith("CRITICAL main: available_margin 45.2 (below 50) · other\n")


def test_news_that_was_held_back_says_why() -> None:
    """E2, E5: muted until now, or new to this channel."""
    assert "(since 11:00:00, muted until now, below 50)" in text(
        MessageItem(notice(late=Late.MUTED))
    )
    assert "(since 11:00:00, below 50)" in text(MessageItem(notice(late=Late.NEW_CHANNEL)))


def test_promise_3_firing_and_end_arrive_as_one_account_of_both() -> None:
    """An alert that fired and ended while the channel failed is one line with both instants."""
    end = notice(Kind.RESOLVED, at=T0 + 3 * MINUTE, judged=judged("130", "50"))
    items = pair([MessageItem(end), MessageItem(notice())])
    assert len(items) == 1
    message = said(items, T0 + 9 * MINUTE)
    assert message.title == "LATE main: margin-critical is over, available_margin 130"
    assert message.body.startswith("margin-critical fired 11:00:00, cleared 11:03:00\n")
    assert message.body.endswith("\n\nlate by 9 min")


def test_f6_what_only_waited_to_be_joined_is_not_late() -> None:
    """F5, F6: a channel's `group_wait` was asked for."""
    waited = compose([MessageItem(notice())], RenderContext(T0 + 90 * SECOND, UTC, MINUTE)).message
    late = compose([MessageItem(notice())], RenderContext(T0 + 2 * MINUTE, UTC, MINUTE)).message
    assert ["late by 2 min" in message.body for message in (waited, late)] == [False, True]


def test_ends_of_other_alerts_are_not_paired() -> None:
    """Only firing and end of the same episode belong together."""
    items = pair([MessageItem(notice()), MessageItem(notice(Kind.RESOLVED, rule="other"))])
    assert [item.ended for item in items] == [None, None]


def test_what_a_person_must_know_of_a_message_is_said() -> None:
    """Marks of a repeat, of unrecorded or unconfirmed news, and of a fallback channel."""
    facts = notice(unconfirmed=True, handed_over_by="telegram")
    said = text(MessageItem(facts, maybe_repeat=True, not_recorded=True))
    for words in (
        "may be a repeat",
        "not recorded",
        "unconfirmed",
        "the channel telegram cannot be reached",
    ):
        assert words in said


def test_b5_a_message_says_unconfirmed_where_a_phone_shows_it() -> None:
    """B5: "unconfirmed" is in a short title, and beside a headline without details."""
    assert (
        compose([MessageItem(notice(unconfirmed=True))], RenderContext(T0, UTC)).message.title
        == "CRITICAL main: available_margin 45.2 (below 50, unconfirmed)"
    )
    (item,) = compose([MessageItem(notice(unconfirmed=True))], RenderContext(T0, UTC, room=1)).told
    assert "alert k3f9 · unconfirmed" in item_section(item, RenderContext(T0, UTC)).brief
    long = notice(unconfirmed=True, account="a-trading-desk")
    assert (
        compose([MessageItem(long)], RenderContext(T0, UTC)).message.title
        == "CRITICAL a-trading-desk: available_margin 45.2 (unconfirmed)"
    )


def test_the_title_keeps_the_number_when_names_are_long() -> None:
    """At most 60 characters; the limit goes first, then the field, then the rest of the name."""
    title = said([MessageItem(notice(account="a-trading-desk"))], T0).title
    assert title == "CRITICAL a-trading-desk: available_margin 45.2 (below 50)"
    title = said([MessageItem(notice(account="another-trading-desk"))], T0).title
    assert title == "CRITICAL another-trading-desk: available_margin 45.2"
    title = said([MessageItem(notice(account="another-desk-of-many-old-traders"))], T0).title
    assert title == "CRITICAL another-desk-of-many-old-traders: 45.2 (below 50)"
    title = said([MessageItem(notice(rule="r" * 64, account="a" * 64))], T0).title
    assert (len(title) <= TITLE, title.endswith("…: 45.2")) == (True, True)
    assert len(said([MessageItem(notice(rule="r" * 64, judged=None))], T0).title) <= TITLE


def test_the_most_severe_comes_first_and_the_title_counts_the_rest() -> None:
    """Several alerts are one message; what is over comes last."""
    over = MessageItem(notice(Kind.RESOLVED, rule="gone"))
    mild = MessageItem(notice(rule="mild", severity=Severity.WARNING))
    assert said([over, mild, MessageItem(notice())], T0).title.endswith(" and 2 more")
    body = text(over, mild, MessageItem(notice()))
    assert [section.splitlines()[0] for section in body.split("\n\n")] == [
        "CRITICAL main: available_margin 45.2 (below 50) · margin-critical",
        "WARNING main: available_margin 45.2 (below 50) · mild",
        "OVER main: available_margin 45.2 (gone, 0 ms)",
    ]


SAID: dict[str, MessageItem] = {
    "firing critical": MessageItem(notice()),
    "worse critical": MessageItem(notice(Kind.WORSE)),
    "reminder critical": MessageItem(notice(Kind.REPEAT)),
    "firing": MessageItem(notice(severity=Severity.WARNING)),
    "muted until now": MessageItem(notice(severity=Severity.WARNING, late=Late.MUTED)),
    "worse": MessageItem(notice(Kind.WORSE, severity=Severity.WARNING)),
    "reminder": MessageItem(notice(Kind.REPEAT, severity=Severity.WARNING)),
    "firing info": MessageItem(notice(severity=Severity.INFO)),
    "ack critical": MessageItem(notice(Kind.ACK)),
    "ack": MessageItem(notice(Kind.ACK, severity=Severity.WARNING)),
    "resolved critical": MessageItem(notice(Kind.RESOLVED)),
    "retired critical": MessageItem(notice(Kind.RETIRED)),
    "not judged": MessageItem(notice(Kind.RESOLVED, reason="missing", severity=Severity.WARNING)),
    "readings back": MessageItem(notice(Kind.RESOLVED, reason="back", severity=Severity.WARNING)),
    "calm": MessageItem(
        notice(
            Kind.RESOLVED,
            swings=FlapRange(7, None, None),
            detail="not firing now",
            severity=Severity.WARNING,
        )
    ),
    "calm, but firing": MessageItem(
        notice(
            Kind.RESOLVED,
            swings=FlapRange(7, None, None),
            detail="firing now",
            severity=Severity.WARNING,
        )
    ),
    "over": MessageItem(
        notice(severity=Severity.WARNING), ended=notice(Kind.RESOLVED, severity=Severity.WARNING)
    ),
    "unheard": MessageItem(notice(Kind.RESOLVED, severity=Severity.INFO), unheard=True),
}
"""All kinds of news, in the order in which they may share a message."""

GOOD = {
    "ack critical",
    "ack",
    "resolved critical",
    "retired critical",
    "readings back",
    "calm",
    "over",
    "unheard",
}
NEUTRAL = {"firing info", "not judged", "calm, but firing"}


def _named(what: str) -> MessageItem:
    """Item as one of a rule of its own."""
    item = SAID[what]
    key, ended = replace(item.notice.key, rule=what), item.ended
    end = None if ended is None else replace(ended, key=replace(ended.key, rule=what))
    return replace(item, notice=replace(item.notice, key=key), ended=end)


@pytest.mark.parametrize("pair_of", list(combinations(SAID, 2)), ids=" and ".join)
def test_c10_what_fires_stands_before_what_is_known_or_over(pair_of: tuple[str, str]) -> None:
    """C10: firing first in title and text, whatever came first; then by severity and age."""
    first, other = pair_of
    mild, ends = {"firing", "muted until now"}, list(SAID)[list(SAID).index("resolved critical") :]
    for items in ([_named(first), _named(other)], [_named(other), _named(first)]):
        composed_message = compose(items, RenderContext(T0, UTC))
        if set(pair_of) <= mild or set(pair_of) <= set(ends):
            continue  # equals stay in the order in which they came, or go by severity alone
        assert [item.notice.key.rule for item in composed_message.told] == [first, other]
        alone = said([_named(first)], T0).title
        assert composed_message.message.title.split(":")[0] == alone.split(":")[0]
        assert composed_message.message.title.endswith(" and 1 more")
        assert first in text(*items, now=T0).splitlines()[0]


def test_c10_an_account_stands_before_the_daemon_itself() -> None:
    """C10: Of two that fire with one severity, the title tells of the margin, not of the disk."""
    margin = _named("firing")
    own = replace(margin.notice, key=replace(margin.notice.key, rule="disk-full", account=""))
    composed_message = compose([replace(margin, notice=own), margin], RenderContext(T0, UTC))
    assert [item.notice.key.account for item in composed_message.told] == [
        margin.notice.key.account,
        "",
    ]


@pytest.mark.parametrize("what", SAID)
def test_c8_good_news_is_no_failure(what: str) -> None:
    """C8: an end, an ack and a retired alert are good, unless nobody knows or it still fires."""
    message = said([SAID[what]], T0)
    assert message.good is (what in GOOD)
    expected = Severity.INFO if what in GOOD | NEUTRAL else SAID[what].notice.facts.severity
    assert message.severity is expected


def test_c8_a_message_is_as_bad_as_the_worst_of_its_news() -> None:
    """C8: Good only where all of it is."""
    mixed = [said([_named(each), _named("over")], T0) for each in SAID if each != "over"]
    alone = [said([SAID[each]], T0) for each in SAID if each != "over"]
    assert [(each.severity, each.good) for each in mixed] == [
        (each.severity, each.good) for each in alone
    ]


def test_two_pieces_of_news_of_one_firing_are_no_end() -> None:
    """Promise 3: only an end makes an alert over; "may be a repeat" and "not recorded" stay."""
    again = MessageItem(notice(Kind.REPEAT, at=T0 + MINUTE), maybe_repeat=True, not_recorded=True)
    [item] = pair([MessageItem(notice()), again])
    assert item == MessageItem(notice(), maybe_repeat=True, not_recorded=True)


def test_what_may_be_a_repeat_says_so_for_its_end_too() -> None:
    """Promise 2: whichever of the two had an attempt without an answer."""
    end = MessageItem(notice(Kind.RESOLVED, at=T0 + MINUTE), maybe_repeat=True)
    [item] = pair([MessageItem(notice()), end])
    assert (item.ended, item.maybe_repeat) == (end.notice, True)


def test_f4_the_end_of_something_unheard_of_is_one_account_of_both() -> None:
    """E5, F4: a channel that was never told receives an end only as "fired, cleared"."""
    end = notice(Kind.RESOLVED, at=T0 + 28 * MINUTE)
    message = said(
        [MessageItem(end, unheard=True), MessageItem(notice(rule="other"))], T0 + 28 * MINUTE
    )
    assert "OVER main: margin-critical fired 11:00:00, cleared 11:28:00" in message.body


def test_a_retired_alert_was_not_cleared() -> None:
    """D5: also where firing and end are told as one."""
    end = notice(Kind.RETIRED, at=T0 + 28 * MINUTE)
    body = text(
        *pair([MessageItem(notice()), MessageItem(end)]),
        MessageItem(notice(rule="other")),
        now=T0 + 28 * MINUTE,
    )
    assert "RETIRED main: margin-critical fired 11:00:00, watched no longer since 11:28:00" in body


def test_a5_one_account_of_both_uses_one_clock() -> None:
    """A5: the clock was set in between: the end knows both instants as they are now."""
    end = notice(Kind.RESOLVED, fired_at=T0 - 20 * MINUTE, at=T0 - 10 * MINUTE)
    body = text(
        *pair([MessageItem(notice()), MessageItem(end)]), MessageItem(notice(rule="other")), now=T0
    )
    assert "fired 10:40:00, cleared 10:50:00" in body


def test_promise_2_what_may_be_a_repeat_says_so_also_without_room() -> None:
    """Details give way to headlines, but the code and "may be a repeat" stay."""
    items = [
        MessageItem(notice(rule=f"{n:02} {'x' * 60}", account="y" * 64), maybe_repeat=True)
        for n in range(12)
    ]
    sections = text(*items).split("\n\n")
    assert sections[-1].endswith(" · alert k3f9 · may be a repeat")
    assert ["may be a repeat" in section for section in sections] == [True] * 12


# What waited.


def gone(rule: str, begun: Millis, lasted: Millis, worst: str = "40", **item: bool) -> MessageItem:
    """An alert that fired and ended while its channel could not be reached."""
    fired, end = T0 + begun, T0 + begun + lasted
    first = notice(rule=rule, at=fired, fired_at=fired, since=fired)
    last = notice(
        Kind.RESOLVED, rule=rule, at=end, fired_at=fired, since=fired, worst=Decimal(worst)
    )
    key = replace(first.key, alert_seq=begun)
    facts = replace(last.facts, code=f"{begun // SECOND:04}")
    return MessageItem(
        replace(first, key=key),
        ended=replace(last, key=replace(last.key, alert_seq=begun), facts=facts),
        **item,
    )


def test_f6_what_came_and_went_is_one_line_for_each_rule_and_account() -> None:
    """F6: one line with count, times, worst value and all codes, instead of eighty messages."""
    items = [
        gone("low", 10 * MINUTE, MINUTE, "40"),
        gone("low", 0, 5 * MINUTE, "12.5"),
        gone("high", MINUTE, MINUTE),
    ]
    composed_message = compose(
        items, RenderContext(T0 + 30 * MINUTE, UTC, why_late="telegram could not be reached")
    )
    assert composed_message.message.title == "LATE main: 3 alerts, all over, first at 11:00:00"
    assert sorted(item.episode for item in composed_message.told) == sorted(
        item.episode for item in items
    )
    assert (
        composed_message.message.body.split("\n\n")[0]
        == "OVER main: low fired 2 times, cleared each time: 11:00:00 to 11:05:00, 11:10:00 to"
        " 11:11:00; worst 12.5 · alerts 0000 0600"
    )
    assert composed_message.message.body.endswith(
        "\n\nlate by up to 30 min: telegram could not be reached"
    )


def test_f6_the_title_of_what_is_over_shows_no_value_of_the_past() -> None:
    """Promise 10: at three in the morning a low number is read as the present one."""
    one, other = gone("low", 0, MINUTE), gone("low", MINUTE, MINUTE)
    assert one.ended is not None
    back = replace(
        one, ended=replace(one.ended, facts=replace(one.ended.facts, judged=judged("500", "50")))
    )
    assert said([back], T0 + HOUR).title == "LATE main: low is over, available_margin 500 (1 min)"
    joined = compose([back], RenderContext(T0 + MINUTE, UTC, MINUTE)).message
    assert joined.title == "OVER main: available_margin 500 (low, 1 min)"
    assert said([one, other], T0 + HOUR).title == "LATE main: low fired 2 times, cleared each time"
    firing = MessageItem(notice(rule="still"))
    assert (
        said([one, other, firing], T0 + HOUR).title
        == "CRITICAL main: 45.2 (below 50, at 11:00:00) and 2 more"
    )
    unseen = gone("other", 2 * MINUTE, MINUTE)
    assert unseen.ended is not None
    unseen = replace(
        unseen, ended=replace(unseen.ended, key=replace(unseen.ended.key, kind=Kind.RETIRED))
    )
    assert (
        said([one, other, unseen], T0 + HOUR).title
        == "OVER main: low fired 2 times, cleared each time and 1 more"
    )
    end = MessageItem(notice(Kind.RESOLVED, rule="told"))
    assert (
        said([end, one, other], T0 + HOUR).title
        == "OVER main: available_margin 45.2 (at 11:00:00) and 2 more"
    )


def test_promise_2_of_a_thousand_episodes_none_makes_a_message_that_no_service_takes() -> None:
    """F5, F6: a week of episodes that fits no message is split into parts, each complete."""
    waiting = [gone("low", n * MINUTE, SECOND, worst=str(n)) for n in range(1_000)]
    parts = []
    while waiting:
        composed_message = compose(
            waiting, RenderContext(T0 + 30 * HOUR, UTC, room=1_900, titled=False)
        )
        assert len(composed_message.message.title) + len(composed_message.message.body) <= 1_900
        count = len(composed_message.told)
        parts.append((count, composed_message.message.body))
        waiting = [item for item in waiting if item not in composed_message.told]
    assert sum(count for count, _ in parts) == 1_000
    assert all(f"fired {count} times, cleared each time: first " in body for count, body in parts)
    assert ["; worst 0 ·" in body for _, body in parts] == [True] + [False] * (len(parts) - 1)


def test_f6_what_has_no_room_for_details_still_says_when_and_how_sure() -> None:
    """F6, B5, promise 1: old values are marked; "unconfirmed" and "not recorded" stay."""
    items = [
        MessageItem(notice(rule=f"rule-{n}", unconfirmed=True), not_recorded=True) for n in range(6)
    ]
    end = MessageItem(notice(Kind.RESOLVED, rule="gone", at=T0 + MINUTE))
    *_, brief, ended, late = text(*items, end, now=T0 + 2 * HOUR).split("\n\n")
    assert late == "late by up to 2 h"
    assert (
        brief
        == "CRITICAL main: available_margin 45.2 (below 50, at 11:00:00, unconfirmed) · rule-5"
        " · alert k3f9 · not recorded · unconfirmed"
    )
    assert ended == "OVER main: available_margin 45.2 (gone, 1 min, at 11:01:00) · alert k3f9"
    assert "at 11:00:00" not in text(*items, now=T0 + SECOND)


def test_f6_what_comes_late_foretells_nothing() -> None:
    """Promise 10: "0 in 8 min" of two hours ago is over, one way or the other."""
    crash = Step(Decimal(300), T0 - 5 * SECOND, Decimal("65.2"), T0)
    item = MessageItem(notice(trend=Trend(crash, SteadyChange(Decimal(-20), MINUTE))))
    said_now, said_late = (text(item, now=T0 + wait) for wait in (SECOND, 2 * HOUR))
    assert ["at this pace" in said for said in (said_now, said_late)] == [True, False]
    assert ["300 at 10:59:55 -> 65.2 at 11:00:00" in said for said in (said_now, said_late)] == [
        True,
        True,
    ]


def test_what_has_no_room_takes_no_words_from_others() -> None:
    """A finding stands in the first section that has room for it."""
    finding = {"detail": "the exchange is on fire"}
    room = 2 * TITLE + 600
    long = MessageItem(notice(rule="a", summary="x" * 200, title="y" * 200, **finding))  # type: ignore[arg-type]
    other = MessageItem(notice(rule="b", account="main", **finding))  # type: ignore[arg-type]
    body = compose([long, other], RenderContext(T0, UTC, room=room, titled=False)).message.body
    first, second = body.split("\n\n")
    assert "\n" not in first
    assert "the exchange is on fire" in second


def test_f4_in_whose_stead_it_comes_is_said_also_without_details() -> None:
    """F4: once for all of them."""
    handed = {"handed_over_by": "telegram", "handed_over_since": T0, "handed_over_why": "HTTP 502"}
    why = "sent here because the channel telegram cannot be reached since 11:00:00 (HTTP 502)"
    items = [MessageItem(notice(rule=f"rule-{n}", **handed)) for n in range(6)]  # type: ignore[arg-type]
    message = said(items, T0 + SECOND)
    assert (message.body.count(why), message.html.count(why)) == (1, 1)
    assert message.body.endswith(f"\n\n{why}")
    over = [gone("low", n * MINUTE, SECOND) for n in range(3)]
    grouped = []
    for each in over:
        facts = replace(each.notice.facts, **handed)  # type: ignore[arg-type]
        grouped.append(replace(each, notice=replace(each.notice, facts=facts)))
    assert text(*grouped, now=T0 + HOUR).count(why) == 1


def test_f6_no_worst_is_told_of_what_was_judged_by_different_comparisons() -> None:
    """Promise 10: a low of one field is none of another."""
    other = gone("low", MINUTE, MINUTE)
    assert other.ended is not None
    facts = replace(other.ended.facts, judged=judged("3", "5", field="al_freeze"))
    items = [gone("low", 0, MINUTE), replace(other, ended=replace(other.ended, facts=facts))]
    assert "worst" not in text(*items, now=T0 + 30 * MINUTE)


def test_f6_of_many_the_first_the_last_and_the_time_in_all_are_told() -> None:
    """F6: short, and true."""
    many = [gone("low", n * HOUR, n * MINUTE) for n in range(1, 9)]
    body = compose(many, RenderContext(T0 + 9 * HOUR, UTC)).message.body
    assert body.startswith(
        "first 12:00:00 to 12:01:00, last 19:00:00 to 19:08:00, 36 min in all; worst 40 · alerts "
    )


def test_f6_only_what_ended_alike_stands_in_one_line() -> None:
    """D4, D5: an alert no longer watched is not "cleared"; marks of uncertainty stay."""
    left = gone("low", 2 * MINUTE, MINUTE)
    assert left.ended is not None
    retired = replace(
        left, ended=replace(left.ended, key=replace(left.ended.key, kind=Kind.RETIRED))
    )
    items = [
        gone("low", 0, MINUTE, maybe_repeat=True),
        gone("low", MINUTE, MINUTE, not_recorded=True),
        retired,
    ]
    cleared, watched, _ = text(*items, now=T0 + 30 * MINUTE).split("\n\n")
    assert cleared.endswith("· alerts 0000 0060 · may be a repeat · not recorded")
    assert "watched no longer since 11:03:00" in watched


def test_f6_after_a_day_all_is_one_digest() -> None:
    """F6: what fires first, with its command, then what is over, in a line each; and why."""
    items = [
        gone("low", 0, MINUTE),
        gone("low", MINUTE, MINUTE),
        MessageItem(notice(rule="still", at=T0 + HOUR)),
    ]
    composed_message = compose(
        items, RenderContext(T0 + 25 * HOUR, UTC, why_late="telegram could not be reached")
    )
    assert composed_message.message.title == "LATE main: 1 critical still firing, 2 over"
    assert composed_message.message.commands == ("marginwatch ack k3f9",)
    lines = composed_message.message.body.split("\n\n")
    assert [line[: line.index(" (") if " (" in line else 28] for line in lines] == [
        "CRITICAL main: available_margin 45.2",
        "OVER main: low fired 2 times",
        "these values are old: look i",
        "late by up to 1 d 1 h: teleg",
    ]
    assert lines[0].endswith(" · still\nto stop reminders: marginwatch ack k3f9\nalert k3f9")
    assert all("\n" not in line for line in lines[1:])
    over = compose(
        [*items[:2], gone("high", 0, MINUTE)], RenderContext(T0 + 25 * HOUR, UTC)
    ).message
    assert over.title == "LATE main: 3 over, first at 2026-01-01 11:00:00"
    assert "values are old" not in over.body
    new = MessageItem(notice(rule="new", account="grid", at=T0 + 25 * HOUR))
    title = compose([*items, new], RenderContext(T0 + 25 * HOUR, UTC)).message.title
    assert title == "CRITICAL grid: available_margin 45.2 (below 50) and 3 more"
    assert (
        "values are old"
        not in compose([*items, new], RenderContext(T0 + 25 * HOUR, UTC)).message.body
    )
    alone = compose(items[2:], RenderContext(T0 + 25 * HOUR, UTC)).message
    assert alone.title == "CRITICAL main: 45.2 (below 50, at 2026-01-01 12:00:00)"


def test_why_it_is_late_is_said_once_and_only_of_what_is() -> None:
    """F6: of two that leave together, one of which has just come, the reason is the other's."""
    new, old = MessageItem(notice(rule="new", at=T0 + HOUR)), MessageItem(notice(rule="old"))
    sending = RenderContext(T0 + HOUR, UTC, why_late="telegram could not be reached")
    assert compose([new, old], sending).message.body.count("could not be reached") == 1
    assert "could not be reached" not in compose([new], sending).message.body


def test_f4_a_stand_in_says_whose_since_when_and_why() -> None:
    """F4: which channel failed, and since when."""
    handed = notice(
        handed_over_by="telegram", handed_over_since=T0 - MINUTE, handed_over_why="HTTP 502"
    )
    expected = "sent here because the channel telegram cannot be reached since 10:59:00 (HTTP 502)"
    assert expected in text(MessageItem(handed))


def test_the_subject_of_a_message_is_what_it_tells_first() -> None:
    """The chart beside it is of that alert."""
    end, mild = MessageItem(notice(Kind.RESOLVED)), MessageItem(notice(rule="mild"))
    assert compose([end, mild], RenderContext(T0, UTC)).subject == mild.notice


def test_a_message_about_one_alert_has_its_thread() -> None:
    """Mail clients keep what is told of it together; of several at once nothing is."""
    assert compose([MessageItem(notice())], RenderContext(T0, UTC)).message.thread == "k3f9.main"
    assert (
        compose([MessageItem(notice(account=""))], RenderContext(T0, UTC)).message.thread
        == "k3f9.daemon"
    )
    assert (
        compose(
            [MessageItem(notice()), MessageItem(notice(rule="b"))], RenderContext(T0, UTC)
        ).message.thread
        == ""
    )


def test_html_says_what_the_text_says_and_nothing_in_it_is_markup() -> None:
    """Every line of the text, escaped."""
    odd = notice(rule="r", judged=replace(judged("5"), text="available_margin < 100 <b>&"))
    message = compose([MessageItem(odd)], RenderContext(T0, UTC)).message
    assert "&lt;b&gt;&amp;" in message.html
    assert "<b>&" not in message.html
    for word in ("in positions", "-54.8 in\u00a010\u00a0min", "alert k3f9", "since 11:00:00"):
        assert word in message.html


@pytest.mark.parametrize("kind", [Kind.FIRING, Kind.RESOLVED, Kind.RETIRED, Kind.ACK])
def test_s9_what_comes_from_outside_is_shown_escaped(kind: Kind) -> None:
    """S9: names, summaries, details and reasons; the title and the text say the same of it."""
    told = {
        "summary": HOSTILE,
        "title": HOSTILE,
        "unit": HOSTILE,
        "handed_over_by": HOSTILE,
        "handed_over_why": HOSTILE,
        "unfilled": HOSTILE,
    }
    item = MessageItem(notice(kind, HOSTILE, HOSTILE, detail=HOSTILE, **told))
    sending = RenderContext(T0 + 2 * HOUR, UTC, why_late=HOSTILE)
    for items in ([item], [item, MessageItem(notice(kind, "other"))]):
        message = compose(items, sending).message
        assert (raw(message.title), raw(message.body), raw(message.html)) == ([], [], [])
        assert "\\x1b]52" in message.body + message.title


def test_s9_escapes_count_as_what_they_take() -> None:
    """S9: however long escaping makes it, a message keeps to the room of its channel."""
    items = [MessageItem(notice(rule=f"r{number}", summary="\u202e" * 200)) for number in range(9)]
    composed_message = compose(items, RenderContext(T0, UTC, room=4_000))
    assert len(composed_message.message.title) <= TITLE
    assert len(composed_message.message.body) <= 4_000
    assert len(composed_message.told) < len(items)
