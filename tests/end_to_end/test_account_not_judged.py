"""The engine of one account breaks at every start, by a fault of ours: a person is told, and told
when it goes on.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from daemon.app import App
from daemon.config import Config, System, system_rules
from daemon.dependencies import Dependencies
from daemon.service.judging.self_monitor import EVERY
from daemon.store import Store
from daemon.types import Reading
from tests.end_to_end.inside import LeapingClock, Lookout, configured, exchange
from tests.fakes import ScriptedNotifier


class Fragile(Store):
    """A database with a record that breaks whoever rebuilds an account from it."""

    broken: ClassVar[set[str]] = set()

    def latest(self, account: str) -> list[Reading]:
        if account in self.broken:
            raise ZeroDivisionError
        return super().latest(account)


@asynccontextmanager
async def running(config: Config, dependencies: Dependencies) -> AsyncIterator[App]:
    app = App(config, dependencies)
    await app.start()
    try:
        yield app
    finally:
        await app.stop()


async def test_d7_an_engine_that_breaks_at_every_start_is_told_and_its_end(tmp_path: Path) -> None:
    """D7: its account is silent, all others are judged; waiting inputs are judged afterwards."""
    Fragile.broken = {"main"}
    lookout, way, clock = Lookout(), ScriptedNotifier(), LeapingClock()
    async with exchange(clock) as there:
        accounts = [there.account(name) for name in ("main", "other")]
        for each in accounts:
            each.set(available_margin="500")
        config = replace(
            configured(tmp_path, there, accounts, every=400),
            daemon_rules=system_rules(System(), ["account-not-judged"]),
        )
        dependencies = Dependencies(
            clock, lambda: 0.0, lambda *_: way, observers=[lookout], open_store=Fragile.open
        )

        def told(count: int) -> bool:
            """Whether so much was told; until then time leaps from look to look."""
            if len(way.sent) < count:
                clock.leap(EVERY)
            return len(way.sent) >= count

        async with running(config, dependencies):
            await lookout.until(lambda: told(1))
            assert "main" not in lookout.brought
            Fragile.broken = set()
            await lookout.until(lambda: told(2))
    firing, ended = (f"{message.title}\n{message.body}" for message in way.sent)
    assert firing.startswith("CRITICAL marginwatch: readings of main are not judged since")
    assert re.search(
        r"readings of main are not judged since [\d:]+: restart the service, and report this",
        firing,
    )
    assert ended.startswith("OVER marginwatch: account-not-judged")
    assert lookout.brought["main"]
