"""A function slid over a short series, for the tests of each function."""

from decimal import Decimal

from daemon.rules.functions import find
from daemon.rules.windows import Ring, Window


def slid(name: str, span: int, *series: tuple[int, str]) -> list[str | None]:
    """The function's value after each entry of a series of (instant, value)."""
    function = find(name)
    ring = Ring()
    window = Window(ring, span, function.known_from, function.start())
    shown = []
    for at, value in series:
        ring.append(at, Decimal(value))
        result = window.advance(at)
        shown.append(None if result is None else str(result))
    return shown
