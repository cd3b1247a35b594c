"""One WebSocket to an exchange, from the handshake to its end, one event at a time.

Thin: the `StreamProtocol` gives and parses the frames, the `StreamSession` decides the next step.
It never reconnects, follows no redirect, logs no frame (the login holds the secret), and never
turns TLS verification off.
"""

import asyncio
from collections.abc import Sequence

import aiohttp

from daemon.clock import Clock, ends_within
from daemon.exchanges.common import http, proxies
from daemon.exchanges.common.responses import MAX_BODY, Page, refusal, words
from daemon.exchanges.common.stream_protocol import Malformed, Pinged, StreamEvent, StreamProtocol
from daemon.exchanges.common.stream_session import (
    Send,
    StreamSession,
    Wait,
    after_event,
    after_send,
    next_action,
    start_session,
)
from daemon.types import DIRECT, Millis, MissReason, NoAnswer, Route

GOODBYE = 0.5
"""Seconds to wait for the other side's close frame."""


async def connect(
    session: http.HttpSession,
    url: str,
    stream_protocol: StreamProtocol,
    clock: Clock,
    within: Millis,
    route: Route = DIRECT,
) -> "StreamConnection | NoAnswer":
    """Connect and send the login, once; a NoAnswer says why it failed."""
    connected = await _connect(session, url, stream_protocol, clock, within, route)
    return proxies.name_proxy(connected, route) if isinstance(connected, NoAnswer) else connected


async def _connect(
    session: http.HttpSession,
    url: str,
    stream_protocol: StreamProtocol,
    clock: Clock,
    within: Millis,
    route: Route,
) -> "StreamConnection | NoAnswer":
    host, patience = http.host(url), aiohttp.ClientWSTimeout(ws_close=GOODBYE)
    secrets = (*stream_protocol.secrets, *proxies.secrets(route))
    try:
        async with asyncio.timeout(within / 1_000):
            way = proxies.options(url, route)
            socket = await session.fresh.ws_connect(
                url, max_msg_size=MAX_BODY, timeout=patience, **way
            )
    except TimeoutError:
        return NoAnswer(
            MissReason.TIMEOUT,
            f"{host} did not answer within {within / 1_000:g}s: check the network",
        )
    except proxies.ProxyError as error:
        return NoAnswer(MissReason.NETWORK, str(error))
    except http.HandshakeRefusedError as error:
        return _refused(host, error.page, secrets)
    except (http.BrokenConnectionError, aiohttp.ClientError, OSError, ValueError) as error:
        return _unconnected(host, error, secrets)
    connection = StreamConnection(socket, host, stream_protocol, clock)
    if lost := await connection.say(stream_protocol.login):
        await connection.close()
    return lost or connection


def _unconnected(host: str, error: Exception, secrets: Sequence[str]) -> NoAnswer:
    match error:
        case aiohttp.WSServerHandshakeError(status=status):
            return _refused(host, Page(status, "", b""), secrets)
        case aiohttp.ClientResponseError():
            return NoAnswer(
                MissReason.BAD_ANSWER,
                f"{host} {http.describe_non_http(error, secrets)}: check ws_url",
            )
    return NoAnswer(MissReason.NETWORK, f"{host} {http.describe_failure(error)}")


def _refused(host: str, page: Page, secrets: Sequence[str]) -> NoAnswer:
    said = words(page, secrets)
    heard = f"HTTP {page.status}, {said}," if said else f"HTTP {page.status}"
    expected = f"{host} answered {heard} where a WebSocket was expected: check ws_url"
    return refusal(page, host, said, "ws_url", secrets) or NoAnswer(MissReason.BAD_ANSWER, expected)


class StreamConnection:
    """An open connection, for one task at a time; the owner closes it."""

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        host: str,
        stream_protocol: StreamProtocol,
        clock: Clock,
    ) -> None:
        self._socket = socket
        self._host = host
        self._stream_protocol = stream_protocol
        self._clock = clock
        self._hearing: asyncio.Task[aiohttp.WSMessage] | None = None
        self.line: StreamSession = start_session(clock.elapsed())

    async def next(self) -> StreamEvent:
        """The next event, sending due frames meanwhile; a NoAnswer is the end with its reason."""
        while True:
            lost, listening = await self._move()
            if lost is not None:
                return lost
            message = await self._hear(listening)
            if message is not None:
                return await self._take(message)

    async def say(self, frame: str) -> NoAnswer | None:
        """Send a frame; a NoAnswer if the other side is gone."""
        try:
            await self._socket.send_str(frame)
        except (aiohttp.ClientError, OSError):
            return self._closed()
        return None

    async def close(self) -> None:
        """Close the connection, waiting at most half a second for the other side."""
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.wait({self._hearing})
        await self._socket.close()

    async def _move(self) -> tuple[NoAnswer | None, Millis]:
        """Send all due frames; returns the end of the connection, or how long to listen."""
        while True:
            now = self._clock.elapsed()
            match next_action(self.line, now):
                case Wait(length):
                    return None, length
                case NoAnswer(reason, detail):
                    return NoAnswer(reason, f"{self._host} {detail}: reconnecting"), 0
                case Send() as what:
                    self.line = after_send(self.line, what, now)
                    frame = (
                        self._stream_protocol.ping
                        if what is Send.PING
                        else self._stream_protocol.subscribe
                    )
                    if lost := await self.say(frame):
                        return lost, 0

    async def _hear(self, within: Millis) -> aiohttp.WSMessage | None:
        """The next frame; None if none comes in time. A later frame is kept for the next call."""
        if self._hearing is None:
            self._hearing = asyncio.ensure_future(self._socket.receive())
        if not await ends_within(self._clock, self._hearing, within):
            return None
        message, self._hearing = self._hearing.result(), None
        return message

    async def _take(self, message: aiohttp.WSMessage) -> StreamEvent:
        what = self._understand(message)
        self.line = after_event(self.line, what, self._clock.elapsed())
        lost = await self.say(what.answer) if isinstance(what, Pinged) else None
        return lost or what

    def _understand(self, message: aiohttp.WSMessage) -> StreamEvent:
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                return self._stream_protocol.understand(message.data)
            case aiohttp.WSMsgType.BINARY:
                return Malformed(f"{self._host} pushed bytes where it should push text")
            case aiohttp.WSMsgType.ERROR:
                return NoAnswer(
                    MissReason.BAD_ANSWER, f"{self._host} {_broken(message.data)}: reconnecting"
                )
        return self._closed()

    def _closed(self) -> NoAnswer:
        return NoAnswer(
            MissReason.NETWORK, f"{self._host} closed its push stream{self._code()}: reconnecting"
        )

    def _code(self) -> str:
        code = self._socket.close_code
        return "" if code in (None, aiohttp.WSCloseCode.ABNORMAL_CLOSURE) else f" (code {code})"


def _broken(error: BaseException) -> str:
    code = error.code if isinstance(error, aiohttp.WebSocketError) else None
    if code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
        return "pushed over 1 MiB at once"
    if code == aiohttp.WSCloseCode.INVALID_TEXT:
        return "pushed what is not UTF-8 text"
    return "does not keep to the WebSocket protocol"
