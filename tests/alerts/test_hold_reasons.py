"""Why news of an alert is held back: one answer, for who decides and for who explains."""

from datetime import UTC, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.channel_decisions import ChannelStatus, NotificationPolicy
from daemon.alerts.dispatch import dispatch
from daemon.alerts.engine import StepResult
from daemon.alerts.hold_reasons import HOLDS, Hold, HoldReason, Muter
from daemon.alerts.mutes import DAYS, Mutes, MuteWindow
from daemon.alerts.notification_facts import EvaluationSnapshot
from daemon.types import (
    FLAPPING,
    HOUR,
    AccountState,
    Alert,
    FlapRange,
    Kind,
    NotificationFacts,
    Severity,
    Silence,
    State,
)
from tests.values import T0, reading, rule

NOW = T0 + 4 * HOUR
WINDOWS = Mutes({"night": MuteWindow("night", frozenset(DAYS), time(10), time(20))}, UTC)
LOW = rule("low", inhibited_by=("low*", "bad"), repeat=HOUR)
MUTED = rule("low", mute=("night",), repeat=HOUR)
BAD = rule("bad", "available_margin < 50")


def alert(name: str, state: State = State.FIRING) -> Alert:
    swings = FlapRange(7, None, None) if name.endswith(FLAPPING) else None
    return Alert(name, 1, f"c-{name}", Severity.WARNING, state, "", T0, fired_at=T0, swings=swings)


def account(*alerts: Alert) -> AccountState:
    return AccountState("main", seq=9, at=NOW, alerts={each.rule: each for each in alerts})


def silence(
    rule: str = "low", code: str = "", *, ack: bool = False, until: int | None = None
) -> Silence:
    return Silence(3, ack, rule, "*", code, T0, until, "moving funds")


@pytest.mark.parametrize(
    ("muter", "expected"),
    [
        (Muter(account(alert("low")), WINDOWS, (), NOW), []),
        (
            Muter(account(alert("low"), alert("bad")), WINDOWS, (), NOW),
            [Hold(HoldReason.INHIBITED, "bad")],
        ),
        (Muter(account(alert("low"), alert("bad", State.PENDING)), WINDOWS, (), NOW), []),
        (Muter(account(alert("low"), alert(f"bad{FLAPPING}")), WINDOWS, (), NOW), []),
        (
            Muter(account(alert("low")), WINDOWS, [silence(until=NOW + 1)], NOW),
            [Hold(HoldReason.SILENCED, "3", "moving funds", NOW + 1)],
        ),
        (Muter(account(alert("low")), WINDOWS, [silence(until=NOW)], NOW), []),
        (
            Muter(account(alert("low"), alert(f"low{FLAPPING}")), WINDOWS, (), NOW),
            [Hold(HoldReason.FLAPPING)],
        ),
        (
            Muter(account(alert("low")), WINDOWS, [silence(code="c-low", ack=True)], NOW),
            [Hold(HoldReason.ACKNOWLEDGED, comment="moving funds")],
        ),
    ],
)
def test_strict_10_each_reason_is_named(muter: Muter, expected: list[Hold]) -> None:
    """Strict 10: each reason names its source; a rule does not mute itself, nor does flapping."""
    assert list(muter.reasons(LOW, muter.state.alerts["low"])) == expected


def test_strict_10_a_mute_window_is_named_with_its_end() -> None:
    """Strict 10: Also where no alert is open: then the next one would be held back."""
    expected = [Hold(HoldReason.MUTE_WINDOW, "night", until=T0 + 9 * HOUR)]
    assert list(Muter(account(), WINDOWS, (), NOW).reasons(MUTED, None)) == expected


def test_strict_10_the_reasons_in_words() -> None:
    """Strict 10: What a person reads of each of them."""
    told = [
        Hold(HoldReason.INHIBITED, "bad"),
        Hold(HoldReason.MUTE_WINDOW, "night"),
        Hold(HoldReason.SILENCED, "3", "moving funds"),
        Hold(HoldReason.SILENCED, "3"),
        Hold(HoldReason.FLAPPING),
        Hold(HoldReason.ACKNOWLEDGED, comment="adding margin"),
        Hold(HoldReason.ACKNOWLEDGED),
    ]
    assert [str(each) for each in told] == [
        "inhibited by bad, which fires on the same account",
        "the mute window night",
        "silence 3 (moving funds)",
        "silence 3",
        "it flaps, which is told as one thing",
        "acknowledged (adding margin): no reminders",
        "acknowledged: no reminders",
    ]


STATES = st.sampled_from([None, State.PENDING, State.FIRING])
SILENCES = st.lists(
    st.builds(
        silence,
        rule=st.sampled_from(["low", "l*", "bad"]),
        code=st.sampled_from(["", "c-low", "c-bad"]),
        ack=st.booleans(),
        until=st.sampled_from([None, NOW, NOW + 1]),
    ),
    max_size=3,
)


@given(st.sampled_from([LOW, MUTED]), STATES, st.booleans(), st.booleans(), SILENCES, st.booleans())
def test_strict_10_what_is_explained_is_what_was_dispatched(
    low: object,
    bad: State | None,
    bad_flaps: bool,
    low_flaps: bool,
    silences: list[Silence],
    told: bool,
) -> None:
    """Strict 10: news of a firing, or a reminder, is dispatched if and only if nothing holds it."""
    others = [alert("bad", bad)] if bad is not None else []
    flapping = [
        alert(f"{name}{FLAPPING}")
        for name, flaps in (("bad", bad_flaps), ("low", low_flaps))
        if flaps
    ]
    state = account(alert("low"), *others, *flapping)
    order = NotificationPolicy({"low": low, "bad": BAD}, ("phone",), WINDOWS, silences)  # type: ignore[dict-item]
    known = NotificationFacts(Severity.WARNING, "c-low", T0, T0, T0, None)
    before = {("low", 1): {"phone": ChannelStatus(T0, known, sure=True)}} if told else {}
    news = dispatch(reading(9, NOW), StepResult(state, ()), order, before, EvaluationSnapshot())
    sent = {each.key.kind for each in news.notices if each.key.rule == "low"}
    muter = Muter(state, WINDOWS, silences, NOW)
    reasons = {each.reason for each in muter.reasons(low, alert("low"))}  # type: ignore[arg-type]
    if told:
        assert (Kind.REPEAT in sent) is not bool(reasons)
        assert (Kind.ACK in sent) is (HoldReason.ACKNOWLEDGED in reasons)
    else:
        assert (Kind.FIRING in sent) is not bool(reasons & HOLDS)
