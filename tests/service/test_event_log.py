"""Log lines: every transition, each failure once, with its end."""

import logging
from decimal import Decimal

import pytest

from daemon.log import FailureLog
from daemon.service.event_log import EventLog
from daemon.types import (
    Alert,
    AttemptResult,
    Check,
    ClockStep,
    ConfigChange,
    FlapRange,
    Input,
    Kind,
    Message,
    MissReason,
    Notice,
    NoticeKey,
    NotificationFacts,
    Outcome,
    Record,
    Severity,
    State,
    Transition,
)
from tests.fakes import ManualClock
from tests.values import T0, judged, miss, reading

MESSAGE = Message("t", "b", Severity.INFO)


@pytest.fixture
def reporter(caplog: pytest.LogCaptureFixture) -> EventLog:
    caplog.set_level(logging.INFO)
    return EventLog(FailureLog(logging.getLogger("marginwatch"), ManualClock()))


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def moved(before: State, after: State, value: str | None = "90") -> Record:
    amount = None if value is None else Decimal(value)
    return Record(
        "main", reading(1), transitions=(Transition("low", 1, T0, before, after, "why", amount),)
    )


def test_a_miss_is_logged_once_per_reason_and_its_end_once(
    reporter: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    """A night of timeouts is two lines."""
    events: list[Input] = [
        miss(1),
        miss(2),
        miss(3, reason=MissReason.BLOCKED),
        reading(4),
        reading(5),
    ]
    for event in events:
        reporter.judged(Record("main", event))
    assert lines(caplog) == ["no answer within 10 s", "no answer within 10 s", "readings are back"]
    assert [getattr(record, "reason", None) for record in caplog.records] == [
        "timeout",
        "blocked",
        None,
    ]


def test_transitions_are_logged_with_rule_account_state_and_value(
    reporter: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    """A pending transition is not logged at info level."""
    for before, after in (
        (State.OK, State.PENDING),
        (State.PENDING, State.RESOLVED),
        (State.PENDING, State.FIRING),
        (State.FIRING, State.RESOLVED),
    ):
        reporter.judged(moved(before, after))
    reporter.judged(moved(State.FIRING, State.RETIRED, None))
    assert lines(caplog) == ["low firing", "low resolved", "low retired"]
    first, *_, last = caplog.records
    assert (vars(first)["account"], vars(first)["value"]) == ("main", "90")
    assert "value" not in vars(last)


def test_an_age_is_logged_as_a_duration(
    reporter: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    """As messages show it, with the alert's id."""
    why = judged("455911", "120000", falling=False, field="age")
    alert = Alert(
        "stale", 1, "ab3d", Severity.WARNING, State.FIRING, "when x", T0, T0, None, why, why.value
    )
    change = Transition("stale", 1, T0, State.OK, State.FIRING, "condition", why.value)
    reporter.judged(Record("main", miss(1), (alert,), (change,)))
    last = vars(caplog.records[-1])
    assert (last["value"], last["alert"]) == ("7 min 35 s", "ab3d")


def test_a5_a_clock_that_was_set_is_logged(
    reporter: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    """A5: a step explains a jump in every chart; the change of the configuration says nothing."""
    reporter.judged(Record("main", ClockStep(1, T0, -5_000)))
    reporter.judged(Record("main", ConfigChange(2, T0)))
    assert lines(caplog) == ["the clock was set"]


def test_a_channel_that_fails_is_logged_once_and_its_end_once(
    reporter: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    """Forty retries are one line."""
    for outcome in (Outcome.LATER, Outcome.LATER, Outcome.DELIVERED, Outcome.DELIVERED):
        reporter.attempted("telegram", MESSAGE, [], AttemptResult(outcome, "HTTP 502"))
    assert lines(caplog) == [
        "a message was not delivered: HTTP 502",
        "the channel works again",
    ]


def test_a_delivered_message_is_a_line_with_its_title(
    reporter: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    """With the channel and the number of notifications in it; a chart that follows is none."""
    facts = NotificationFacts(Severity.WARNING, "ab3d", T0, T0, T0, None)
    notice = Notice(NoticeKey("main", "low", 1, "telegram", Kind.FIRING, 1), T0, facts)
    for notices in ([notice], []):
        reporter.attempted("telegram", MESSAGE, notices, AttemptResult(Outcome.DELIVERED))
    assert lines(caplog) == ["delivered: t"]
    line = vars(caplog.records[-1])
    assert (line["channel"], line["notifications"]) == ("telegram", 1)


def test_d4_d7_what_was_found_is_in_the_line(
    reporter: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    """The detail follows the state; the daemon's own alerts name no account."""
    alert = Alert(
        "disk-full",
        1,
        "ab3d",
        Severity.WARNING,
        State.FIRING,
        "when x",
        T0,
        T0,
        detail="nearly nothing left",
    )
    change = Transition("disk-full", 1, T0, State.OK, State.FIRING, "condition", None)
    reporter.judged(Record("", Check(1, T0), (alert,), (change,)))
    assert lines(caplog) == ["disk-full firing: nearly nothing left"]
    assert "account" not in vars(caplog.records[-1])


def test_e4_a_flapping_rule_is_logged_with_its_episodes(
    reporter: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    """How many, and the range of their values, as messages tell them."""
    swings = FlapRange(7, Decimal("41.5"), Decimal(130))
    alert = Alert(
        "low:flapping", 1, "ab3d", Severity.WARNING, State.FIRING, "when x", T0, T0, swings=swings
    )
    change = Transition("low:flapping", 1, T0, State.OK, State.FIRING, "flapping", None)
    reporter.judged(Record("main", reading(1), (alert,), (change,)))
    assert lines(caplog) == ["low (flapping) firing"]
    last = vars(caplog.records[-1])
    assert (last["episodes"], last["low"], last["high"]) == ("7", "41.5", "130")


def test_e1_what_got_worse_is_logged_once_for_all_channels(
    reporter: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    """With the value that is worse now."""
    facts = NotificationFacts(Severity.WARNING, "ab3d", T0, T0, T0, judged("60"))
    notices = [
        Notice(NoticeKey("main", "low", 1, name, Kind.WORSE, 3), T0, facts)
        for name in ("email", "sms")
    ]
    reporter.judged(Record("main", reading(3), notices=tuple(notices)))
    assert lines(caplog) == ["low worse"]
    assert vars(caplog.records[-1])["value"] == "60"
