"""What people asked not to be told: SEMANTICS E1, E2."""

from dataclasses import replace
from decimal import Decimal

import pytest

from daemon.alerts.channel_decisions import ChannelStatus
from daemon.alerts.silences import find_acknowledgement, find_silence, standing_silences
from daemon.types import FLAPPING, HOUR, MINUTE, SECOND, Kind, Late, Millis, Severity, Silence
from tests.alerts.test_dispatch_policy import FIRED, OVER, Phone
from tests.values import T0, rule

HUSH = Silence(1, False, "low*", "main", "", T0 + 10 * SECOND, T0 + MINUTE)
CODE = "low-main-0"
"""Of an alert that fires at T0."""
ACK = Silence(2, True, "low", "main", CODE, T0 + 10 * SECOND, None, "adding margin")


def quiet(*silences: Silence, **policy: object) -> Phone:
    phone = Phone(rule(**policy))  # type: ignore[arg-type]
    phone.silences = silences
    return phone


def test_a_silence_of_one_alert_stands_while_the_alert_is_open() -> None:
    """Others stand until their end."""
    assert standing_silences([HUSH, ACK], {CODE}, T0 + 20 * SECOND) == [HUSH, ACK]
    assert standing_silences([HUSH, ACK], (), T0 + 20 * SECOND) == [HUSH]
    assert standing_silences([HUSH, ACK], {CODE}, T0 + MINUTE) == [ACK]


@pytest.mark.parametrize(
    ("name", "account", "code", "at", "holds"),
    [
        ("low-margin", "main", "k3f9", T0 + 10 * SECOND, True),
        ("low-margin" + FLAPPING, "main", "k3f9", T0 + MINUTE - 1, True),
        ("low-margin", "main", "k3f9", T0 + MINUTE, False),
        ("low-margin", "main", "k3f9", T0 + 10 * SECOND - 1, False),
        ("high", "main", "k3f9", T0 + 10 * SECOND, False),
        ("low-margin", "grid", "k3f9", T0 + 10 * SECOND, False),
    ],
)
def test_e2_a_silence_is_about_what_its_globs_match_while_it_lasts(
    name: str, account: str, code: str, at: Millis, *, holds: bool
) -> None:
    """E2: from its beginning on, up to its end; flapping goes by the rule's name."""
    assert (find_silence([HUSH], name, account, code, at) is HUSH) is holds


def test_e2_a_silence_of_one_alert_is_about_no_other() -> None:
    """E2: nor about the rule's next alert; of several the longest is named."""
    one = Silence(3, False, "low", "main", CODE, T0, None)
    assert find_silence([one], "low", "main", "k3f9", T0) is None
    assert find_silence([HUSH, one], "low", "main", CODE, T0 + 20 * SECOND) is one
    assert (
        find_silence([replace(HUSH, account="*")], "disk-full", "", "k3f9", T0 + 20 * SECOND)
        is None
    )
    assert (
        find_silence(
            [replace(HUSH, rule="*", account="*")], "disk-full", "", "k3f9", T0 + 20 * SECOND
        )
        is not None
    )
    assert find_acknowledgement([HUSH, one], CODE, T0) is None
    assert find_acknowledgement([ACK], CODE, T0) is None
    assert find_acknowledgement([ACK], CODE, T0 + HOUR) is ACK


def test_e2_what_fires_in_a_silence_is_told_after_it() -> None:
    """E2: as firing since, muted until now."""
    phone = quiet(HUSH)
    assert [phone.read(second, "90") for second in (10, 59.999)] == [[], []]
    assert phone.read(60, "90") == [("low", Kind.FIRING, Late.MUTED)]


def test_e2_what_came_and_went_in_a_silence_is_history_only() -> None:
    """E2: nobody was told, so nobody hears of its end."""
    phone = quiet(HUSH)
    assert [phone.read(20, "90"), phone.read(30, "500"), phone.read(70, "500")] == [[], [], []]


def test_e2_the_end_of_what_was_told_is_told_in_a_silence_at_once() -> None:
    """E2: reminders and worse are held, the end is not."""
    phone = quiet(HUSH, repeat=SECOND, worse_by=Decimal("0.1"))
    assert phone.read(0, "90") == FIRED
    assert [phone.read(20, "90"), phone.read(30, "9")] == [[], []]
    assert phone.read(40, "500") == OVER


def test_e2_what_waits_when_a_silence_begins_is_superseded() -> None:
    """E2: a firing that was queued and never tried."""
    phone = quiet(HUSH)
    phone.away = True
    phone.read(0, "90")
    key = phone.notices[-1].key
    phone.told["low", key.alert_seq] = {"phone": ChannelStatus(waiting=key)}
    phone.read(20, "90")
    assert phone.last is not None
    assert phone.last.record.superseded == (key,)


def test_e1_an_ack_is_told_once_and_ends_the_reminders() -> None:
    """E1: channels that were told get the comment; worse values and the end are told as before."""
    phone = quiet(ACK, repeat=20 * SECOND, worse_by=Decimal("0.5"))
    assert phone.read(0, "90") == FIRED
    assert phone.read(10, "90") == [("low", Kind.ACK, Late.NO)]
    assert phone.facts.detail == "adding margin"
    assert phone.facts.still_told == (Kind.WORSE, Kind.RESOLVED)
    assert [phone.read(second, "90") for second in (20, 40, 60)] == [[], [], []]
    assert phone.read(70, "40") == [("low", Kind.WORSE, Late.NO)]
    assert phone.read(80, "500") == OVER


def test_e1_an_ack_of_what_nobody_was_told_is_told_to_nobody() -> None:
    """E1: the firing itself is news to a channel that missed it."""
    phone = quiet(ACK)
    phone.away = True
    assert [kind for second in (0, 10) for _, kind, _ in phone.read(second, "90")] == [
        Kind.FIRING
    ] * 2


def test_e1_the_next_alert_of_the_rule_is_not_acknowledged() -> None:
    """E1: it is another one."""
    phone = quiet(ACK, repeat=20 * SECOND)
    for second, value in ((0, "90"), (10, "90"), (20, "500"), (30, "90")):
        phone.read(second, value)
    assert phone.read(50, "90") == [("low", Kind.REPEAT, Late.NO)]


def test_e2_even_a_critical_is_silenced() -> None:
    """E2: whoever asks for silence gets it."""
    assert quiet(HUSH, severity=Severity.CRITICAL).read(20, "90") == []
