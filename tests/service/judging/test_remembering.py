"""The loaded state of an account equals its engine's, after every input."""

import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from daemon.types import SECOND, AccountState, FlapEpisode
from tests.lengths import length
from tests.service.judging.test_account_owner import NAMES, RULES, day
from tests.service.lives import KILL, RELOAD, STOP, Life, RestlessClock, Step, Told

BY_NAME = {rule.name: rule for rule in RULES}


def with_steps(
    rounds: Iterator[Mapping[str, Told]], draw: random.Random
) -> Iterator[Mapping[str, Told]]:
    """Now and then the clock is set, and all accounts hear of it."""
    for arrivals in rounds:
        yield arrivals
        if draw.random() < 0.1:
            by = draw.choice((-7 * SECOND, 2 * SECOND, 60 * SECOND, -60 * SECOND))
            yield dict.fromkeys(arrivals, Step(by))


def remembered(state: AccountState) -> tuple[object, ...]:
    """The state that later inputs can depend on, without old flap episodes."""
    fired = {
        name: [one for one in swings if _counts(name, one, state)]
        for name, swings in state.fired.items()
    }
    swings = {name: swings for name, swings in fired.items() if swings}
    return state.alerts, state.since, swings, state.values


def _counts(name: str, swing: FlapEpisode, state: AccountState) -> bool:
    limit = BY_NAME[name].flapping
    return limit is not None and swing.fired_at >= state.at - limit.per


@pytest.mark.soak
@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(length(1, 20)))
async def test_a5_promise_4_what_is_loaded_is_what_was_held(tmp_path: Path, seed: int) -> None:
    """A5, E4: over misses, clock steps, stops, kills and reloads."""
    url, clock, draw = f"sqlite:///{tmp_path / 'm.db'}", RestlessClock(), random.Random(seed)
    names = NAMES[:2]
    pending = list(with_steps(day(seed, 100, names), draw))
    flapped = 0
    while pending:
        async with Life(url, names, RULES, clock=clock) as life:
            while pending:
                await life.tell(pending.pop(0))
                await clock.advance(500)
                for name, owner in life.owners.items():
                    assert remembered(life.store.load(name)) == remembered(owner._state)
                    flapped += any(
                        alert.swings is not None for alert in owner._state.alerts.values()
                    )
                if draw.random() < 0.1:
                    life.ending = draw.choice((STOP, KILL, RELOAD))
                    break
    assert flapped > 0
