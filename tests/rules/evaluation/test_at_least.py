"""`at_least = "3 of 5"`: SEMANTICS D3, and together with clear_when, pushes, unknown readings and
gaps.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.engine import step
from daemon.rules.evaluation.at_least import MOfNCounter, scheduled
from daemon.rules.evaluation.evaluator import Evaluator
from daemon.rules.rule import AtLeast, Rule
from daemon.types import MINUTE, SECOND, Millis, Reading, Source, State, Unconfirmed
from tests.values import T0, miss, reading, rule, state

THREE_OF_FIVE = AtLeast(3, 5)
OFTEN = rule(at_least=THREE_OF_FIVE)
WIDE = rule(at_least=THREE_OF_FIVE, clear_when="available_margin > 120")


Given: TypeAlias = tuple[Millis, bool | None, bool | None]
"""When, or how long after the last; whether `when` and `clear_when` held."""


def push(one: Reading, source: Source = Source.WS) -> Reading:
    return replace(one, source=source)


def played(one: Rule, values: Sequence[str | Reading]) -> str:
    """State of the alert after each reading, one a second: `.` none, `F` firing."""
    evaluator, here, seen = Evaluator([one]), state(), ""
    for seq, value in enumerate(values, 1):
        given = (
            reading(seq, T0 + seq * SECOND, available_margin=value)
            if isinstance(value, str)
            else value
        )
        event = replace(given, seq=seq, at=T0 + seq * SECOND)
        here = step(
            here, event, evaluator.read(event, here.alerts), {one.name: one}, lambda *_: "abcd"
        ).state
        seen += {None: ".", State.FIRING: "F"}[
            here.alerts[one.name].state if one.name in here.alerts else None
        ]
    return seen


def test_d3_it_fires_when_so_many_of_the_last_hold() -> None:
    """D3: the third of the last five, whatever lies between; an older one no longer counts."""
    assert played(OFTEN, ["90", "500", "90", "500", "90"]) == "....F"
    assert played(OFTEN, ["90", "90", "90"]) == "..F"
    assert played(OFTEN, ["90", "500", "500", "90", "500", "90"]) == "......"


def test_d3_it_clears_when_fewer_hold() -> None:
    """D3: without clear_when as soon as fewer than three of the last five hold."""
    assert played(OFTEN, ["90", "90", "90", "500", "500", "500"]) == "..FFF."


def test_d3_with_clear_when_it_clears_when_so_many_fulfil_that() -> None:
    """D3: three of the last five above 120; readings in between count for neither."""
    assert played(WIDE, ["90", "90", "90", "110", "110", "110", "110"]) == "..FFFFF"
    assert played(WIDE, ["90", "90", "90", "130", "130", "110", "130"]) == "..FFFF."
    assert (
        played(WIDE, ["90", "90", "90", "130", "110", "110", "130", "110", "110", "130"])
        == "..FFFFFFFF"
    )


def test_d3_while_enough_hold_nothing_clears() -> None:
    """D2, D3: with few readings both can be true at once; then `when` wins."""
    both = rule(at_least=AtLeast(2, 5), clear_when="available_margin > 120")
    assert played(both, ["90", "90", "130", "130", "110", "110"]) == ".FFFF."


@pytest.mark.parametrize("source", [Source.WS, Source.CONFIRM])
def test_d3_pushes_and_confirmations_do_not_count(source: Source) -> None:
    """D3: neither for firing nor for clearing, however many."""
    low, high = (push(reading(1, available_margin=value), source) for value in ("90", "500"))
    assert played(OFTEN, ["90", "90", low, low, low, "90"]) == ".....F"
    assert played(OFTEN, ["90", "90", "90", high, high, high, high]) == "..FFFFF"


def test_d3_an_unconfirmed_reading_was_scheduled() -> None:
    """D3, B5: it was read at its slot, and is judged after all."""
    assert scheduled(Unconfirmed(2, T0, reading(1)))
    assert not scheduled(Unconfirmed(2, T0, push(reading(1))))


def test_d3_unknown_readings_do_not_count() -> None:
    """D3, C2: what is not known changes nothing."""
    unknown = replace(reading(1), balances=replace(reading(1).balances, available_margin=None))
    assert played(OFTEN, ["90", "90", unknown, unknown, unknown, unknown, "90"]) == "......F"
    assert played(OFTEN, ["90", "90", "90", unknown, unknown, unknown, unknown]) == "..FFFFF"


def test_d3_at_an_unknown_reading_nothing_is_said() -> None:
    """C2, promise 4: what is counted is of earlier readings, which a rebuild may not have seen."""
    evaluator = Evaluator([rule(at_least=AtLeast(1, 1), keep_firing_for=MINUTE)])
    evaluator.read(reading(1, available_margin="500"))
    unknown = replace(reading(2), balances=replace(reading(2).balances, available_margin=None))
    verdict = evaluator.read(unknown)["low"]
    assert (verdict.when, verdict.clear) == (None, None)


def test_d3_a_gap_empties_it_and_ends_nothing() -> None:
    """D3, promise 5: after a pause longer than missing_after the count starts again."""
    evaluator = Evaluator([OFTEN])

    def when(at: Millis, value: str) -> bool | None:
        return evaluator.read(reading(1, T0 + at, available_margin=value))["low"].when

    found = [when(0, "90"), when(1, "90"), when(2 * MINUTE + 1, "90")]
    found += [when(4 * MINUTE + 2, value) for value in ("500", "500", "90", "500")]
    assert found == [None, None, True, None, None, None, False]


def test_d3_misses_say_nothing() -> None:
    """D3, promise 5: also to a rule that names `age`."""
    evaluator = Evaluator([rule(when="available_margin < 100 or age > 1m", at_least=AtLeast(1, 1))])
    evaluator.read(reading(1, available_margin="90"))
    verdict = evaluator.miss(miss(2, T0 + 2 * MINUTE))["low"]
    assert (verdict.when, verdict.clear) == (None, None)


def test_a5_a_step_of_the_clock_makes_no_gap() -> None:
    """A5: neither does it hide one."""
    counter = MOfNCounter(AtLeast(2, 2), MINUTE)
    counter.shift(5)
    counter.take(T0, when=True, clear=False)
    counter.shift(10 * MINUTE)
    counter.take(T0 + 11 * MINUTE, when=True, clear=False)
    assert counter.when() is True
    counter.shift(-10 * MINUTE)
    counter.take(T0 + 2 * MINUTE + 1, when=True, clear=False)
    assert counter.when() is None


def naive(
    found: Sequence[tuple[Millis, bool | None, bool | None]], least: AtLeast, pause: Millis
) -> tuple[object, bool]:
    """The same from all readings, written plainly."""
    known = [one for one in found if one[1] is not None]
    start = 0
    for number in range(1, len(known)):
        if known[number][0] - known[number - 1][0] > pause:
            start = number
    last = known[start:][-least.of :]
    held = [when for _, when, _ in last]
    cleared = sum(clear is True and not when for _, when, clear in last)
    if held.count(True) >= least.count:
        return True, cleared >= least.count
    open_ = least.of - len(held)
    return (None if held.count(True) + open_ >= least.count else False), cleared >= least.count


TRUTHS: st.SearchStrategy[bool | None] = st.sampled_from([True, False, None])


@given(
    st.lists(st.tuples(st.sampled_from([1, 50, 100, 101]), TRUTHS, TRUTHS), max_size=30),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(0, 30),
)
def test_d3_equals_a_recomputation_and_a_rebuild(
    inputs: list[Given], count: int, more: int, stop: int
) -> None:
    """D3, promise 4: the count is the same from all readings and from its look-back."""
    least = AtLeast(count, count + more)
    live, found, now = MOfNCounter(least, 100), list[Given](), T0
    rebuilt = MOfNCounter(least, 100)
    for number, (after, when, clear) in enumerate(inputs):
        if number == stop:
            rebuilt = MOfNCounter(least, 100)
            for one in (old for old in found if old[0] >= now - live.look_back):
                rebuilt.take(*one)
        now += after
        found.append((now, when, clear))
        live.take(now, when, clear)
        assert (live.when(), live.clear()) == naive(found, least, 100)
        if number >= stop:
            rebuilt.take(now, when, clear)
        if number >= stop and when is not None:  # at an unknown reading it is not asked
            assert (rebuilt.when(), rebuilt.clear()) == (live.when(), live.clear())
