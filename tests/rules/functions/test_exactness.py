"""Promise 7 for every window function: equal to a plain recomputation, to the digit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.rules.functions import Parameter, WindowFunction, find, names
from tests.rules import naive
from tests.rules.functions.sliding import slid

WINDOWS = [name for name in names() if isinstance(find(name), WindowFunction)]

INFINITIES = ("Infinity", "-Infinity")
AWKWARD = (
    "0",
    "-0",
    "0.10",
    "996660.6064387699998485",
    "1e27",
    "-3e-9",
    "3.333333333333333333333333333",
)
even = st.integers(-5, 5).map(str)
uneven = st.decimals(min_value=-1_000, max_value=1_000, places=4).map(str)
values = st.one_of(even, uneven, uneven, st.sampled_from(AWKWARD))
pauses = st.sampled_from([0, 1, 400, 1_000, 1_000, 5_000, 60_000])
entries = st.tuples(pauses, values)
series = st.lists(entries, min_size=10, max_size=40)
with_infinities = st.lists(st.tuples(pauses, values | st.sampled_from(INFINITIES)), max_size=24)
spans = st.sampled_from([1, 1_000, 12_345, 60_000, 10_000_000])
further = st.sampled_from(["1", "0.001", "-3.5", "100"])


def placed(steps: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The steps with instants instead of pauses."""
    at, told = 1_767_265_200_000, []
    for pause, value in steps:
        at += pause
        told.append((at, value))
    return told


def recomputed(
    name: str, span: int, told: list[tuple[int, str]], given: str
) -> list[Decimal | None]:
    """The function's value after each entry, from all entries."""
    shown = []
    for number, (now, _) in enumerate(told):
        held = [(at, Decimal(value)) for at, value in told[: number + 1] if at >= now - span]
        shown.append(naive._window(name, held, Decimal(given)))
    return shown


def further_of(name: str, given: str) -> str:
    """Further arguments of a function: any level, or a least above 0."""
    function = find(name)
    assert isinstance(function, WindowFunction)
    if Parameter.LEVEL in function.parameters:
        return given
    return given.lstrip("-") if Parameter.LEAST in function.parameters else ""


@pytest.mark.parametrize("name", WINDOWS)
@given(series, spans, further)
def test_c3_equals_recomputation(
    name: str, steps: list[tuple[int, str]], span: int, given: str
) -> None:
    """C3: over any readings with any digits, the sliding value is the recomputed one."""
    told, beside = placed(steps), further_of(name, given)
    shown = slid(name, span, *told, further=beside)
    assert [None if one is None else Decimal(one) for one in shown] == recomputed(
        name, span, told, beside or "1"
    )


@pytest.mark.parametrize("name", WINDOWS)
@given(with_infinities, spans, further)
def test_c4_equals_recomputation_among_infinities(
    name: str, steps: list[tuple[int, str]], span: int, given: str
) -> None:
    """C4: infinities are taken for what they are while they are held, and leave no trace."""
    told, beside = placed(steps), further_of(name, given)
    shown = slid(name, span, *told, further=beside)
    assert [None if one is None else Decimal(one) for one in shown] == recomputed(
        name, span, told, beside or "1"
    )


@pytest.mark.parametrize("name", WINDOWS)
@given(series, further)
def test_a_window_does_not_remember(name: str, steps: list[tuple[int, str]], given: str) -> None:
    """Promise 4: a carried window shows the very digits of one that never held anything else."""
    told, beside = placed(steps), further_of(name, given)
    span = 20_000
    since = told[-1][0] - span
    held = [entry for entry in told if entry[0] >= since]
    assert (
        slid(name, span, *told, further=beside)[-1] == slid(name, span, *held, further=beside)[-1]
    )
