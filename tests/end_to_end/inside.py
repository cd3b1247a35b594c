"""The daemon inside the test's own process: the real App, store and exchange client against the
built-in exchange.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from daemon.app import App
from daemon.clock import SystemClock
from daemon.config import Account, Channel, Config, Daemon, Secret
from daemon.dependencies import Dependencies
from daemon.simulator import SimulatedAccount, Simulator
from daemon.types import SECOND, AttemptResult, Message, Millis, Miss, Notice, Reading, Record
from tests.fakes import ScriptedNotifier

PATIENCE = 60
"""Seconds after which a test that waits for something gives up."""


class LeapingClock(SystemClock):
    """The machine's clock, but a test can make it jump; the scheduler keeps the machine's time."""

    def __init__(self) -> None:
        self.leapt: Millis = 0
        self._leap = asyncio.Event()

    def leap(self, by: Millis) -> None:
        """Let `ms` pass at once, also for sleepers."""
        self.leapt += by
        self._leap.set()
        self._leap = asyncio.Event()

    async def sleep(self, duration: Millis) -> None:
        end = self.elapsed() + duration
        await super().sleep(0)
        while (left := end - self.elapsed()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leap.wait(), left / SECOND)

    def now(self) -> Millis:
        return super().now() + self.leapt

    def elapsed(self) -> Millis:
        return super().elapsed() + self.leapt

    def awake(self) -> Millis:
        return super().awake() + self.leapt


class Lookout:
    """The watcher that keeps what each account's attempts brought, and wakes who waits for more."""

    def __init__(self) -> None:
        self.brought: dict[str, list[Reading | Miss]] = {}
        self._changed = asyncio.Event()

    def judged(self, record: Record) -> None:
        if isinstance(record.event, Reading | Miss):
            self.brought.setdefault(record.account, []).append(record.event)
            self._changed.set()

    def attempted(
        self, channel: str, message: Message, notices: Sequence[Notice], attempted: AttemptResult
    ) -> None:
        """Ignore the message, but wake waiters."""
        self._changed.set()

    async def until(self, so: Callable[[], bool]) -> None:
        """Returns once it is so, looking again after everything that is judged."""
        async with asyncio.timeout(PATIENCE):
            while not so():
                self._changed.clear()
                await self._changed.wait()


Line: TypeAlias = tuple[str, str, int | None]
"""Of the log: level, sentence, and of how many failures it is the end."""


def lines(records: Iterable[logging.LogRecord], accounts: Iterable[str]) -> dict[str, list[Line]]:
    """Log lines about each account, without those about slots missed on a busy machine."""
    found: dict[str, list[Line]] = {name: [] for name in accounts}
    for record in records:
        name = getattr(record, "account", None)
        said = record.getMessage()
        late = " is read less often than every " in said or said.endswith(
            " is read at every interval again"
        )
        if (
            name in found
            and record.name.startswith("marginwatch")
            and record.levelno >= logging.INFO
            and not late
        ):
            found[name].append((record.levelname, said, getattr(record, "failures", None)))
    return found


@asynccontextmanager
async def exchange(clock: SystemClock | None = None) -> AsyncIterator[Simulator]:
    simulator = Simulator(clock or SystemClock())
    await simulator.start()
    try:
        yield simulator
    finally:
        await simulator.stop()


def configured(
    folder: Path, exchange: Simulator, accounts: Iterable[SimulatedAccount], **keys: Any
) -> Config:
    """Build a configuration of these accounts; `keys` are those of Account."""
    daemon = Daemon(
        Secret(f"sqlite:///{folder}/marginwatch.db"), web=None, timeout=keys.pop("timeout", 5_000)
    )
    above = {"budget": keys.pop("budget")} if "budget" in keys else {}
    return Config(
        path=folder / "rules.toml",
        daemon=daemon,
        accounts=tuple(_account(each, exchange, keys) for each in accounts),
        channels=(Channel("phone", Secret("recorded"), group_wait=0),),
        **above,
    )


def _account(simulated: SimulatedAccount, exchange: Simulator, keys: dict[str, Any]) -> Account:
    api_key, secret_key = Secret(simulated.keys.api_key), Secret(simulated.keys.secret_key)
    keys = {"ws_url": "", **keys}
    return Account(simulated.name, api_key, secret_key, rest_url=exchange.rest_url, **keys)


@asynccontextmanager
async def life(
    config: Config,
    lookout: Lookout,
    clock: SystemClock | None = None,
    way: ScriptedNotifier | None = None,
) -> AsyncIterator[App]:
    """One life of the daemon; its end stores everything. `way` is the way out of all channels."""
    dependencies = Dependencies(
        clock or SystemClock(),
        jitter=lambda: 0.0,
        notifier=lambda _channel, _clock: way or ScriptedNotifier(),
        observers=[lookout],
    )
    app = App(config, dependencies)
    await app.start()
    try:
        yield app
    finally:
        lost = await app.stop()
    assert lost == 0
