"""Verdicts on the daemon's own rules, from what its probes found (SEMANTICS D7)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pytest

from daemon.alerts.system_rules import system_rule
from daemon.readings.push_check import Pushes
from daemon.service.delivery.backoff import Health
from daemon.service.judging.account_owner import Progress
from daemon.service.judging.self_checks import UNKNOWN, ProbeResults, Stall, verdict
from daemon.types import (
    HOUR,
    MINUTE,
    SECOND,
    Millis,
)
from tests.fakes import NOON

FAILING = system_rule("channel-failing", 10 * MINUTE)
STEPPED = system_rule("clock-stepped", 250)
FULL = system_rule("disk-full", Decimal("0.05"))
CONTRADICTED = system_rule("push-contradicted", 3)
NOT_JUDGED = system_rule("account-not-judged", 30 * SECOND)
ELAPSED = 1_000_000


def health(failing_for: Millis, streak: int = 3, **changes: object) -> Health:
    known = Health(streak=streak, failing_since=ELAPSED - failing_for, answer="no such host")
    return replace(known, **changes)  # type: ignore[arg-type]


def results(
    waiting: str = "email",
    steps: Sequence[Millis] = (),
    disk: str | None = None,
    **channels: Health,
) -> ProbeResults:
    free = None if disk is None else Decimal(disk)
    return ProbeResults(NOON, ELAPSED, channels, frozenset(waiting.split()), free, steps, UTC)


def test_d7_a_channel_that_fails_for_long_is_named_with_what_it_said() -> None:
    """The sentence says which one, since when, and why; the longest one stands for all."""
    seen = results(
        "email sms", email=health(11 * MINUTE), sms=health(20 * MINUTE), push=health(MINUTE)
    )
    assert (
        verdict(FAILING, seen).detail
        == "the channel sms fails since 10:40:00: no such host; so do email"
    )
    assert verdict(FAILING, seen).when is True
    assert verdict(FAILING, results(email=health(9 * MINUTE))).clear is True


def test_d7_a_channel_that_nothing_waits_for_is_not_in_need() -> None:
    """After its message was superseded its state is unknown; one that refused is parked."""
    assert verdict(FAILING, results("", email=health(HOUR))).when is False
    assert verdict(FAILING, results("", email=health(HOUR, refused=True))).when is True


def test_d7_a_streak_of_an_earlier_life_is_unknown_until_it_is_tried() -> None:
    """A start neither fires nor ends the alert before an attempt says how the channel fares."""
    assert verdict(FAILING, results(email=health(HOUR, streak=0))) == UNKNOWN


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (HOUR, "set by +1 h"),
        (-90 * SECOND, "set by -1 min 30 s"),
        (-HOUR + 2, "set by -1 h"),
        (1_400, "by +1 s"),
    ],
)
def test_d7_a_step_of_the_clock_is_told_with_its_size(by: Millis, told: str) -> None:
    """D7: the largest of several; it ends when there was none of late."""
    seen = results(steps=[by])
    assert verdict(STEPPED, seen).detail.endswith(told)
    assert verdict(STEPPED, replace(seen, steps=[300, by, -SECOND])) == verdict(STEPPED, seen)
    assert verdict(STEPPED, results()).clear is True
    assert verdict(system_rule("clock-stepped", 2 * HOUR), seen).when is False
    assert verdict(STEPPED, results()).when is False


def test_d7_a_full_disk_is_told_and_another_machines_is_not_known() -> None:
    """Less than the limit fires; the limit itself does not."""
    assert (
        verdict(FULL, results(disk="0.049")).detail
        == "less than 5 % of the disk that holds the database is free"
    )
    assert verdict(FULL, results(disk="0.05")).when is False
    assert verdict(FULL, results()) == UNKNOWN


def pushed(*streaks: int, compared: int = 0) -> Pushes:
    """Pushes of which fields have disagreed so often in a row."""
    names = ("al_margin", "al_freeze", "available_margin")
    return Pushes(streaks=dict(zip(names, streaks, strict=False)), compared=compared)


@pytest.mark.parametrize(
    ("pushes", "expected"),
    [
        ({}, False),
        ({"main": pushed()}, None),
        ({"main": pushed(2, compared=2)}, None),
        ({"main": pushed(2, compared=3), "desk": pushed()}, False),
        ({"main": pushed(3, compared=3)}, True),
        ({"main": pushed(3), "desk": pushed()}, True),
    ],
)
def test_b7_pushes_that_contradict_readings(
    pushes: dict[str, Pushes], expected: bool | None
) -> None:
    """B7: it fires once a field is ignored; after a start it is unknown for a while."""
    assert verdict(CONTRADICTED, replace(results(), pushes=pushes)).when is expected


def test_b7_the_contradicted_fields_are_named() -> None:
    """B7: with their accounts, at most some of them, and with the consequence."""
    some = {"main": pushed(3, 3), "desk": pushed(3)}
    many = {**some, **{f"a{number}": pushed(3) for number in range(5)}}
    told = [verdict(CONTRADICTED, replace(results(), pushes=each)).detail for each in (some, many)]
    named = "pushes contradict readings in al_margin, al_freeze of main, al_margin of desk"
    end = ", which readings alone tell until a restart"
    assert told == [f"{named}{end}", f"{named}, al_margin of a0 and of 4 more{end}"]


def stalled(*lasted: Millis) -> dict[str, Stall]:
    """Accounts a0, a1 and so on, of which nothing has been judged for so long."""
    return {f"a{number}": Stall(7, ELAPSED - each, each) for number, each in enumerate(lasted)}


STUCK, GOING, NEW = Progress(7, behind=True), Progress(8, behind=False), Progress(0, behind=False)


@pytest.mark.parametrize(
    ("seen", "progress", "when", "clear"),
    [
        ((), (), False, True),
        ((), (GOING, GOING), False, True),
        ((), (GOING, NEW), None, None),
        ((), (GOING, Progress(0, behind=True)), None, None),
        ((29 * SECOND,), (STUCK,), False, True),
        ((30 * SECOND,), (STUCK, NEW), True, False),
        ((HOUR, SECOND), (STUCK, STUCK), True, False),
    ],
)
def test_d7_an_account_that_is_not_judged_for_long(
    seen: tuple[Millis, ...], progress: tuple[Progress, ...], when: bool | None, clear: bool | None
) -> None:
    """D7: it fires at its limit, and ends when every account has judged something."""
    by_account = {f"a{number}": each for number, each in enumerate(progress)}
    found = verdict(NOT_JUDGED, replace(results(), stalls=stalled(*seen), progress=by_account))
    assert (found.when, found.clear) == (when, clear)


def test_d7_the_accounts_that_are_not_judged_are_named() -> None:
    """D7: at most some, since when, and the remedy; none below the limit."""
    end = " are not judged since 10:58:00: restart the service, and report this"
    told = [
        verdict(NOT_JUDGED, replace(results(), stalls=stalled(*lasted))).detail
        for lasted in ((2 * MINUTE, SECOND), (MINUTE, *[2 * MINUTE] * 4))
    ]
    assert told == [f"readings of a0{end}", f"readings of a0, a1, a2 and 2 more{end}"]
