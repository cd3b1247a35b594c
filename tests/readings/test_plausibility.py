"""Plausibility (B5): suspects, and that no sequence of answers stops all judging."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.readings.plausibility import (
    Doubt,
    PendingSuspect,
    PlausibilityResult,
    PlausibilityState,
    check_answer,
    state_after,
)
from daemon.types import JUDGED, Answer, Balances, Millis, Quality, Reading, Source, Unconfirmed
from tests.values import T0, miss, reading

HALF = Decimal("0.5")


def read(margin: str = "500", at: Millis | None = T0, source: Source = Source.REST) -> Answer:
    values = [Decimal(margin)] * 2 + [Decimal(0)] * 3
    return Answer("7", at, Balances(*values), source=source)


def stamped(seq: int, answer: Answer, quality: Quality) -> Reading:
    return Reading(seq, T0 + seq, answer.source, quality, answer.exchange_at, answer.balances)


def believing(*answers: Answer) -> PlausibilityState:
    """What is believed after these, each judged."""
    state = PlausibilityState()
    for seq, answer in enumerate(answers, 1):
        state = state_after(state, stamped(seq, answer, Quality.OK), HALF)
    return state


def doubting(state: PlausibilityState, *answers: Answer, first: int = 50) -> PlausibilityState:
    for seq, answer in enumerate(answers, first):
        verdict = check_answer(state, answer, HALF)
        state = state_after(state, stamped(seq, answer, verdict.quality), HALF)
    return state


@pytest.mark.parametrize(
    ("answer", "doubts"),
    [
        (read("500"), set()),
        (read("250"), set()),  # exactly half: no more than max_jump
        (read("249"), {Doubt.FELL}),
        (read("-100"), {Doubt.FELL}),
        (read("751"), {Doubt.ROSE}),
        (read("500", T0 - 1), {Doubt.BACK}),
        (read("500", None), set()),
        (read("0"), {Doubt.ZEROS, Doubt.FELL}),
        (read("0", T0 - 1), set(Doubt) - {Doubt.ROSE}),
        (Answer("7", T0, Balances()), set()),  # nothing sent is no zero (promise 5)
        (Answer("7", T0, Balances(al_freeze=Decimal(0))), set()),  # it was zero before
        (Answer("7", T0, Balances(available_usdt=Decimal(0))), {Doubt.ZEROS}),
        (Answer("7", T0, Balances(available_usdt=Decimal(0), cross_un_pnl=Decimal(-3))), set()),
        (Answer("7", T0, Balances(available_margin=Decimal("NaN"))), set()),
    ],
)
def test_b5_suspect_are_only_zeros_a_time_that_goes_back_and_jumps(
    answer: Answer, doubts: set[Doubt]
) -> None:
    """B5: each of them, what is just not one, and what lacks the fields to tell."""
    verdict = check_answer(believing(read("500")), answer, HALF)
    assert verdict == PlausibilityResult(
        Quality.SUSPECT if doubts else Quality.OK, frozenset(doubts)
    )


def test_b5_jumps_are_not_looked_for_unless_asked() -> None:
    """B5: `max_jump` is off by default."""
    assert check_answer(believing(read("500")), read("1"), None).quality is Quality.OK


def test_b5_nothing_is_suspect_of_an_account_never_read_or_empty_before() -> None:
    """B5: zeros after zeros are not suspect, and no jump is measured from zero."""
    assert check_answer(PlausibilityState(), read("0", 1), HALF).quality is Quality.OK
    empty = believing(read("0"))
    assert [check_answer(empty, read(margin), HALF).quality for margin in ("0", "900")] == [
        Quality.OK,
        Quality.OK,
    ]


def test_b5_what_a_push_lacks_is_as_it_was_before() -> None:
    """B5: a push has no time; the next answer is compared with the last time there is."""
    state = believing(
        read("500"), Answer("7", None, Balances(al_freeze=Decimal(4)), source=Source.WS)
    )
    assert check_answer(state, read("500", T0 - 1), HALF).doubts == {Doubt.BACK}
    assert check_answer(state, read("100"), HALF).doubts == {Doubt.FELL}


@pytest.mark.parametrize(
    ("suspect", "then", "verdict"),
    [
        (
            read("100"),
            read("90"),
            (Quality.CONFIRMED, None),
        ),  # values move: the same doubt is enough
        (read("0"), read("0"), (Quality.CONFIRMED, None)),
        (read("0"), read("5"), (Quality.CONFIRMED, None)),  # not all is gone, but the fall is true
        (read("0"), read("490"), (Quality.OK, 50)),
        (read("100"), read("0"), (Quality.SUSPECT, 50)),  # zeros are a doubt of their own
        (read("100"), read("900"), (Quality.SUSPECT, 50)),
        (read("500", T0 - 9), read("500", T0 - 5), (Quality.CONFIRMED, None)),
        (read("500", T0 - 9), read("500", T0), (Quality.OK, 50)),
        (
            read("0"),
            read("0", source=Source.WS),
            (Quality.SUSPECT, None),
        ),  # a push may be the same one again
        (read("0"), read("490", source=Source.WS), (Quality.OK, 50)),
        (read("0", source=Source.WS), read("0", source=Source.CONFIRM), (Quality.CONFIRMED, None)),
    ],
)
def test_b5_the_next_reading_confirms_contradicts_or_takes_its_place(
    suspect: Answer, then: Answer, verdict: tuple[Quality, int | None]
) -> None:
    """B5: a contradicted suspect judges nothing; the next reading is judged on its own."""
    found = check_answer(doubting(believing(read("500")), suspect), then, HALF)
    assert (found.quality, found.contradicts) == verdict


def test_a5_zeros_are_held_against_what_each_field_was_when_it_was_last_known() -> None:
    """A5, B5: fields that an answer lacks keep their last known state."""
    state = believing(read("500"), Answer("7", T0, Balances(al_freeze=Decimal(0))))
    assert check_answer(state, read("0"), None).doubts == {Doubt.ZEROS}


def test_b5_suspects_in_a_row_have_one_clock() -> None:
    """B5: the first of the run is remembered, the last is what would be judged."""
    state = doubting(believing(read("500")), read("100"), read("900"), read("0", source=Source.WS))
    assert state.suspicion is not None
    assert (state.suspicion.first, state.suspicion.reading.seq, state.suspicion.begins) == (
        50,
        52,
        False,
    )
    assert state.suspicion.reading.balances.available_margin == 0


def test_b5_what_was_judged_after_all_is_believed() -> None:
    """B5: after `Unconfirmed` the same values are no news any more."""
    state = doubting(believing(read("500")), read("0", T0 - 5))
    assert state.suspicion is not None
    settled = state_after(state, Unconfirmed(51, T0 + 60, state.suspicion.reading), HALF)
    assert settled == PlausibilityState(T0 - 5, Decimal(0), nonzero=frozenset())
    assert check_answer(settled, read("0", T0 - 4), HALF).quality is Quality.OK


def test_b5_b7_misses_and_stale_answers_settle_nothing() -> None:
    """Promise 5: what brought no reading that counts leaves everything as it is."""
    state = doubting(believing(read("500")), read("0"))
    assert state_after(state, miss(51), HALF) == state
    assert state_after(state, replace(reading(51), quality=Quality.STALE), HALF) == state


ANSWERS = st.builds(
    read,
    st.sampled_from(["0", "3", "100", "240", "500", "1200"]),
    st.sampled_from([None, T0 - 5, T0, T0 + 5]),
    st.sampled_from([Source.REST, Source.CONFIRM, Source.WS]),
)


@given(st.lists(ANSWERS, max_size=30))
def test_b5_every_answer_is_judged_or_waits_with_a_clock(answers: list[Answer]) -> None:
    """B5: an answer that is not judged waits in a run with a clock, or is contradicted."""
    state = PlausibilityState()
    for seq, answer in enumerate(answers, 1):
        verdict = check_answer(state, answer, HALF)
        now = state_after(state, stamped(seq, answer, verdict.quality), HALF)
        assert (now.suspicion is None) == (verdict.quality in JUDGED)
        assert verdict.quality is not Quality.CONFIRMED or state.suspicion is not None
        assert verdict.quality is Quality.SUSPECT or not (
            verdict.doubts and state.suspicion is None
        )
        begun = now.suspicion is not None and now.suspicion.begins
        assert begun == (verdict.quality is Quality.SUSPECT and state.suspicion is None)
        state = now


@given(st.lists(ANSWERS, max_size=30), st.data())
def test_promise_4_what_is_believed_is_a_function_of_the_record(
    answers: list[Answer], data: st.DataObject
) -> None:
    """Promise 4: the state is the same if taken in twice, or rebuilt from recorded rows."""
    state, rows = PlausibilityState(), list[Reading]()
    for seq, answer in enumerate(answers, 1):
        verdict = check_answer(state, answer, HALF)
        if verdict.contradicts is not None:
            rows = [_marked(row) if row.seq >= verdict.contradicts else row for row in rows]
        rows.append(stamped(seq, answer, verdict.quality))
        state = state_after(state, rows[-1], HALF)
        assert state_after(state, rows[-1], HALF) == state
    rebuilt = PlausibilityState()
    for row in rows:
        rebuilt = state_after(rebuilt, row, HALF)
    assert rebuilt == state


def _marked(row: Reading) -> Reading:
    return replace(row, quality=Quality.CONTRADICTED) if row.quality is Quality.SUSPECT else row


def test_a_suspicion_tells_whether_it_begins() -> None:
    """Only then a clock is started for it."""
    assert PendingSuspect(4, reading(4), frozenset()).begins
    assert not PendingSuspect(4, reading(5), frozenset()).begins
