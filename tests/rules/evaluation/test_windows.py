"""Rings and windows: their content, and that they hold no more."""

from decimal import Decimal

import pytest

from daemon.rules.evaluation.windows import CHUNK, Ring, RunningAggregate, Window
from daemon.rules.functions._extreme import Highest
from daemon.rules.functions._sums import Total


def fed(ring: Ring, *windows: Window, values: list[str], start: int = 0) -> None:
    """A value a second."""
    for number, value in enumerate(values, start):
        ring.append(number * 1_000, Decimal(value))
        for window in windows:
            window.enter(number * 1_000, Decimal(value))
            window.advance(number * 1_000)


def test_ring_numbers_stay() -> None:
    """Entries keep their numbers while earlier ones are let go, chunk by chunk."""
    ring = Ring()
    fed(ring, values=[str(number) for number in range(1_000)])
    ring.forget(900)
    assert (len(ring), ring.end, ring.instant(950)) == (
        1_000 - 900 // CHUNK * CHUNK,
        1_000,
        950_000,
    )
    assert ring.chunk(950)[950 % CHUNK] == Decimal(950)


def test_ring_moves_rarely() -> None:
    """Letting go of little costs nothing: the entries stay until half of them are needless."""
    ring = Ring()
    fed(ring, values=["1"] * 20 * CHUNK)
    ring.forget(4 * CHUNK)
    ring.forget(10 * CHUNK)
    assert len(ring) == 20 * CHUNK
    ring.forget(11 * CHUNK + 5)
    assert len(ring) == 9 * CHUNK


def test_ring_keeps_what_is_open() -> None:
    """Unpacked values are not dropped, even if no window needs them."""
    ring = Ring()
    fed(ring, values=["1"] * (CHUNK + 2))
    ring.forget(CHUNK + 2)
    assert (len(ring), ring.chunk(CHUNK)) == (2, [Decimal(1), Decimal(1)])


def test_ring_keeps_every_digit() -> None:
    """Promise 7: packed and unpacked, a value is the one that was sent, however it was written."""
    texts = [
        "996660.6064387699998485",
        "-0",
        "1E+27",
        "0E-8",
        "5.00",
        "Infinity",
        "-Infinity",
        "1" * 60,
        "3e-40",
    ]
    ring = Ring()
    fed(ring, values=texts * CHUNK)
    assert [str(value) for value in ring.chunk(0)][: len(texts)] == [
        str(Decimal(text)) for text in texts
    ]


def test_a5_ring_shifts() -> None:
    """A5: a shift moves the held instants, not later ones; distances in between stay."""
    ring = Ring()
    ring.append(1_000, Decimal(1))
    ring.shift(-5_000)
    ring.append(-3_000, Decimal(2))
    assert [ring.clock(ring.instant(0)), ring.clock(ring.instant(1))] == [-4_000, -3_000]
    assert ring.instant(1) - ring.instant(0) == 1_000


def test_window_is_trimmed() -> None:
    """Over a long time a ring holds about what its windows need, not all readings."""
    ring = Ring()
    window = Window(ring, 500_000)
    for _ in range(40):
        fed(ring, window, values=["1"] * 250, start=ring.end)
        ring.forget(window.first)
    assert len(ring) < 1_300


def test_c1_a_window_holds_both_ends() -> None:
    """C1: what is exactly as old as the span is held, what is a millisecond older is not."""
    ring = Ring()
    window = Window(ring, 1_000)
    fed(ring, window, values=["5", "7"])
    assert (len(window), window.earliest, window.latest, window.reach) == (
        2,
        Decimal(5),
        Decimal(7),
        (0, 1_000),
    )
    window.advance(1_001)
    assert (len(window), window.earliest, window.latest, window.reach) == (
        1,
        Decimal(7),
        Decimal(7),
        (1_000, 1_000),
    )
    window.advance(2_001)
    assert (len(window), window.reach, list(window.values())) == (0, None, [])


def test_windows_share_a_ring() -> None:
    """Windows of different length slide along one ring, each at its own pace, over many chunks."""
    ring = Ring()
    short, long_ = Window(ring, 10_000), Window(ring, 150_000)
    fed(ring, short, long_, values=[str(number) for number in range(500)])
    assert (short.earliest, long_.earliest, long_.latest) == (
        Decimal(489),
        Decimal(349),
        Decimal(499),
    )
    assert list(short.values()) == [Decimal(number) for number in range(489, 500)]
    assert list(long_.values()) == [Decimal(number) for number in range(349, 500)]


def test_functions_share_what_they_keep() -> None:
    """DESIGN 6: what two functions need of a window is kept once."""
    window = Window(Ring(), 1)
    assert window.keep(Total) is window.keep(Total)
    assert isinstance(window.keep(Highest), Highest)
    assert len(window._running) == 2


@pytest.mark.parametrize("event", ["enter", "leave"])
def test_running_must_look(event: str) -> None:
    """An aggregate without its methods fails at once."""
    with pytest.raises(NotImplementedError):
        getattr(RunningAggregate(), event)(0, 0, Decimal(0))
