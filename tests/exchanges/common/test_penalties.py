"""SEMANTICS B2: when to ask again after a miss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.exchanges.common.penalties import (
    Pause,
    pause_after,
    pause_after_misses,
    pause_after_reload,
)
from daemon.types import MINUTE, SECOND, Millis, Miss, MissReason
from tests.values import T0

LIMITED, BLOCKED = MissReason.RATE_LIMITED, MissReason.BLOCKED
REFUSED = (MissReason.AUTH, MissReason.PERMISSION, MissReason.WRONG_USER)
PASSING = (MissReason.TIMEOUT, MissReason.NETWORK, MissReason.HTTP_5XX)
BAD = MissReason.BAD_ANSWER


def lengths(*outcomes: MissReason) -> list[Millis]:
    """The pauses in seconds when each attempt is made as soon as the pause before it allows."""
    pause, found = Pause(), []
    for outcome in outcomes:
        pause = pause_after(pause, outcome, pause.not_before)
        found.append(pause.length // SECOND)
    return found


@pytest.mark.parametrize("reason", PASSING)
def test_b2_passing_failures_wait_for_the_next_slot(reason: MissReason) -> None:
    """B2: after timeout, network and http_5xx the next slot is used."""
    assert Pause(not_before=7) == pause_after(Pause(), reason, 7)


def unusable(*minutes: float, between: MissReason | None = BAD) -> list[Millis]:
    """The pauses in seconds after bad answers at these minutes; the last but one may be another."""
    pause, found = pause_after(Pause(), BAD, T0), []
    for index, minute in enumerate(minutes):
        outcome = between if index == len(minutes) - 2 else BAD
        pause = pause_after(pause, outcome, T0 + round(minute * MINUTE))
        found.append(pause.length // SECOND)
    return found


def test_b1_bad_answers_that_last_are_asked_for_once_a_minute() -> None:
    """B1, B2: the next slot for ten minutes, then once a minute; the first answer ends that."""
    assert unusable(1, 5, 9.99, 10, 11, 90) == [0, 0, 0, 60, 60, 60]
    assert unusable(5, 10, 11, between=MissReason.TIMEOUT) == [0, 0, 60]
    assert unusable(10, 11, 12, between=None) == [60, 0, 0]
    assert unusable(10, 11, 12, between=MissReason.AUTH) == [60, 30, 0]
    assert (
        pause_after_reload(pause_after(pause_after(Pause(), BAD, 0), BAD, 10 * MINUTE)) == Pause()
    )


def test_b1_a_bad_answer_leaves_the_ladder_of_refusals_where_it_is() -> None:
    """B1, B2: it is no success, and the next refusal is the next step."""
    assert lengths(LIMITED, LIMITED, BAD, LIMITED) == [10, 30, 0, 60]


def test_b2_too_many_calls() -> None:
    """B2: 10, 30, then 60 s, and every 5 min once it has lasted for ten minutes."""
    assert [10, 30, *[60] * 10, 300, 300] == lengths(*[LIMITED] * 14)


def test_b2_blocked() -> None:
    """B2: 30, then 60 s, and every 5 min once it has lasted for ten minutes."""
    assert [30, *[60] * 10, 300, 300] == lengths(*[BLOCKED] * 13)


def test_b2_both_are_one_ladder() -> None:
    """B2: a block after too many calls is the next step, not a new beginning."""
    assert lengths(LIMITED, BLOCKED, LIMITED) == [10, 60, 60]


@pytest.mark.parametrize("reason", REFUSED)
def test_b2_a_refused_key(reason: MissReason) -> None:
    """B2: every 30 s for five minutes, then every five."""
    assert [*[30] * 10, 300, 300] == lengths(*[reason] * 12)


def test_b2_refused_keys_are_one_streak() -> None:
    """B2: the five minutes run on when the exchange words its refusal differently."""
    outcomes = [REFUSED[index % 3] for index in range(11)]
    assert [*[30] * 10, 300] == lengths(*outcomes)


def test_b2_another_kind_of_refusal_begins_anew() -> None:
    """A refused key says nothing about how busy the exchange is, nor the other way round."""
    assert lengths(LIMITED, LIMITED, MissReason.AUTH, LIMITED) == [10, 30, 30, 10]


def test_b2_the_first_success_ends_the_pause() -> None:
    """B2: after an answer the ladder starts at its foot."""
    tired = Pause(LIMITED, since=0, streak=5, length=60 * SECOND, not_before=60 * SECOND)
    assert Pause() == pause_after(tired, None, MINUTE)


def test_b2_a_passing_failure_is_no_success() -> None:
    """B2: after a timeout between two refusals comes the next slot; the ladder goes on after it."""
    assert lengths(LIMITED, LIMITED, MissReason.TIMEOUT, LIMITED) == [10, 30, 0, 60]


def test_b2_a_reload_frees_a_refused_key_only() -> None:
    """B2: a refused key is tried at once on reload; an exchange that is busy is left alone."""
    refused, busy = pause_after(Pause(), MissReason.AUTH, 5), pause_after(Pause(), BLOCKED, 5)
    assert [Pause(), busy] == [pause_after_reload(refused), pause_after_reload(busy)]


@given(st.lists(st.tuples(st.sampled_from(MissReason), st.integers(0, 7 * MINUTE)), max_size=40))
def test_b2_the_record_tells_where_an_account_stands(
    attempts: list[tuple[MissReason, Millis]],
) -> None:
    """B2, B3: recorded misses lead to the pause the daemon was in, by whichever clock."""
    pause, at, misses = Pause(), T0, []
    for reason, later in attempts:
        at = max(at + later, pause.not_before)
        pause = pause_after(pause, reason, at)
        misses.append(Miss(1, at, reason, "no"))
    assert pause_after_misses(misses, at) == pause
    assert pause_after_misses(misses, at).moved(5).moved(-5) == pause


def test_b2_a_pause_is_no_longer_for_a_clock_that_was_set_back() -> None:
    """A5, B2: a miss of the future holds nobody up for more than its pause."""
    refused = Miss(1, T0 + 60 * MINUTE, LIMITED, "no")
    assert pause_after_misses([refused], T0).not_before == T0 + 10 * SECOND
    assert pause_after_misses([], T0) == Pause()
