"""The board: what is kept once, and what is shown."""

from decimal import Decimal

from daemon.rules.board import Board
from daemon.rules.parse import condition
from daemon.rules.tree import Call, Comparison
from daemon.types import Balances


def call(text: str) -> Call:
    """The call on the left of a comparison with 0."""
    tree = condition(f"{text} > 0").tree
    assert isinstance(tree, Comparison)
    assert isinstance(tree.left, Call)
    return tree.left


def test_equal_windows_are_kept_once() -> None:
    """DESIGN 6: equal windows of equal expressions share a slot, however they are spelled."""
    board = Board()
    first = board.window(call("max(alMargin + 1.0, 60s)"))
    assert board.window(call("max(al_margin + 1, 1m)")) == first
    assert len({first, board.window(call("max(al_margin + 1, 2m)")), board.window(call("min(al_margin + 1, 1m)"))}) == 3


def test_fields_are_kept_once() -> None:
    """A field has one slot, derived ones and `age` too."""
    board = Board()
    slots = [board.field(name) for name in ("al_margin", "margin_usage", "age", "al_margin", "age")]
    assert slots == [0, 1, 2, 0, 2]


def test_shows_fields() -> None:
    """After a reading the frame shows the fields asked for, derived ones included, and an age of 0."""
    board = Board()
    slots = [board.field(name) for name in ("al_margin", "margin_usage", "age", "cross_un_pnl")]
    board.feed(5_000, Balances(available_margin=Decimal(8), al_margin=Decimal(2)))
    assert [board.frame[slot] for slot in slots] == [Decimal(2), Decimal("0.25"), Decimal(0), None]


def test_unknown_values_are_not_held() -> None:
    """C1: a reading whose value is unknown is in no window of it, and the window moves on all the same."""
    board = Board()
    slot = board.window(call("max(al_margin, 1s)"))
    board.feed(0, Balances(al_margin=Decimal(9)))
    board.feed(1_000, Balances())
    assert board.frame[slot] == Decimal(9)
    board.feed(1_001, Balances())
    assert board.frame[slot] is None


def test_nested_windows_see_this_reading() -> None:
    """C1: the inner window of a nested one has taken the reading in before the outer looks."""
    board = Board()
    slot = board.window(call("max(delta(al_margin, 10s), 10s)"))
    shown = []
    for at, value in ((0, 1), (5_000, 4), (15_000, 2), (16_000, 2)):
        board.feed(at, Balances(al_margin=Decimal(value)))
        shown.append(board.frame[slot])
    assert shown == [None, Decimal(3), Decimal(3), Decimal(0)]


def test_memory_is_bounded() -> None:
    """DESIGN 6: however many readings come, about as many are held as the longest window needs."""
    board = Board()
    board.window(call("max(al_margin, 1m)"))
    slot = board.window(call("delta(al_margin, 10m)"))
    for number in range(5_000):
        board.feed(number * 5_000, Balances(al_margin=Decimal(number)))
    assert board.frame[slot] == Decimal(120)
    assert [len(series.ring) < 1_000 for series in board._series.values()] == [True]


def test_shift_before_the_first_reading() -> None:
    """A5: with nothing held, a step of the clock moves nothing."""
    board = Board()
    slot = board.field("age")
    board.shift(1_000)
    board.advance(5_000)
    assert board.frame[slot] is None
