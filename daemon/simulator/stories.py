"""Stories: an account's balances as a function of elapsed time and number of requests.

Scripts for tests, and the story of `marginwatch demo`. Pure: an instant always gives the same
balances.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from daemon.simulator.balances import UNIT, SimulatedBalances, make_balances
from daemon.types import SECOND, Millis

Story: TypeAlias = Callable[[Millis, int], SimulatedBalances]
"""Maps milliseconds since the first start, and REST requests answered so far, to balances."""


def still(shown: SimulatedBalances) -> Story:
    """Constant balances."""
    return lambda _elapsed, _answered: shown


def by_request(sheets: Sequence[SimulatedBalances]) -> Story:
    """One step per answered request, in order; the last one stays."""
    return lambda _elapsed, answered: sheets[min(answered, len(sheets) - 1)]


def by_time(steps: Sequence[tuple[Millis, SimulatedBalances]]) -> Story:
    """Each step from its instant on (ms since the start, ascending); the first also before."""
    instants = [at for at, _ in steps]
    return lambda elapsed, _answered: steps[max(0, bisect_right(instants, elapsed) - 1)][1]


@dataclass(frozen=True, slots=True)
class Frame:
    """Balances of a demo account `at` seconds into a round; linear between frames."""

    at: float
    usdt: float
    margin: float
    freeze: float = 0


PERIOD = 25 * SECOND
PACE = SECOND
"""Balances move once per `PACE`, so a push and a reading of the same second agree."""
GOLD = {"main": 4.64407693, "desk": 0.0}
"""Mega coupons in USDT; part of available_margin."""

DEMO: Mapping[str, Sequence[Frame]] = {
    "main": (
        Frame(at=0, usdt=163.70731204, margin=62.14311),
        Frame(at=3, usdt=121.38550917, margin=80.5),
        Frame(at=4, usdt=104.19220815, margin=80.5),
        Frame(at=5, usdt=87.55120048, margin=80.5),
        Frame(at=8, usdt=58.07556766, margin=80.5),
        Frame(at=9, usdt=38.94115271, margin=80.5),
        Frame(at=12, usdt=33.18260095, margin=80.5),
        Frame(at=13, usdt=36.27009381, margin=40.25),
        Frame(at=14, usdt=68.41730226, margin=40.25),
        Frame(at=16, usdt=131.60248119, margin=0),
        Frame(at=19, usdt=158.12200731, margin=0),
        Frame(at=25, usdt=163.70731204, margin=62.14311),
    ),
    "desk": (
        Frame(at=0, usdt=2488.53777423, margin=310.2),
        Frame(at=6, usdt=2491.07210388, margin=310.2),
        Frame(at=7, usdt=1991.01866014, margin=310.2, freeze=500),
        Frame(at=14, usdt=1984.37400912, margin=310.2, freeze=500),
        Frame(at=15, usdt=2484.62011935, margin=310.2),
        Frame(at=25, usdt=2488.53777423, margin=310.2),
    ),
}
"""One round of the demo, in USDT.

main: below 100 at 5 s, below 50 at 9 s, above 60 at 14 s, above 120 at 16 s. desk: 500 frozen from
7 s to 14 s.
"""


def demo_story(name: str, elapsed: Millis) -> SimulatedBalances:
    """Balances of the demo account `main` or `desk` at `elapsed` ms; repeats for ever."""
    second = elapsed % PERIOD // PACE * PACE / SECOND
    before, after = next(pair for pair in pairwise(DEMO[name]) if pair[1].at > second)
    part = (second - before.at) / (after.at - before.at)
    amounts = (
        (getattr(before, what), getattr(after, what)) for what in ("usdt", "margin", "freeze")
    )
    usdt, margin, freeze = (round((old + (new - old) * part) * UNIT) for old, new in amounts)
    shown = make_balances(usdt, round(GOLD[name] * UNIT), margin, freeze)
    return replace(shown, al_margin=f'"{shown.al_margin}"') if name == "desk" else shown


def shown_since(name: str, elapsed: Millis) -> Millis:
    """When the balances shown at `elapsed` first appeared, in ms after the start."""
    at = elapsed // PACE * PACE
    while at > 0 and demo_story(name, at - PACE) == demo_story(name, at):
        at -= PACE
    return at


def demo(name: str) -> Story:
    """The story of one demo account."""
    return lambda elapsed, _answered: demo_story(name, elapsed)
