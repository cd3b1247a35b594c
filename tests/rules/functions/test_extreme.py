"""The aggregate of extremes: a queue that stays short."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from daemon.rules.functions._extreme import Highest
from tests.rules.functions.sliding import slid


def test_outdone_values_leave_at_once() -> None:
    """A later value that is at least as extreme removes earlier ones, equal ones included."""
    extreme = Highest()
    for number, value in enumerate((5, 4, 3, 4, 4)):
        extreme.enter(number, 0, Decimal(value))
    assert (list(extreme._numbers), list(extreme._values)) == ([0, 4], [Decimal(5), Decimal(4)])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 3)), max_size=30), st.integers(0, 12))
def test_equals_plain_extremes(steps: list[tuple[int, int]], span: int) -> None:
    """Over any series, duplicate instants included, both are the extremes of the window."""
    at, series = 0, []
    for after, value in steps:
        at += after
        series.append((at, str(value)))
    held = [
        [int(v) for a, v in series[: n + 1] if a >= series[n][0] - span] for n in range(len(series))
    ]
    assert slid("max", span, *series) == [str(max(values)) for values in held]
    assert slid("min", span, *series) == [str(min(values)) for values in held]
