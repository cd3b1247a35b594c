"""Why a channel is sent nothing of a firing alert: each reason by its name."""

import pytest

from daemon.alerts.channel_decisions import (
    ChannelDecision,
    ChannelStatus,
    FiringDecider,
    NotificationPolicy,
)
from daemon.alerts.hold_reasons import Hold, HoldReason
from daemon.alerts.mutes import NO_MUTES
from daemon.types import (
    FLAPPING,
    HOUR,
    AccountState,
    Alert,
    Kind,
    NoticeKey,
    Severity,
    Silence,
    State,
)
from tests.values import T0, rule

NOW = T0 + HOUR
LOW = Alert("low", 1, "ab12", Severity.WARNING, State.FIRING, "", T0, fired_at=T0)
KEY = NoticeKey("main", "low", 1, "phone", Kind.FIRING, 1)
TOLD = ChannelStatus(told_at=T0, sure=True)
SILENCE = Silence(3, False, "low", "*", "", T0, None, "moving funds")
ACK = Silence(4, True, "", "", "ab12", T0, None, "adding margin")


def decider(
    *silences: Silence, repeat: int | None = 2 * HOUR, flaps: bool = False
) -> FiringDecider:
    alerts = {"low": LOW, **({"low" + FLAPPING: LOW} if flaps else {})}
    policy = NotificationPolicy(
        {"low": rule("low", repeat=repeat)}, ("phone", "desk"), NO_MUTES, silences
    )
    return FiringDecider(AccountState("main", alerts=alerts), policy, NOW)


@pytest.mark.parametrize(
    ("decides", "status", "expected"),
    [
        (decider(), ChannelStatus(), Kind.FIRING),
        (decider(), ChannelStatus(waiting=KEY), HoldReason.QUEUED),
        (decider(), ChannelStatus(in_flight=True), HoldReason.SENDING),
        (decider(), ChannelStatus(given_up=True), HoldReason.REFUSED),
        (decider(repeat=None), TOLD, HoldReason.NEVER_REPEATS),
        (decider(), TOLD, HoldReason.NOT_DUE),
        (decider(repeat=HOUR), TOLD, Kind.REPEAT),
        (decider(ACK, repeat=HOUR), TOLD, HoldReason.ACKNOWLEDGED),
        (decider(ACK), TOLD, HoldReason.ACKNOWLEDGED),
        (decider(ACK), ChannelStatus(), Kind.FIRING),
        (decider(SILENCE), ChannelStatus(), HoldReason.SILENCED),
        (decider(SILENCE, repeat=HOUR), TOLD, HoldReason.SILENCED),
        (decider(SILENCE), TOLD, HoldReason.NOT_DUE),
        (decider(flaps=True), ChannelStatus(), HoldReason.FLAPPING),
    ],
)
def test_each_decision_names_its_reason(
    decides: FiringDecider, status: ChannelStatus, expected: ChannelDecision
) -> None:
    """Either the kind that is sent, or the one reason why nothing is."""
    assert decides.decisions(LOW, {"phone": status, "desk": TOLD})["phone"] is expected


def test_a_channel_that_refused_is_tried_when_all_refused() -> None:
    """SEMANTICS F3: with nobody else to be told, a refusal holds nothing back."""
    gone = ChannelStatus(given_up=True)
    assert set(decider().decisions(LOW, {"phone": gone, "desk": gone}).values()) == {Kind.FIRING}


@pytest.mark.parametrize("reason", HoldReason)
def test_every_reason_has_words(reason: HoldReason) -> None:
    """No reason is printed as the name of its value."""
    assert " " in str(Hold(reason, by="night"))


def test_people_get_the_source_and_the_end_of_each_reason() -> None:
    """The next reminder, the silence with its comment, or the kind that is due."""
    told = {"phone": TOLD}
    assert decider().explained_decisions(LOW, told) == {
        "phone": Hold(HoldReason.NOT_DUE, until=T0 + 2 * HOUR),
        "desk": Kind.FIRING,
    }
    assert decider(SILENCE, repeat=HOUR).explained_decisions(LOW, told) == dict.fromkeys(
        ("phone", "desk"), Hold(HoldReason.SILENCED, "3", "moving funds")
    )
    queued = {"phone": ChannelStatus(waiting=KEY), "desk": TOLD}
    assert decider(repeat=None).explained_decisions(LOW, queued) == {
        "phone": Hold(HoldReason.QUEUED),
        "desk": Hold(HoldReason.NEVER_REPEATS),
    }
