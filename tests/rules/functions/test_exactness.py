"""Promise 7 for every window function: equal to a plain recomputation, to the digit."""

from decimal import Decimal

from hypothesis import given, settings
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


def equals_recomputation(name: str, span: int, told: list[tuple[int, str]], given: str) -> bool:
    """The function shows at each entry what a recomputation from all entries gives."""
    beside = further_of(name, given)
    shown = slid(name, span, *told, further=beside)
    expected = recomputed(name, span, told, beside or "1")
    return [None if one is None else Decimal(one) for one in shown] == expected


def forgets(name: str, span: int, told: list[tuple[int, str]], given: str) -> bool:
    """The function's last digits are those of a window that began with what it holds now."""
    beside = further_of(name, given)
    held = [entry for entry in told if entry[0] >= told[-1][0] - span]
    carried, fresh = (slid(name, span, *each, further=beside)[-1] for each in (told, held))
    return carried == fresh


# Each series is given to all functions: to draw one costs far more than to compute with it.
many = settings(max_examples=2 * settings().max_examples)


@many
@given(series, spans, further)
def test_c3_equals_recomputation(steps: list[tuple[int, str]], span: int, given: str) -> None:
    """C3: over any readings with any digits, the sliding value is the recomputed one."""
    told = placed(steps)
    assert [name for name in WINDOWS if not equals_recomputation(name, span, told, given)] == []


@many
@given(with_infinities, spans, further)
def test_c4_equals_recomputation_among_infinities(
    steps: list[tuple[int, str]], span: int, given: str
) -> None:
    """C4: infinities are taken for what they are while they are held, and leave no trace."""
    told = placed(steps)
    assert [name for name in WINDOWS if not equals_recomputation(name, span, told, given)] == []


@many
@given(series, further)
def test_a_window_does_not_remember(steps: list[tuple[int, str]], given: str) -> None:
    """Promise 4: a carried window shows the very digits of one that never held anything else."""
    told = placed(steps)
    assert [name for name in WINDOWS if not forgets(name, 20_000, told, given)] == []
