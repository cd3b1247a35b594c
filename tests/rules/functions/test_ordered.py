"""Sorted values: found by position, however many enter and leave."""

from collections import deque
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from daemon.rules.functions._ordered import Ordered

moves = st.lists(st.none() | st.integers(-4, 4) | st.integers(-1_000, 1_000), max_size=120)
"""A value enters; at None, and whenever it grows too long, the oldest leaves."""


@given(moves, st.integers(1, 5))
def test_equals_a_sorted_list(steps: list[int | None], block: int) -> None:
    """With blocks of any size, every position holds what a sorted list holds there."""
    ordered, held = Ordered(block), deque[Decimal]()
    for step in steps:
        if step is not None:
            held.append(Decimal(step))
            ordered.enter(0, 0, held[-1])
        elif held:
            ordered.leave(0, 0, held.popleft())
        assert [ordered[place] for place in range(len(held))] == sorted(held)
        assert all(0 < len(part) <= 3 * block for part in ordered._blocks)


def test_equal_values_stand_as_they_came() -> None:
    """Which of several equal values is shown does not depend on what the window once held."""
    ordered = Ordered(2)
    texts = ["1.0", "1", "1.00", "1.000", "1", "1.0", "0", "2"]
    for text in texts:
        ordered.enter(0, 0, Decimal(text))
    for text in texts[:3]:
        ordered.leave(0, 0, Decimal(text))
    assert [str(ordered[place]) for place in range(5)] == ["0", "1.000", "1", "1.0", "2"]


def test_blocks_are_joined_again() -> None:
    """Few values need few blocks: what is left when many have left is joined."""
    ordered = Ordered(4)
    for value in range(64):
        ordered.enter(0, 0, Decimal(value))
    assert len(ordered._blocks) > 8
    for value in range(60):
        ordered.leave(0, 0, Decimal(value))
    assert [ordered.middle(4), len(ordered._blocks)] == [(Decimal(61), Decimal(62)), 1]


def test_what_was_emptied_takes_values_again() -> None:
    """A window that everything has left begins anew."""
    ordered = Ordered(4)
    for value in (Decimal(3), Decimal(7)):
        ordered.enter(0, 0, value)
        ordered.leave(0, 0, value)
        assert ordered._blocks == []
    ordered.enter(0, 0, Decimal(5))
    assert ordered.middle(1) == (Decimal(5), Decimal(5))
