"""The WebSocket side: login, sub and unsub, ping, error frames, pushes, and the idle cut.

Frames are those of fact sheet 2. The answer to a private subscription without login is not known;
ours is a choice. All frames of a connection go through one queue, so they leave in order.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from daemon.clock import Clock
from daemon.simulator.account import SOCKET_PATH, SimulatedAccount, frames_to_send
from daemon.simulator.log import Caller, Log
from daemon.simulator.socket_faults import LOGGED_IN, LOGIN_REFUSED, Frame, Moment, RawText
from daemon.types import MINUTE, Millis

IDLE: Millis = MINUTE
"""Silence after which a connection is cut without a close frame.

Fact sheet 2.5, measured on public sockets.
"""
PRIVATE = frozenset({"assets", "assets_ag", "order", "position", "position_change", "user_setting"})

NOT_JSON = '{"result":false,"errorCode":1001,"errorMsg":"Rate Limit"}'
MALFORMED = '{"result":false,"errorCode":500,"errorMsg":"exception"}'
PONG = '{"event":"pong"}'


def ack(kind: str) -> str:
    return json.dumps(
        {"biz": "futures", "data": {"result": True}, "channel": "subscribe", "type": kind}
    )


def refusal(code: int, text: str, kind: str) -> str:
    """A refused subscription, in the captured shape."""
    told = {"result": False, "errorCode": code, "errorMsg": text}
    return json.dumps({"biz": "futures", "data": told, "channel": "subscribe", "type": kind})


async def _send(socket: web.WebSocketResponse, frame: str | bytes | RawText) -> None:
    match frame:
        case RawText(body):
            await socket.send_frame(body, WSMsgType.TEXT)
        case bytes():
            await socket.send_bytes(frame)
        case str():
            await socket.send_str(frame)


@dataclass(frozen=True, slots=True)
class ClientFrame:
    """A well-formed frame of a client."""

    event: str
    params: Mapping[str, Any]


def parse_frame(text: str) -> ClientFrame | str:
    """Parse a client's frame; an invalid one gives the error frame to send."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return NOT_JSON
    params = frame.get("params", {}) if isinstance(frame, dict) else None
    if not isinstance(params, dict) or frame.get("event") not in ("ping", "login", "sub", "unsub"):
        return MALFORMED
    return ClientFrame(frame["event"], params)


class ClientSocket:
    """One client's socket, from the handshake to its end."""

    def __init__(self, accounts: Mapping[str, SimulatedAccount], clock: Clock, log: Log) -> None:
        self.subscribed = False
        self._accounts = accounts
        self._clock = clock
        self._log = log
        self._account: SimulatedAccount | None = None
        self._queue: asyncio.Queue[Frame] = asyncio.Queue()
        self._last = clock.elapsed()

    def say(self, frame: Frame) -> None:
        self._queue.put_nowait(frame)

    async def serve(self, request: web.Request, tick: Millis) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        tasks = [
            asyncio.create_task(self._speak(request, socket)),
            asyncio.create_task(self._watch(tick)),
        ]
        try:
            await self._hear(socket)
        finally:
            if self._account is not None:
                self._account.sockets.discard(self)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return socket

    async def _hear(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            self._last = self._clock.elapsed()
            if message.type is WSMsgType.TEXT:
                self._take(parse_frame(message.data))

    async def _speak(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        while (frame := await self._queue.get()) is not None:
            try:
                await _send(socket, frame)
            except ConnectionError:
                return  # the client is gone, so `_hear` ends too
            self._last = self._clock.elapsed()
        if request.transport is not None:
            request.transport.abort()

    async def _watch(self, tick: Millis) -> None:
        """Push changes of the account, and cut the connection after a long silence."""
        while True:
            await self._clock.sleep(tick)
            if self._account is not None:
                self._account.refresh()
            if self._clock.elapsed() - self._last >= IDLE:
                self.say(None)

    def _take(self, frame: ClientFrame | str) -> None:
        if isinstance(frame, str):
            self._note("bad frame")
            self.say(frame)
            return
        steps = {"ping": self._ping, "login": self._login, "sub": self._sub, "unsub": self._unsub}
        steps[frame.event](frame.params)

    def _ping(self, _params: Mapping[str, Any]) -> None:
        self._done(Moment.PING, "ping", PONG)

    def _login(self, params: Mapping[str, Any]) -> None:
        account = self._accounts.get(str(params.get("api_key", "")))
        if account is None or params.get("passphrase") != account.keys.secret_key:
            self._note("code 1003")
            self.say(LOGIN_REFUSED)
            return
        self._leave()
        self._account = account
        if self._done(Moment.LOGIN, "login", LOGGED_IN):
            account.sockets.add(self)
        else:
            self._account = None

    def _sub(self, params: Mapping[str, Any]) -> None:
        kind = str(params.get("type", ""))
        if params.get("biz") != "futures" or kind not in PRIVATE:
            self._refuse(1007, "Invalid parameter", kind)
        elif self._account is None:
            self._refuse(1003, "authentication error", kind)
        else:
            self._account.refresh()  # earlier changes go to the subscribers before this one
            if self._done(Moment.SUB, "sub", ack(kind)) and kind == "assets":
                self.subscribed = True

    def _unsub(self, params: Mapping[str, Any]) -> None:
        """Unsubscribe without an answer, as the live probe saw none."""
        self._note("unsub")
        if params.get("type") == "assets":
            self.subscribed = False

    def _refuse(self, code: int, text: str, kind: str) -> None:
        self._note(f"code {code}")
        self.say(refusal(code, text, kind))

    def _done(self, moment: Moment, said: str, frame: str) -> bool:
        """Answer, with the account's fault if any; False if the request has no effect."""
        fault = None if self._account is None else self._account.socket_fault(moment)
        self._note(said if fault is None else fault.name)
        for told in frames_to_send(fault, frame):
            self.say(told)
        return fault is None or not fault.denies

    def _leave(self) -> None:
        if self._account is not None:
            self._account.sockets.discard(self)
        self.subscribed = False

    def _note(self, said: str) -> None:
        account = self._account
        caller = Caller() if account is None else Caller(account.name, account.keys.user_id)
        self._log.note(caller, SOCKET_PATH, said)
