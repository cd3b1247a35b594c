"""The REST side: GET /v1/perpum/account/getUserAssets, with signature, limit and faults.

It answers with the balances of an account, logs the answer, and changes no balances. Choices that
the fact sheet does not cover are marked as our own.
"""

import asyncio
import base64
import hashlib
import hmac
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate

from aiohttp import web

from daemon.clock import Clock
from daemon.simulator.account import SimulatedAccount
from daemon.simulator.balances import rest_fields
from daemon.simulator.faults import (
    BAD_FORMAT,
    BAD_KEY,
    BAD_SIGNATURE,
    NO_SUCH_PATH,
    PARAM_REQUIRED,
    RATE_LIMITED,
    success,
)
from daemon.simulator.log import Caller, Log
from daemon.simulator.wire import Reply, ReplyConnection, whole
from daemon.types import SECOND, Millis

ASSETS_PATH = "/v1/perpum/account/getUserAssets"
LIMIT = 5
WINDOW: Millis = 2 * SECOND


def signature(secret_key: str, timestamp: str, method: str, target: str) -> str:
    """Base64 of HMAC-SHA256 over timestamp, method and path with query (fact sheet 1)."""
    signed = f"{timestamp}{method}{target}".encode()
    return base64.b64encode(hmac.digest(secret_key.encode(), signed, hashlib.sha256)).decode()


class Meter:
    """At most `limit` requests of a user in any two seconds (fact sheet 1.1).

    Refused requests count too; this is our own, stricter choice.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._taken: defaultdict[str, deque[Millis]] = defaultdict(deque)

    def admits(self, user_id: str, elapsed: Millis) -> bool:
        """Count one request; True if it is within the limit."""
        taken = self._taken[user_id]
        while taken and taken[0] <= elapsed - WINDOW:
            taken.popleft()
        taken.append(elapsed)
        return len(taken) <= self.limit


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature headers of a request."""

    api_key: str = field(repr=False)
    sign: str
    timestamp: str
    method: str
    target: str


def refused(signed: Signed, account: SimulatedAccount | None) -> tuple[str, Reply] | None:
    """The refusal of a request, with its name for the log; None if it is accepted.

    Codes for an unknown key (6000) and a bad signature (6001) are one client's mapping. Codes for
    missing headers and an odd timestamp are our own choice. The age of the timestamp is not
    checked, because no tolerance is known.
    """
    if not (signed.api_key and signed.sign and signed.timestamp):
        return "code 402", PARAM_REQUIRED
    if account is None:
        return "code 6000", BAD_KEY
    if not (
        len(signed.timestamp) == 13 and signed.timestamp.isascii() and signed.timestamp.isdigit()
    ):
        return "code 9016", BAD_FORMAT
    expected = signature(account.keys.secret_key, signed.timestamp, signed.method, signed.target)
    if not hmac.compare_digest(expected.encode(), signed.sign.encode()):
        return "code 6001", BAD_SIGNATURE
    return None


class RestSide:
    """Answers requests for its accounts, which are given by API key."""

    def __init__(self, accounts: Mapping[str, SimulatedAccount], clock: Clock, log: Log) -> None:
        self.meter = Meter()
        self.skew: Millis = 0
        """How far the exchange's clock is ahead of ours, in ms."""
        self._accounts = accounts
        self._clock = clock
        self._log = log

    async def answer(self, request: web.Request, stopping: asyncio.Event) -> web.StreamResponse:
        line = ReplyConnection(request, self._clock, stopping)
        signed = _signed(request)
        account = self._accounts.get(signed.api_key)
        caller = _caller(request, account, signed.timestamp)
        admitted = account is None or self.meter.admits(account.keys.user_id, self._clock.elapsed())
        if (no := refused(signed, account)) or account is None:
            return await self._refuse(line, caller, no or ("code 6000", BAD_KEY))
        if account.refresh():
            await self._clock.sleep(0)  # the push leaves before the answer with the same change
        if (response := await self._faulty(line, caller, account)) is not None:
            return response
        if not admitted:
            return await self._refuse(line, caller, ("code 29001", RATE_LIMITED))
        return await self._tell(line, caller, account)

    async def missing(self, request: web.Request) -> web.StreamResponse:
        """Answer a request to any other path."""
        signed = _signed(request)
        caller = _caller(request, self._accounts.get(signed.api_key), signed.timestamp)
        self._log.note(caller, request.path, "code 404")
        return await whole(
            ReplyConnection(request, self._clock, asyncio.Event()), self._dated(NO_SUCH_PATH)
        )

    async def _refuse(
        self, line: ReplyConnection, caller: Caller, no: tuple[str, Reply]
    ) -> web.StreamResponse:
        said, reply = no
        self._log.note(caller, ASSETS_PATH, said)
        return await whole(line, self._dated(reply))

    async def _faulty(
        self, line: ReplyConnection, caller: Caller, account: SimulatedAccount
    ) -> web.StreamResponse | None:
        fault = account.rest_fault()
        if fault is None:
            return None
        time = self._time(account)
        told = account.current.balances() if fault.means == {None} and fault.true else None
        self._log.note(caller, ASSETS_PATH, fault.name, told, time if told else None)
        reply = fault.altered(rest_fields(account.current, time, account.keys.user_id))
        return await fault.manner(line, self._dated(_elsewhere(reply, line.request)))

    async def _tell(
        self, line: ReplyConnection, caller: Caller, account: SimulatedAccount
    ) -> web.StreamResponse:
        time, shown = self._time(account), account.current
        self._log.note(caller, ASSETS_PATH, "balances", shown.balances(), time)
        account.answered += 1
        reply = success(rest_fields(shown, time, account.keys.user_id))
        return await whole(line, self._dated(reply))

    def _time(self, account: SimulatedAccount) -> Millis:
        return self._now() if account.time_stopped_at is None else account.time_stopped_at

    def _now(self) -> Millis:
        return self._clock.now() + self.skew

    def _dated(self, reply: Reply) -> Reply:
        """Add a Date header by our clock, not by the machine's."""
        return replace(
            reply, headers={**reply.headers, "Date": formatdate(self._now() / SECOND, usegmt=True)}
        )


def _signed(request: web.Request) -> Signed:
    heard = request.headers
    sign, timestamp = heard.get("sign", ""), heard.get("timestamp", "")
    return Signed(heard.get("api_key", ""), sign, timestamp, request.method, request.raw_path)


def _caller(request: web.Request, account: SimulatedAccount | None, timestamp: str) -> Caller:
    name, user_id = ("", "") if account is None else (account.name, account.keys.user_id)
    return Caller(name, user_id, request.remote or "", request.host, timestamp)


def _elsewhere(reply: Reply, request: web.Request) -> Reply:
    """Redirect to another name of this server, so that a client that follows is seen in the log."""
    if not 300 <= reply.status < 400:
        return reply
    port = request.url.port
    return replace(
        reply, headers={**reply.headers, "Location": f"http://localhost:{port}{request.raw_path}"}
    )
