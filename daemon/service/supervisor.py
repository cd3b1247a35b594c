"""Supervisor: one process, several instances. A reload ends one and starts the next.

    reload requested ──► load ──► end the instance ──► start the next one (else the former again)
                          └──► mistakes: each is logged, and the instance goes on

A restart changes no transition of an unchanged rule (promise 4), so a reload is a restart without
the end of the process. This module knows no signals, and nothing of what an instance consists of.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from daemon.clock import Clock
from daemon.config import Config
from daemon.errors import ConfigError, MarginwatchError
from daemon.service import systemd

_log = logging.getLogger("marginwatch")

STOP = "stop"
RELOAD = "reload"


class Instance(Protocol):
    """One instance of the daemon: `start`, then `stop`, once each."""

    async def start(self) -> None:
        """Raises MarginwatchError if it cannot start; then nothing of it remains."""
        ...

    async def stop(self, reason: str) -> int:
        """Stop it; return the number of operations that are not stored, or may not be."""
        ...

    async def refusal(self) -> str | None:
        """Why its database does not write at present; None while it does."""
        ...


L = TypeVar("L", bound=Instance)


class Supervisor(Generic[L]):
    """Runs one instance after another until a stop.

    `make(config, former)` builds an instance, `load` reads the configuration, `tell` informs the
    service manager.
    """

    def __init__(
        self,
        make: Callable[[Config, L | None], L],
        load: Callable[[], Config],
        tell: Callable[[str], object],
        clock: Clock,
    ) -> None:
        self._make = make
        self._load = load
        self._tell = tell
        self._clock = clock
        self._instance: L | None = None
        self._lost = 0
        """Operations of all instances so far that are not stored, or may not be."""
        self._requested = asyncio.Event()
        self._stop_requested = asyncio.Event()
        self._reloading = False

    @property
    def _stopping(self) -> bool:
        return self._stop_requested.is_set()

    def stop(self) -> None:
        """Stop the present instance, and with it `run`."""
        self._stop_requested.set()
        self._requested.set()

    def reload(self) -> None:
        """Request a reload. Several requests before it begins are one."""
        self._reloading = True
        self._requested.set()

    async def run(self, config: Config) -> int:
        """Run until stopped; return the exit status: 1 if any instance lost something.

        Raises:
            MarginwatchError: if the first instance cannot start.
        """
        if not self._stopping:
            await self._begin(config, None)
            self._tell(systemd.READY)
        while self._instance is not None and await self._reload_requested():
            await self._reload(self._instance)
        if not self._stopping:
            return 1
        self._tell(systemd.STOPPING)
        if self._instance is not None:
            self._lost += await self._instance.stop(STOP)
        return 1 if self._lost else 0

    async def _reload_requested(self) -> bool:
        """Wait for the next request; False if it is to stop."""
        while not (self._stopping or self._reloading):
            self._requested.clear()
            await self._requested.wait()
        return not self._stopping

    async def _reload(self, instance: L) -> None:
        self._tell(systemd.reloading(self._clock.awake()))
        self._reloading = False  # a request from here on may mean a later state of the file
        config = await self._load_valid()
        if self._stopping:
            return
        if config is None or not await self._can_end(instance):
            self._tell(
                systemd.ready(
                    "the configuration was not reloaded (see the log): the old one is in force"
                )
            )
        elif not self._stopping:
            _log.info("reloading %s", config.path)
            self._instance = None
            self._lost += await instance.stop(RELOAD)
            await self._start_next(config, instance)

    async def _load_valid(self) -> Config | None:
        """The configuration file's content; None if it is unusable or a stop was requested."""
        try:
            return await self._load_or_stop()
        except ConfigError as error:
            for problem in error.problems:
                # One line: only `check` shows the place in the file, in the lines below it.
                _log.error("%s", problem.partition("\n")[0])
            _log.error(
                "not reloaded: the configuration has mistakes; the old one stays in force;"
                " marginwatch check"
            )
        except Exception as error:  # noqa: BLE001 -- a reload must not end what runs
            _log.error(
                "not reloaded: reading the configuration %s; the old one stays in force",
                _how(error),
            )
        return None

    async def _load_or_stop(self) -> Config | None:
        """Load the file; None if a stop is requested first. A thread that hangs is left behind."""
        loading = asyncio.create_task(asyncio.to_thread(self._load))
        stopping = asyncio.create_task(self._stop_requested.wait())
        await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if loading.done():
            return loading.result()
        loading.cancel()  # its result is not needed any more
        return None

    async def _can_end(self, instance: L) -> bool:
        """Whether the instance can end without losing records that wait in memory."""
        reason = await instance.refusal()
        if reason is not None:
            sentence = (
                "not reloaded: the database does not write (%s); reload again when it works, or"
                " restart"
            )
            _log.error(sentence, reason)
        return reason is None

    async def _start_next(self, config: Config, former: L) -> None:
        """Start the next instance; if that fails, one with the former configuration."""
        if await self._try_begin(
            config, former, "the new configuration does not start, the old one is tried again"
        ):
            self._tell(systemd.ready("reloaded"))
        elif await self._try_begin(
            self._config, former, "the old configuration does not start either"
        ):
            self._tell(
                systemd.ready(
                    "the new configuration does not start (see the log): the old one is in force"
                )
            )

    async def _try_begin(self, config: Config, former: L, failure: str) -> bool:
        if self._stopping:
            return False
        try:
            await self._begin(config, former)
        except Exception as error:  # noqa: BLE001 -- the former instance must be tried
            _log.error("%s: it %s", failure, _how(error))
            self._tell(systemd.failing(f"{failure}: it {_how(error)}"))
            return False
        return True

    async def _begin(self, config: Config, former: L | None) -> None:
        instance = self._make(config, former)
        await instance.start()
        self._config, self._instance = config, instance


def _how(error: Exception) -> str:
    """Describe a failure. Only our own errors show their text: any other could hold a secret."""
    if isinstance(error, MarginwatchError):
        return f"failed: {error}"
    return f"broke ({type(error).__name__})"
