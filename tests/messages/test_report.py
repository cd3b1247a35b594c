"""Reports: their content, and how it fits."""

from dataclasses import replace
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from daemon.alerts.mutes import MutedRules
from daemon.messages.report import Doubts, compose, worst_account
from daemon.messages.report_data import ReportData, ReportSpan, Watched
from daemon.messages.section import RenderContext
from daemon.notifiers.services import escaped
from daemon.types import DAY, HOUR, MINUTE, SECOND, Message, Severity, Silence
from tests.messages.facts import BAD, ILL, LOW, QUIET, SPAN, WELL


def told(
    facts: ReportData, late: int = 2 * SECOND, doubts: Doubts | None = None, **sending: Any
) -> Message:
    return compose(facts, RenderContext(SPAN.until + late, UTC, **sending), doubts or Doubts())


def test_that_nothing_happened_is_said() -> None:
    """A quiet report says so, with numbers, deliveries and the time of the next one."""
    message = told(QUIET)
    assert (message.title, message.severity, message.quiet) == (
        "REPORT daily: all quiet",
        Severity.INFO,
        True,
    )
    assert (
        message.body == "REPORT daily: Thu 1 Jan 08:00 to Fri 2 Jan 08:00\n"
        "all quiet: no alert fired, and the readings have no gaps\n"
        "the next one comes Sat 3 Jan 08:00; if it does not, something is wrong\n"
        "\n"
        "OK main: no alerts, no gaps\n"
        "available_margin 480.12 (low 431.5 at 11:00, high 502.25 at 17:00)\n"
        "available_usdt 480.12 (low 431.5 at 11:00, high 502.25 at 17:00)\n"
        "almighty_gold 0 (all the time)\n"
        "al_margin 80 (low 20 at 11:00, high 122.5 at 17:00)\n"
        "al_freeze 3.5 (low 0 at 11:00, high 12 at 17:00)\n"
        "17,280 readings\n"
        "\n"
        "DELIVERY 3 messages delivered\n"
        "phone 3 delivered"
    )


def test_what_happened_is_said_worst_first() -> None:
    """Alerts by rule, gaps, failed attempts, downtime and undelivered messages are told."""
    message = told(BAD)
    assert message.title == "REPORT daily: 1 alert firing now, 3 alerts over, 1 gap, …"
    head, grid, main, itself, delivery = message.body.split("\n\n")
    assert head.splitlines()[1:3] == [
        (
            "1 alert firing now, 3 alerts over, 1 gap, 2 notifications waiting, 4 attempts to"
            " deliver failed"
        ),
        "marginwatch did not run from 02:00 to 02:07 (it did not end in order)",
    ]
    assert grid.splitlines()[:5] == [
        "FIRING grid: 3 alerts, 1 gap",
        "margin-critical (critical) fires since Thu 1 Jan 04:00",
        "low-margin (warning) fired 2 times, 2 h in all: 09:00 to 10:00, 12:00 to 13:00",
        "1 gap, 7 min, 02:00 to 02:07",
        "15 attempts to read failed: timeout 12, network 3",
    ]
    assert (
        main
        == "ALERTS the daemon: 1 alert\nchannel-failing (warning) fired for 1 h, 09:00 to 10:00"
    )
    assert itself.startswith("OK main: no alerts, no gaps\n")
    assert (
        delivery == "FAILING 15 messages delivered, 4 failed, 2 waiting\n"
        "phone 12 delivered\n"
        "mail 3 delivered (4 attempts failed, 2 waiting since 06:00)"
    )


def test_of_many_spans_the_longest_is_told() -> None:
    """Forty gaps are not listed."""
    gaps = tuple(
        ReportSpan(SPAN.since + n * HOUR, SPAN.since + n * HOUR + (2 + n) * MINUTE)
        for n in range(5)
    )
    body = told(replace(QUIET, accounts=(replace(WELL, gaps=gaps),))).body
    assert "5 gaps, 20 min in all, the longest 6 min, 12:00 to 12:06" in body
    assert "GAPS main: no alerts, 5 gaps" in body


def test_an_account_without_readings_is_none_that_is_well() -> None:
    """Whether it is new, or was not read all the time."""
    new = told(replace(QUIET, accounts=(Watched("new", SPAN.until),)))
    assert new.title == "REPORT daily: 1 account without readings"
    assert "GAPS new: no alerts, no readings" in new.body


def test_an_account_that_is_new_is_watched_since() -> None:
    """Of a part of the span it is said which."""
    body = told(replace(QUIET, accounts=(replace(WELL, since=SPAN.since + HOUR),))).body
    assert "17,280 readings, watched since 09:00" in body


def test_alerts_of_what_is_gone_are_told() -> None:
    """An account that was removed meanwhile had its alerts all the same."""
    body = told(replace(QUIET, episodes=(replace(LOW, account="former"),))).body
    assert "ALERTS former: 1 alert\nlow-margin (warning) fired for 1 h, 09:00 to 10:00" in body


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (1, "low 431.5 at 11:00"),
        (7, "low 431.5 at Thu 11:00"),
        (31, "low 431.5 at Thu 1 Jan 11:00"),
    ],
)
def test_a_time_has_as_much_of_the_date_as_it_needs(days: int, expected: str) -> None:
    """Of a day the time, of a week the day of the week, of a month the date."""
    assert (
        expected in told(replace(QUIET, span=ReportSpan(SPAN.since, SPAN.since + days * DAY))).body
    )


