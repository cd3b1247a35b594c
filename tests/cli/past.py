"""Records that commands look back on, made by real owners on a real database."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from daemon.rules.rule import Rule
from daemon.types import SECOND, Millis
from tests.cli.calls import url
from tests.fakes import NOON
from tests.service.lives import STOP, Life, RestlessClock, Told
from tests.values import answer

EVERY = 5 * SECOND
LOW, FINE = answer(available_margin="90"), answer()


def lived(folder: Path, rules: Sequence[Rule], rounds: Iterable[Mapping[str, Told]], begin: Millis = NOON) -> None:
    """One life on the database of this folder, a round every five seconds, of the accounts that are told anything."""
    asyncio.run(_lived(folder, rules, [dict(each) for each in rounds], begin))


async def _lived(folder: Path, rules: Sequence[Rule], rounds: list[dict[str, Told]], begin: Millis) -> None:
    clock = RestlessClock(begin)
    async with Life(url(folder), sorted({name for each in rounds for name in each}), rules, clock=clock) as life:
        for arrivals in rounds:
            await life.tell(arrivals)
            await clock.advance(EVERY)
        life.ending = STOP


def alone(*arrivals: Told) -> list[dict[str, Told]]:
    """Rounds of the account main."""
    return [{"main": arrival} for arrival in arrivals]
