"""One process, several lives of the daemon: a reload ends one and begins the next, until a stop.

    reload asked ──► load ──► end the present life ──► begin the next one (else one as before, again)
                       └──► mistakes: each is logged, and the present life goes on

A restart changes no transition of an unchanged rule (promise 4): so a reload is one, without the
end of the process. Nothing here knows signals, or what a life is made of.
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
    """One life of the daemon: `start`, then `stop`, once each."""

    async def start(self) -> None:
        """Raises MarginwatchError where it cannot begin; then nothing of it is left."""
        ...

    async def stop(self, reason: str) -> int:
        """End it; how many operations are not stored, or may not be."""
        ...

    async def refusal(self) -> str | None:
        """Why its database does not write at present; None while it does."""
        ...


L = TypeVar("L", bound=Instance)


class Supervisor(Generic[L]):
    """`make(config, former)` builds a life, `load` reads the configuration anew, `tell` is for the
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
        self._life: L | None = None
        self._lost = 0
        """Operations of all lives so far that are not stored, or may not be."""
        self._asked = asyncio.Event()
        self._stop_asked = asyncio.Event()
        self._reloading = False

    @property
    def _stopping(self) -> bool:
        return self._stop_asked.is_set()

    def stop(self) -> None:
        """End the present life, and with it `run`."""
        self._stop_asked.set()
        self._asked.set()

    def reload(self) -> None:
        """Read the configuration anew; asked several times before it is read, that is done once."""
        self._reloading = True
        self._asked.set()

    async def run(self, config: Config) -> int:
        """Live until stopped; the exit status of the process: 1 where any life lost something.

        Raises:
            MarginwatchError: where the first life cannot begin.

        """
        if not self._stopping:
            await self._begin(config, None)
            self._tell(systemd.READY)
        while self._life is not None and await self._reload_asked():
            await self._reload(self._life)
        if not self._stopping:
            return 1
        self._tell(systemd.STOPPING)
        if self._life is not None:
            self._lost += await self._life.stop(STOP)
        return 1 if self._lost else 0

    async def _reload_asked(self) -> bool:
        """Wait for the next wish; False when it is to stop."""
        while not (self._stopping or self._reloading):
            self._asked.clear()
            await self._asked.wait()
        return not self._stopping

    async def _reload(self, life: L) -> None:
        self._tell(systemd.reloading(self._clock.awake()))
        self._reloading = False  # what is asked from here on may mean a later state of the file
        wished = await self._wished()
        if self._stopping:
            return
        if wished is None or not await self._free(life):
            self._tell(
                systemd.ready(
                    "the configuration was not reloaded (see the log): running on as before"
                )
            )
        elif not self._stopping:
            _log.info("reloading %s", wished.path)
            self._life = None
            self._lost += await life.stop(RELOAD)
            await self._go_on(wished, life)

    async def _wished(self) -> Config | None:
        """The configuration as it stands in the file now; None where that cannot be used, or a stop
        was asked for.
        """
        try:
            return await self._loaded()
        except ConfigError as error:
            for problem in error.problems:
                _log.error(
                    "%s", problem.partition("\n")[0]
                )  # what follows shows the place in the file: `check` does
            _log.error(
                "not reloaded, for the configuration has mistakes: running on as before;"
                " marginwatch check"
            )
        except Exception as error:  # noqa: BLE001 -- a reload must not end what runs
            _log.error(
                "not reloaded, for reading the configuration %s: running on as before", _how(error)
            )
        return None

    async def _loaded(self) -> Config | None:
        """What the file says; None where a stop was asked for first. A thread that hangs is left
        behind then.
        """
        loading = asyncio.create_task(asyncio.to_thread(self._load))
        stopping = asyncio.create_task(self._stop_asked.wait())
        await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if loading.done():
            return loading.result()
        loading.cancel()  # its result is wanted by nobody
        return None

    async def _free(self, life: L) -> bool:
        """Whether the life can end without losing what waits in its memory for the database."""
        reason = await life.refusal()
        if reason is not None:
            sentence = (
                "not reloaded, for the database does not write (%s): reload again when it works, or"
                " restart"
            )
            _log.error(sentence, reason)
        return reason is None

    async def _go_on(self, wished: Config, former: L) -> None:
        """Begin the next life; where that fails, one as before."""
        if await self._begins(
            wished, former, "the new configuration cannot be started with, trying the one before"
        ):
            self._tell(systemd.ready("reloaded"))
        elif await self._begins(
            self._config, former, "the configuration before cannot be started with any more"
        ):
            self._tell(
                systemd.ready(
                    "the new configuration cannot be started with (see the log): running as before"
                )
            )

    async def _begins(self, config: Config, former: L, failure: str) -> bool:
        if self._stopping:
            return False
        try:
            await self._begin(config, former)
        except Exception as error:  # noqa: BLE001 -- somebody must go on watching, or say why not
            _log.error("%s: it %s", failure, _how(error))
            self._tell(systemd.failing(f"{failure}: it {_how(error)}"))
            return False
        return True

    async def _begin(self, config: Config, former: L | None) -> None:
        life = self._make(config, former)
        await life.start()
        self._config, self._life = config, life


def _how(error: Exception) -> str:
    """A sentence of ours is for people; another failure's text could hold a secret."""
    return (
        f"failed: {error}"
        if isinstance(error, MarginwatchError)
        else f"broke ({type(error).__name__})"
    )
