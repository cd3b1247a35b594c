"""F2: when a channel may be tried next."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.service.delivery.backoff import (
    CAP,
    CRITICAL_CAP,
    CRITICAL_PAUSE,
    LONGEST_PAUSE,
    PROBE_GAP,
    Health,
    WaitingNotification,
    after_attempt,
    attempt_begun,
    delay,
    due_at,
    recorded_health,
)
from daemon.store.read.channel_health import Deliveries, Streak
from daemon.types import SECOND, AttemptResult, Millis, Outcome

LATER = AttemptResult(Outcome.LATER)
MILD, GRAVE = WaitingNotification(1_000, critical=False), WaitingNotification(1_000, critical=True)


def failing(streak: int = 3, at: int = 10_000, jitter: float = 1.0) -> Health:
    """Attempts that took no time."""
    health = Health()
    for _ in range(streak):
        health = after_attempt(attempt_begun(health, at), LATER, at, critical=False, jitter=jitter)
    return health


def test_nothing_waiting_is_never_due() -> None:
    """An empty queue has no next attempt."""
    assert due_at(Health(), [], SECOND) is None


def test_what_fires_together_is_joined() -> None:
    """F5: due `group_wait` after the first of them."""
    assert due_at(Health(), [WaitingNotification(2_500, critical=False), MILD], SECOND) == 2_000


def test_a_critical_never_waits() -> None:
    """F5: a critical takes along what waits, at once."""
    assert due_at(Health(), [MILD, WaitingNotification(1_200, critical=True)], SECOND) == 1_200


@given(st.integers(1, 200), st.booleans(), st.floats(0, 1))
def test_the_backoff_is_bounded(streak: int, critical: bool, jitter: float) -> None:
    """F2: full jitter, at most 30 s while a critical waits, else 5 min."""
    assert 0 <= delay(streak, critical, jitter) <= (CRITICAL_CAP if critical else CAP)


def test_the_backoff_grows_with_the_streak() -> None:
    """Each failure doubles the bound until the cap."""
    assert [delay(streak, critical=False, jitter=1.0) for streak in (1, 2, 3, 9, 99)] == [
        2_000,
        4_000,
        8_000,
        CAP,
        CAP,
    ]


def test_a_failing_channel_waits_for_its_retry() -> None:
    """F2: messages queued before the last attempt do not hurry it."""
    health = failing(3)
    assert due_at(health, [MILD], SECOND) == 10_000 + 8_000
    assert due_at(health, [GRAVE], SECOND) == 10_000 + 8_000


def test_a_new_critical_triggers_a_probe_at_once() -> None:
    """F2: but at most one per 5 s."""
    health = failing(3)
    assert (
        due_at(health, [WaitingNotification(10_001, critical=True)], SECOND) == 10_000 + PROBE_GAP
    )
    assert due_at(health, [WaitingNotification(16_000, critical=True)], SECOND) == 16_000


def test_a_critical_that_came_while_an_attempt_ran_is_new() -> None:
    """F2: it was not in that attempt, so a probe is made at once."""
    health = after_attempt(
        attempt_begun(failing(8), 100_000), LATER, 130_000, critical=False, jitter=1.0
    )
    assert due_at(health, [WaitingNotification(110_000, critical=True)], SECOND) == 130_000


def test_a_critical_waits_no_longer_than_its_cap() -> None:
    """F2: at most 30 s with a critical, even if the delay was chosen without one."""
    health = after_attempt(
        attempt_begun(failing(8), 100_000), LATER, 101_000, critical=False, jitter=1.0
    )
    assert due_at(health, [MILD], SECOND) == 101_000 + CAP
    assert due_at(health, [MILD, GRAVE], SECOND) == 100_000 + CRITICAL_CAP


def test_the_services_own_word_is_obeyed() -> None:
    """F2: `retry_after` overrides a critical, too."""
    health = after_attempt(
        Health(),
        AttemptResult(Outcome.LATER, retry_after=60_000),
        10_000,
        critical=True,
        jitter=0.0,
    )
    assert due_at(health, [WaitingNotification(20_000, critical=True)], SECOND) == 70_000


@given(st.integers(1, 10**12), st.integers(0, 10**9), st.booleans(), st.floats(0, 1))
def test_s6_no_service_silences_a_channel_for_long(
    asked: Millis, came: Millis, critical: bool, jitter: float
) -> None:
    """S6: at most an hour, and 15 minutes while a critical waits, even one that came later."""
    health = after_attempt(
        attempt_begun(Health(), 0),
        replace(LATER, retry_after=asked),
        0,
        critical=critical,
        jitter=jitter,
    )
    mild = due_at(health, [WaitingNotification(0, critical=False)], SECOND)
    grave = due_at(
        health,
        [WaitingNotification(0, critical=False), WaitingNotification(came, critical=True)],
        SECOND,
    )
    assert mild is not None
    assert grave is not None
    assert min(asked, LONGEST_PAUSE) <= mild <= LONGEST_PAUSE
    assert min(asked, CRITICAL_PAUSE) <= grave <= CRITICAL_PAUSE


@pytest.mark.parametrize(
    ("ago", "asked", "due"), [(600, 900, 300), (600, 99_999, 3_000), (600, 500, 1), (600, None, 1)]
)
def test_s6_a_pause_outlasts_a_restart(ago: int, asked: int | None, due: int) -> None:
    """S6: the rest of a recorded pause holds, up to its bound; without one it is tried at once."""
    now, elapsed = 10**9, 10**6
    retry_after = None if asked is None else asked * SECOND
    own = Streak(2, now - 2 * ago * SECOND, now - ago * SECOND, Outcome.LATER, "busy", retry_after)
    health = recorded_health(
        Deliveries("x", None, tested=False, failing=own, own=own), now, elapsed
    )
    assert (
        due_at(health, [WaitingNotification(elapsed, critical=False)], SECOND)
        == elapsed + due * SECOND
    )
    assert health.failing_since == elapsed - 2 * ago * SECOND


def test_the_streak_ends_with_a_delivery() -> None:
    """A delivery resets the channel; the start of a streak is kept until then."""
    health = after_attempt(failing(2, at=10_000), LATER, 20_000, critical=False, jitter=0.5)
    assert (health.streak, health.failing_since) == (3, 10_000)
    whole = after_attempt(
        attempt_begun(health, 29_000),
        AttemptResult(Outcome.DELIVERED),
        30_000,
        critical=False,
        jitter=0.5,
    )
    assert whole == Health(tried_at=29_000)


def test_a_refusal_is_remembered() -> None:
    """F3: the channel is parked."""
    assert (
        after_attempt(
            Health(), AttemptResult(Outcome.REFUSED), 1, critical=False, jitter=0.0
        ).refused
        is True
    )
