"""The simulated exchange itself: a real server on loopback that speaks CoinW's REST and private
WebSocket.

For tests, for `marginwatch demo`, and for nobody's money: it listens on 127.0.0.1 only.
"""

import asyncio
from pathlib import Path

from aiohttp import web

from daemon.clock import Clock
from daemon.simulator.account import SOCKET_PATH, Keys, SimulatedAccount
from daemon.simulator.balances import SimulatedBalances
from daemon.simulator.log import Log, LoggedRequest, busiest
from daemon.simulator.rest import ASSETS_PATH, RestSide
from daemon.simulator.sockets import ClientSocket
from daemon.simulator.stories import Story, still
from daemon.types import SECOND, Millis

HOST = "127.0.0.1"
FIRST_USER = 1_162_061
"""User id of the first account that is not given one; the official samples' own."""
PATIENCE = 0.5
"""Seconds that a stop waits for answers still on their way."""


class Simulator:
    """Accounts to be moved, broken and mended, the log of what was asked, and the server in front
    of both.

    `tick` is how often (ms) a connected WebSocket looks for changes of a moving story. The server
    can be started again after a stop; stories go on meanwhile.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        async_store: Path | None = None,
        keep: int = 100_000,
        tick: Millis = SECOND // 4,
    ) -> None:
        self.port = 0
        self.socket_status: int | None = None
        """When set, WebSocket handshakes are refused with this HTTP status."""
        self._clock = clock
        self._tick = tick
        self._log = Log(clock, keep, async_store)
        self._accounts: dict[str, SimulatedAccount] = {}
        self._rest = RestSide(self._accounts, clock, self._log)
        self._connections: set[ClientSocket] = set()
        self._began: Millis | None = None
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()

    def account(
        self,
        name: str,
        api_key: str = "",
        secret_key: str = "",
        user_id: str = "",
        story: Story | None = None,
    ) -> SimulatedAccount:
        """A new account; what is left out is made up from its name. ValueError if the name or the
        API key is taken.
        """
        api_key = api_key or f"{name}-key"
        if api_key in self._accounts or any(
            name == known.name for known in self._accounts.values()
        ):
            raise ValueError(
                f"The name or API key of account {name!r} belongs to another one; give it its own."
            )
        keys = Keys(
            api_key,
            secret_key or f"{name}-secret",
            user_id or str(FIRST_USER + len(self._accounts)),
        )
        account = SimulatedAccount(
            name, keys, story or still(SimulatedBalances()), self._log, self.elapsed
        )
        self._accounts[api_key] = account
        return account

    @property
    def rest_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://{HOST}:{self.port}{SOCKET_PATH}"

    @property
    def log(self) -> tuple[LoggedRequest, ...]:
        """Everything asked and answered so far, oldest first."""
        return tuple(self._log.entries)

    @property
    def limit(self) -> int:
        """Requests of a user that two seconds may hold: 5, or 2 in the exchange's warning phase."""
        return self._rest.meter.limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._rest.meter.limit = limit

    @property
    def skew(self) -> Millis:
        """How far the exchange's clock (`time`, the Date header) is ahead of ours."""
        return self._rest.skew

    @skew.setter
    def skew(self, skew: Millis) -> None:
        self._rest.skew = skew

    def elapsed(self) -> Millis:
        """Milliseconds since the first start, 0 before: the time of the stories."""
        return 0 if self._began is None else self._clock.elapsed() - self._began

    def busiest(self, window: Millis = 10 * SECOND, user_id: str = "") -> int:
        """The most REST requests, faults and refusals included, within any window; of one user or
        of all (one IP).
        """
        asked = (entry for entry in self._log.entries if entry.path != SOCKET_PATH)
        return busiest((entry.elapsed for entry in asked if user_id in ("", entry.user_id)), window)

    async def start(self, port: int = 0) -> None:
        """Listen on loopback, on any free port unless one is given."""
        if self._began is None:
            self._began = self._clock.elapsed()
        self._stopping = asyncio.Event()
        app = web.Application()
        app.router.add_get(SOCKET_PATH, self._socket)
        app.router.add_get(ASSETS_PATH, self._assets)
        app.router.add_route("*", "/{any:.*}", self._rest.missing)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=PATIENCE
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """End everything, hanging answers and sockets included; harmless when stopped already."""
        self._stopping.set()
        for connection in self._connections:
            connection.say(None)
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def _assets(self, request: web.Request) -> web.StreamResponse:
        return await self._rest.answer(request, self._stopping)

    def _elsewhere(self) -> dict[str, str]:
        """A redirect leads to another name of this same server, so that whoever follows it is seen
        in the log.
        """
        moved = self.socket_status is not None and 300 <= self.socket_status < 400
        return {"Location": f"http://localhost:{self.port}{SOCKET_PATH}"} if moved else {}

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self.socket_status is not None:
            return web.Response(status=self.socket_status, headers=self._elsewhere())
        connection = ClientSocket(self._accounts, self._clock, self._log)
        self._connections.add(connection)
        try:
            return await connection.serve(request, self._tick)
        finally:
            self._connections.discard(connection)
