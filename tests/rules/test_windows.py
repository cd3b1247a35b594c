"""Rings and windows: what they hold, and that they hold no more."""

from decimal import Decimal

import pytest

from daemon.rules.functions import find
from daemon.rules.windows import Ring, Running, Window


def test_ring_numbers_stay() -> None:
    """Entries keep their numbers while earlier ones are let go."""
    ring = Ring()
    for number in range(1_000):
        ring.append(number * 10, Decimal(number))
    ring.forget(900)
    assert (len(ring), ring.end, ring.at(950), ring.value(950)) == (100, 1_000, 9_500, Decimal(950))


def test_ring_moves_rarely() -> None:
    """Letting go of little costs nothing: the entries stay until half of them are needless."""
    ring = Ring()
    for number in range(1_000):
        ring.append(number, Decimal(number))
    ring.forget(200)
    ring.forget(499)
    assert len(ring) == 1_000
    ring.forget(501)
    assert len(ring) == 499


def test_ring_shifts() -> None:
    """A5: a shift moves what is held and not what comes."""
    ring = Ring()
    ring.append(1_000, Decimal(1))
    ring.shift(-5_000)
    ring.append(-3_000, Decimal(2))
    assert [ring.at(0), ring.at(1)] == [-4_000, -3_000]


def test_window_is_trimmed() -> None:
    """Over a long time a window's ring holds about what the window needs, not all there ever was."""
    ring = Ring()
    window = Window(ring, 60_000, 1, find("max").start())
    for at in range(0, 50_000_000, 5_000):
        ring.append(at, Decimal(at))
        window.advance(at)
        ring.forget(window.first)
    assert len(ring) < 600


def test_window_waits_for_enough() -> None:
    """C2: a window is unknown until it holds as many readings as its function needs, and again when they left."""
    ring = Ring()
    window = Window(ring, 10, 2, find("delta").start())
    assert window.advance(0) is None
    ring.append(0, Decimal(5))
    assert window.advance(0) is None
    ring.append(0, Decimal(7))
    assert window.advance(0) == Decimal(2)
    assert window.advance(10) == Decimal(2)
    assert window.advance(11) is None


def test_windows_share_a_ring() -> None:
    """Windows of different length slide along one ring, each at its own pace."""
    ring = Ring()
    short, long_ = (Window(ring, span, 1, find("min").start()) for span in (10, 100))
    for at, value in ((0, 1), (50, 2), (100, 3)):
        ring.append(at, Decimal(value))
    assert (short.advance(100), long_.advance(100)) == (Decimal(3), Decimal(1))
    assert (short.earliest, long_.earliest, long_.latest) == (Decimal(3), Decimal(1), Decimal(3))


def test_running_must_answer() -> None:
    """A function that forgets to give a result is found at once."""
    window = Window(Ring(), 1, 0, Running())
    with pytest.raises(NotImplementedError):
        window.advance(0)
