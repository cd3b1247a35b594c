"""The random day: plausible for every seed, and the same for the same one."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.exchanges.simulator import Sheet, trading_day
from daemon.exchanges.simulator.sheet import number
from daemon.exchanges.simulator.trading_day import FUNDING, STEP, Book, _deposit, _draws, _funding
from daemon.types import DAY, MINUTE

SEEDS = st.integers(min_value=0, max_value=2**32)
few = settings(max_examples=4, deadline=None)


def _sheets(seed: int) -> list[Sheet]:
    story = trading_day(seed)
    return [story(at, 0) for at in range(0, DAY, MINUTE)]


@pytest.mark.no_cover
@few
@given(SEEDS)
def test_same_seed_same_day(seed: int) -> None:
    """A day is a function of its seed; another seed is another day."""
    day = _sheets(seed)
    assert day == _sheets(seed)
    assert day != _sheets(seed + 1)


@pytest.mark.no_cover
@few
@given(SEEDS)
def test_nothing_is_negative_and_the_relation_holds(seed: int) -> None:
    """B6: available_margin = available_usdt + almighty_gold all day; no balance goes below zero."""
    for sheet in _sheets(seed):
        tokens = (sheet.available_margin, sheet.available_usdt, sheet.almighty_gold, sheet.al_margin, sheet.al_freeze)
        margin, usdt, gold, *others = map(number, tokens)
        assert min(margin, usdt, gold, *others) >= 0
        assert abs(margin - usdt - gold) < Decimal("1e-6")


@pytest.mark.no_cover
@few
@given(SEEDS)
def test_things_happen(seed: int) -> None:
    """In any day orders freeze and release, positions open and close, and the margin falls and rises."""
    day = _sheets(seed)
    freezes = {_sign(after.al_freeze, before.al_freeze) for before, after in pairwise(day)}
    positions = {_sign(after.al_margin, before.al_margin) for before, after in pairwise(day)}
    margins = {_sign(after.available_margin, before.available_margin) for before, after in pairwise(day)}
    assert [{-1, 0, 1}] * 3 == [freezes, positions, margins]


def _sign(after: str, before: str) -> int:
    return (number(after) > number(before)) - (number(after) < number(before))


def test_the_next_day_begins_as_this_one() -> None:
    """A day that is over repeats."""
    story = trading_day(7)
    assert story(STEP, 0) == story(DAY + STEP, 99)


def test_funding_steps_positions_every_eight_hours() -> None:
    """Funding is settled at its hours, and only for who has a position."""
    book = Book(usdt=10**12, gold=0, margin=10**11)
    assert book == _funding(book, FUNDING + STEP, _draws(1))
    assert book.usdt != _funding(book, FUNDING, _draws(1)).usdt
    idle = Book(usdt=10**12, gold=0)
    assert idle == _funding(idle, FUNDING, _draws(1))


def test_a_deposit_comes_only_when_almost_nothing_is_left() -> None:
    """Who is broke is helped sooner or later, who is not never."""
    start, draws = Book(usdt=1_000, gold=0), _draws(1)
    assert {1, 501} == {_deposit(Book(usdt=1, gold=0), start, draws).usdt for _ in range(1_000)}
    assert {900} == {_deposit(Book(usdt=900, gold=0), start, draws).usdt for _ in range(1_000)}
