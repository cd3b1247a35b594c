"""The simulated exchange: a real server on loopback with CoinW's REST and private WebSocket.

For tests and `marginwatch demo` only: it listens on 127.0.0.1.
"""

import asyncio
from functools import partial
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
"""User id of the first account without one, as in the official samples."""
PATIENCE = 0.5
"""Seconds that a stop waits for answers on their way."""


class Simulator:
    """The simulated accounts, the log of requests, and the server in front of both.

    `tick` is how often, in ms, a connected WebSocket checks a moving story for changes. The server
    can be started again after a stop; stories go on meanwhile.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        log_path: Path | None = None,
        keep: int = 100_000,
        tick: Millis = SECOND // 4,
    ) -> None:
        self.port = 0
        self.socket_status: int | None = None
        """If set, WebSocket handshakes are refused with this HTTP status."""
        self._clock = clock
        self._tick = tick
        self._log = Log(clock, keep, log_path)
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
        """Add an account; omitted values are derived from its name.

        Raises ValueError if the name or the API key is in use.
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
        """All requests and answers so far, oldest first."""
        return tuple(self._log.entries)

    @property
    def limit(self) -> int:
        """Requests of a user in two seconds: 5, or 2 in the exchange's warning phase."""
        return self._rest.meter.limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._rest.meter.limit = limit

    @property
    def skew(self) -> Millis:
        """How far the exchange's clock (`time`, the Date header) is ahead of ours, in ms."""
        return self._rest.skew

    @skew.setter
    def skew(self, skew: Millis) -> None:
        self._rest.skew = skew

    def elapsed(self) -> Millis:
        """Milliseconds since the first start, 0 before it: the time of stories."""
        return 0 if self._began is None else self._clock.elapsed() - self._began

    def busiest(self, window: Millis = 10 * SECOND, user_id: str = "") -> int:
        """Most REST requests in any window, of one user or of all; faults and refusals count."""
        asked = (entry for entry in self._log.entries if entry.path != SOCKET_PATH)
        return busiest((entry.elapsed for entry in asked if user_id in ("", entry.user_id)), window)

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 picks any free port."""
        if self._began is None:
            self._began = self._clock.elapsed()
        self._stopping = asyncio.Event()
        app = web.Application()
        app.router.add_get(SOCKET_PATH, self._socket)
        app.router.add_get(ASSETS_PATH, partial(self._rest.answer, stopping=self._stopping))
        app.router.add_route("*", "/{any:.*}", self._rest.missing)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=PATIENCE
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """End all answers and sockets; does nothing if stopped already."""
        self._stopping.set()
        for connection in self._connections:
            connection.say(None)
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    def _elsewhere(self) -> dict[str, str]:
        """Redirect to another name of this server, so a client that follows is in the log."""
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