def test_times_are_those_of_the_clock_on_the_wall() -> None:
    """In the zone of the configuration."""
    message = compose(QUIET, RenderContext(SPAN.until, ZoneInfo("Asia/Shanghai")))
    assert "daily: Thu 1 Jan 16:00 to Fri 2 Jan 16:00" in message.body


def silence(number: int = 1, rule: str = "*", account: str = "*", **keys: Any) -> Silence:
    return Silence(
        number,
        **{"ack": False, "code": "", "started_at": 0, "ended_at": None, **keys},
        rule=rule,
        account=account,
    )


def test_what_is_silenced_or_muted_is_told_with_its_end() -> None:
    """No quiet report of a time in which nobody would have been told (no false calm)."""
    until = SPAN.until + 29 * DAY
    silences = (
        silence(1, ended_at=until, comment="holidays"),
        silence(2, "low-*", "main", ended_at=SPAN.until + HOUR),
        silence(3, "channel-failing", "", code="k3f9"),
        silence(4, "low-margin", "grid", code="ab3d", ack=True, comment="adding margin"),
    )
    muted = (MutedRules(("night", "lunch"), SPAN.until + HOUR, ("low-margin", "freeze")),)
    message = told(replace(QUIET, silences=silences, muted=muted))
    assert message.title == "REPORT daily: all quiet, 3 silences"
    assert message.body.splitlines()[1:7] == [
        "all quiet: no alert fired, and the readings have no gaps",
        "silenced until Sat 31 Jan 08:00: everything (holidays)",
        "silenced until Fri 2 Jan 09:00: low-* on main",
        "silenced until it ends: channel-failing on the daemon",
        "acknowledged, no reminders: low-margin on grid (adding margin)",
        "muted until Fri 2 Jan 09:00 by night, lunch: low-margin, freeze",
    ]


def test_of_many_silences_the_first_are_told() -> None:
    """The others are counted, with the command that lists them."""
    silences = tuple(silence(number, "low", ended_at=SPAN.until + DAY) for number in range(7))
    body = told(replace(QUIET, silences=silences)).body
    assert body.count("silenced until") == 5
    assert "and 2 more: marginwatch silence list" in body


def test_what_comes_late_says_so() -> None:
    """How late, and why as far as that is known; within a minute nothing is late."""
    body = told(QUIET, 3 * HOUR, why_late="marginwatch did not run from 07:00 to 11:00").body
    assert "due Fri 2 Jan 08:00, sent only now: 3 h late\n" in body
    assert body.endswith("\n\nlate: marginwatch did not run from 07:00 to 11:00")
    assert "late" not in told(QUIET, 59 * SECOND, why_late="whatever").body


def test_doubts_are_said() -> None:
    """Promise 2: that it may be a repeat; promise 1: that it is not recorded."""
    body = told(QUIET, doubts=Doubts(maybe_repeat=True, not_recorded=True)).body
    assert (
        "may be a repeat: an earlier attempt had no answer\nnot recorded: the database refuses to"
        " write\n" in body
    )


def test_a_record_that_cannot_be_read_is_said() -> None:
    """No report of a day that nobody can read says that it was quiet."""
    message = told(ReportData("daily", SPAN, unreadable="the database is locked"))
    assert message.title == "REPORT daily: the record cannot be read"
    assert message.body.splitlines()[1:] == ["the record cannot be read", "the database is locked"]


@pytest.mark.parametrize("room", [900, 1_900, 3_800])
def test_it_fits_in_one_message(room: int) -> None:
    """Details give way first, then the accounts that were well; never the head, nor what is bad."""
    accounts = (*(replace(WELL, account=f"bot <{n}>") for n in range(50)), ILL)
    message = told(replace(BAD, accounts=accounts), room=room, weigh=escaped)
    assert escaped(message.title) + escaped(message.body) <= room
    assert message.body.startswith("REPORT daily: Thu 1 Jan 08:00 to Fri 2 Jan 08:00")
    assert "FIRING grid: 3 alerts, 1 gap" in message.body
    assert "FAILING 15 messages delivered" in message.body
    if room < 3_800:
        assert "accounts for which there is no room here · marginwatch status" in message.body


def test_a_title_keeps_its_verdict() -> None:
    """A long name gives way, as phones show one line."""
    title = told(replace(QUIET, name="x" * 64)).title
    assert (len(title) <= 60, title[-11:]) == (True, ": all quiet")


def test_the_html_says_the_same() -> None:
    """HTML is red if something fires, green if all is well, orange if deliveries fail."""
    html = told(BAD).html
    for word, colour in (
        ("FIRING", "#e5484d"),
        ("OK", "#2f9e5b"),
        ("FAILING", "#d9730d"),
        ("REPORT", "#3b82f6"),
    ):
        assert f'<span style="color:{colour}">{word}</span>' in html
    assert "<b>480.12</b>" in html
    assert "low 431.5 at 11:00, high 502.25 at 17:00" in html


def test_the_chart_is_of_the_worst_account() -> None:
    """Of one that was read; without readings there is nothing to draw."""
    assert worst_account(BAD) == ILL
    assert worst_account(replace(QUIET, accounts=(Watched("new", SPAN.until), WELL))) == WELL
    assert worst_account(ReportData("daily", SPAN)) is None


def test_a_span_knows_how_long_it_lasted() -> None:
    """Milliseconds."""
    assert SPAN.lasted == SPAN.until - SPAN.since == DAY
    assert SPAN.overlap(ReportSpan(SPAN.until - HOUR, SPAN.until + HOUR)) == HOUR
    assert SPAN.overlap(ReportSpan(SPAN.until + 1, SPAN.until + HOUR)) == 0
