"""Records that commands look back on, made by real owners on a real database."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from daemon.rules.rule import Rule
from daemon.types import SECOND, Millis
from tests.cli.calls import url
from tests.fakes import NOON
from tests.service.lives import STOP, Life, RestlessClock, Told
from tests.values import answer

EVERY = 5 * SECOND
LOW, FINE = answer(available_margin="90"), answer()


def lived(
    folder: Path,
    rules: Sequence[Rule],
    rounds: Iterable[Mapping[str, Told]],
    begin: Millis = NOON,
    ending: str = STOP,
    **life: Any,
) -> None:
    """Run a daemon on the database of this folder, with a round of arrivals every five seconds.

    It watches the accounts of the rounds; where they name none, the account main.
    """
    played = [dict(each) for each in rounds]
    names = sorted({name for each in played for name in each}) or ["main"]
    clock = RestlessClock(begin)
    asyncio.run(
        _lived(lambda: Life(url(folder), names, rules, clock=clock, **life), played, ending)
    )


async def _lived(
    make: Callable[[], Life], rounds: Iterable[Mapping[str, Told]], ending: str
) -> None:
    async with make() as life:
        for arrivals in rounds:
            await life.tell(arrivals)
            await life.clock.advance(EVERY)
        life.ending = ending


NOTHING: dict[str, Told] = {}
"""A round in which nobody is told anything."""


def alone(*arrivals: Told) -> list[dict[str, Told]]:
    """Rounds of the account main."""
    return [{"main": arrival} for arrival in arrivals]
