"""How balances move: scripts, and the story of the demo."""

from decimal import Decimal
from itertools import pairwise

import pytest

from daemon.simulator import DEMO, SimulatedBalances, by_request, by_time, demo, demo_story, still
from daemon.simulator.stories import PERIOD
from daemon.types import SECOND

A, B, C = (SimulatedBalances(available_margin=token) for token in ("1", "2", "3"))


def test_still() -> None:
    """Nothing moves a still account."""
    assert [still(A)(0, 0), still(A)(10**9, 7)] == [A, A]


def test_by_request() -> None:
    """`by_request` shows one step per answer; the last one stays."""
    assert [by_request([A, B, C])(0, answered) for answered in range(4)] == [A, B, C, C]


def test_by_time() -> None:
    """`by_time` shows each step from its instant on, the first one also before."""
    story = by_time([(100, A), (200, B)])
    assert [story(elapsed, 0) for elapsed in (0, 100, 199, 200, 9_999)] == [A, A, A, B, B]


def _margin(second: int) -> Decimal:
    value = demo_story("main", second * SECOND).balances().available_margin
    assert value is not None
    return value


def _freeze(second: int) -> Decimal:
    value = demo_story("desk", second * SECOND).balances().al_freeze
    assert value is not None
    return value


def test_demo_main_falls_and_recovers_within_eighteen_seconds() -> None:
    """Account main begins above 120, falls below 100 and 50 for a while, and ends above 120."""
    margins = [_margin(second) for second in range(19)]
    warned = next(at for at, margin in enumerate(margins) if margin < 100)
    critical = next(at for at, margin in enumerate(margins) if margin < 50)
    assert margins[0] > 120
    assert 1 < warned < critical
    assert all(margin < 50 for margin in margins[critical : critical + 4])
    assert any(60 < margin < 120 for margin in margins[critical:])
    assert margins[-1] > 120


def test_demo_desk_freezes_500_and_releases_it() -> None:
    """Account desk has al_freeze 0, then 500 for a while, and 0 again, within eighteen seconds."""
    frozen = [_freeze(second) for second in range(19)]
    changes = [after - before for before, after in pairwise(frozen) if before != after]
    assert [frozen[0], frozen[-1], *changes] == [0, 0, 500, -500]


@pytest.mark.parametrize("name", DEMO)
def test_demo_repeats(name: str) -> None:
    """Each round is the first one again, without a jump at its seam."""
    story = demo(name)
    assert [story(at, 0) for at in range(0, PERIOD, 500)] == [
        story(PERIOD + at, 3) for at in range(0, PERIOD, 500)
    ]
    assert DEMO[name][-1].at * SECOND == PERIOD
    first, last = DEMO[name][0], DEMO[name][-1]
    assert (first.usdt, first.margin, first.freeze) == (last.usdt, last.margin, last.freeze)


def test_demo_sends_every_kind_of_number() -> None:
    """0, 0.0, text and tails of sixteen digits all occur."""
    shown = [demo_story(name, second * SECOND) for name in DEMO for second in range(25)]
    assert {"0"} < {sheet.al_freeze for sheet in shown}
    assert "0.0" in {sheet.almighty_gold for sheet in shown}
    assert '"310.2"' in {sheet.al_margin for sheet in shown}
    assert max(len(sheet.available_margin) for sheet in shown) >= 17


def test_demo_keeps_the_relation() -> None:
    """B6: available_margin = available_usdt + almighty_gold, within float noise."""
    for sheet in (demo_story(name, second * SECOND) for name in DEMO for second in range(25)):
        told = sheet.balances()
        assert told.available_margin is not None
        assert told.available_usdt is not None
        assert told.almighty_gold is not None
        assert abs(told.available_margin - told.available_usdt - told.almighty_gold) < Decimal(
            "1e-6"
        )
