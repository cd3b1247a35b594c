"""Why a notification waits, from the record alone: SEMANTICS F1 to F5."""

from dataclasses import replace

import pytest

from daemon.cli.status.waiting import (
    ChannelFacts,
    WaitCause,
    WaitReason,
    current_streak,
    parked_channels,
    refusing_channels,
    wait_reasons,
)
from daemon.service.delivery.backoff import LONGEST_PAUSE, PROBE_GAP
from daemon.store.operations import NoticeState
from daemon.store.read.channel_health import Deliveries, Streak
from daemon.store.read.recorded import PastNotice
from daemon.types import (
    HOUR,
    MINUTE,
    SECOND,
    Kind,
    Millis,
    Notice,
    NoticeKey,
    NotificationFacts,
    Outcome,
    Severity,
)
from tests.values import T0, judged

NOW = T0 + MINUTE
WAY = ChannelFacts(group_wait=SECOND, alive_since=T0 - MINUTE, parked=False, failing=None)
FAILED = Streak(3, T0 - 30 * SECOND, NOW - SECOND, Outcome.LATER, "HTTP 500")
LIMITED = replace(FAILED, retry_after=40 * SECOND)


def past(
    rule: str = "low",
    at: Millis = T0,
    severity: Severity = Severity.WARNING,
    state: NoticeState = NoticeState.QUEUED,
    tried_at: Millis | None = None,
    not_before: Millis | None = None,
) -> PastNotice:
    facts = NotificationFacts(severity, "k3f9", at, at, at, judged("90"), not_before=not_before)
    notice = Notice(NoticeKey("main", rule, 1, "phone", Kind.FIRING, 1), at, facts)
    return PastNotice(1, notice, state, None, 0, tried_at, None, "", None, None, "", ())


def why(way: ChannelFacts, *waiting: PastNotice) -> list[WaitReason]:
    return wait_reasons(waiting, way, NOW)


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (replace(WAY, alive_since=None), WaitReason(WaitCause.NO_DAEMON)),
        (replace(WAY, group_wait=None), WaitReason(WaitCause.NOT_CONFIGURED)),
        (replace(WAY, parked=True), WaitReason(WaitCause.PARKED)),
        (replace(WAY, failing=FAILED), WaitReason(WaitCause.BACKING_OFF, NOW + 7 * SECOND)),
        (replace(WAY, failing=replace(FAILED, until=T0 - MINUTE)), WaitReason(WaitCause.DUE)),
        (
            replace(WAY, failing=LIMITED),
            WaitReason(WaitCause.BACKING_OFF, LIMITED.until + 40 * SECOND),
        ),
        (
            replace(WAY, failing=replace(FAILED, retry_after=999 * HOUR)),
            WaitReason(WaitCause.BACKING_OFF, FAILED.until + LONGEST_PAUSE),
        ),
        (replace(WAY, free_at=NOW + 3 * SECOND), WaitReason(WaitCause.PACE, NOW + 3 * SECOND)),
        (replace(WAY, free_at=NOW), WaitReason(WaitCause.DUE)),
        (replace(WAY, group_wait=2 * MINUTE), WaitReason(WaitCause.JOINING, T0 + 2 * MINUTE)),
        (WAY, WaitReason(WaitCause.DUE)),
    ],
)
def test_f2_f3_f5_what_holds_up_a_channel_is_said(way: ChannelFacts, expected: WaitReason) -> None:
    """F2, S6: a pause ends at the latest with the most jitter, or at the longest obeyed pause."""
    assert why(way, past()) == [expected]


def test_f5_a_critical_joins_nothing_and_shortens_a_pause() -> None:
    """F2, F5: at most 30 s; but not for one that is held back."""
    grave, mild = past("grave", severity=Severity.CRITICAL), past()
    long = replace(WAY, failing=replace(FAILED, count=12))
    assert why(replace(WAY, group_wait=2 * MINUTE), grave) == [WaitReason(WaitCause.DUE)]
    assert why(long, grave, mild) == [WaitReason(WaitCause.BACKING_OFF, NOW + 29 * SECOND)] * 2
    held = replace(grave.notice.facts, not_before=NOW + 1)
    muted = replace(grave, notice=replace(grave.notice, facts=held))
    assert why(long, muted, mild) == [
        WaitReason(WaitCause.MUTED, NOW + 1),
        WaitReason(WaitCause.BACKING_OFF, NOW + 299 * SECOND),
    ]


def test_f5_what_is_joined_leaves_with_the_first_of_them_and_with_a_critical() -> None:
    """F5: the channel's next message carries all that waits, whenever each was raised."""
    way = replace(WAY, group_wait=2 * MINUTE)
    first, second = past(), past("high", at=T0 + 30 * SECOND)
    assert why(way, first, second) == [WaitReason(WaitCause.JOINING, T0 + 2 * MINUTE)] * 2
    grave = past("grave", at=NOW, severity=Severity.CRITICAL)
    assert why(way, first, grave) == [WaitReason(WaitCause.DUE)] * 2


def test_f2_a_critical_that_came_after_the_last_failure_is_tried_soon() -> None:
    """F2: it is a reason to look whether the channel works again, within seconds."""
    long = replace(WAY, failing=replace(FAILED, count=12))
    grave = past("grave", at=NOW, severity=Severity.CRITICAL)
    soon = WaitReason(WaitCause.BACKING_OFF, FAILED.until + PROBE_GAP)
    assert why(long, past(), grave) == [soon] * 2


def test_e2_what_a_mute_window_holds_waits_for_its_end() -> None:
    """E2: a mute window counts before any trouble of the channel; after it, others do."""
    held = past(not_before=NOW + MINUTE)
    assert why(replace(WAY, failing=FAILED), held) == [WaitReason(WaitCause.MUTED, NOW + MINUTE)]
    assert wait_reasons([held], WAY, NOW + MINUTE) == [WaitReason(WaitCause.DUE)]


def test_f2_what_comes_while_an_attempt_is_under_way_is_behind_it() -> None:
    """F2: at most one attempt runs; one that an earlier daemon left open does not count."""
    sending = past("grave", state=NoticeState.SENDING, tried_at=NOW - SECOND)
    assert why(WAY, sending, past()) == [
        WaitReason(WaitCause.SENDING),
        WaitReason(WaitCause.BEHIND),
    ]
    left = replace(sending, tried_at=T0 - 2 * MINUTE)
    assert why(WAY, left, past()) == [WaitReason(WaitCause.DUE)] * 2


def test_f3_parked_is_who_refused_last_in_this_life() -> None:
    """F3: a refusal before the start is tried once more; where all refused, none is parked."""
    refused = replace(FAILED, outcome=Outcome.REFUSED)
    fared = [
        Deliveries("a", None, tested=False, failing=refused, own=refused),
        Deliveries("b", None, tested=False, failing=FAILED, own=FAILED),
        Deliveries("c", NOW, tested=True, failing=None, own=None),
    ]
    assert refusing_channels(fared, T0) == {"a"}
    assert refusing_channels(fared, NOW) == set()
    assert current_streak(fared[0], NOW) is None
    assert parked_channels(["a", "b"], {"a"}) == {"a"}
    assert parked_channels(["a"], {"a", "gone"}) == set()
