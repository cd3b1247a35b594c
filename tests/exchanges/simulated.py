"""A plain client of the simulated exchange, written from the fact sheet alone."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp

from daemon.exchanges.common.http import HttpSession, open_session
from daemon.simulator import SimulatedAccount, Simulator
from tests.fakes import NOON, ManualClock, settle

ASSETS = "/v1/perpum/account/getUserAssets"


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal, parse_int=Decimal)


@dataclass(frozen=True, slots=True)
class World:
    """A simulator that listens, the clock it was given, and a client."""

    simulator: Simulator
    clock: ManualClock
    session: aiohttp.ClientSession
    calls: HttpSession
    """What clients of ours call by."""

    async def ask(
        self, account: SimulatedAccount, target: str = ASSETS, **headers: str
    ) -> Answered:
        """A signed request as the account's owner sends it; `headers` replace the right ones."""
        keys, timestamp = account.keys, str(self.clock.now())
        digest = hmac.digest(
            keys.secret_key.encode(), f"{timestamp}GET{target}".encode(), hashlib.sha256
        )
        sent = {
            "api_key": keys.api_key,
            "sign": base64.b64encode(digest).decode(),
            "timestamp": timestamp,
            **headers,
        }
        url = self.simulator.rest_url + target
        async with self.session.get(url, headers=sent, allow_redirects=False) as response:
            return Answered(response.status, response.headers, await response.read())

    @asynccontextmanager
    async def socket(
        self, account: SimulatedAccount | None = None
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A socket; logged in and subscribed to `assets` when an account is given."""
        async with self.session.ws_connect(self.simulator.ws_url, autoclose=False) as socket:
            if account is not None:
                await socket.send_json(login(account))
                await socket.receive_json()
                await socket.send_json(sub("assets"))
                await socket.receive_json()
            yield socket


async def until(condition: Callable[[], object]) -> None:
    """Let both sides work until something is so; real connections take their own time."""
    while not condition():
        await settle()


def login(account: SimulatedAccount, passphrase: str = "") -> dict[str, object]:
    keys = account.keys
    return {
        "event": "login",
        "params": {"api_key": keys.api_key, "passphrase": passphrase or keys.secret_key},
    }


def sub(kind: str, biz: str = "futures", event: str = "sub") -> dict[str, object]:
    return {"event": event, "params": {"biz": biz, "type": kind}}


@asynccontextmanager
async def dependencies(**options: Any) -> AsyncIterator[World]:
    clock = ManualClock(NOON)
    simulator = Simulator(clock, **options)
    await simulator.start()
    async with aiohttp.ClientSession(auto_decompress=False) as session, open_session() as calls:
        try:
            yield World(simulator, clock, session, calls)
        finally:
            await simulator.stop()
