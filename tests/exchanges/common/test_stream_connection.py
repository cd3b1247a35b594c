"""One WebSocket over a real connection, with the simulated exchange on its other side."""

import asyncio
import base64
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from daemon.exchanges import ExchangeAccount, stream_protocol
from daemon.exchanges.common import http
from daemon.exchanges.common.stream_connection import StreamConnection, connect
from daemon.exchanges.common.stream_protocol import Malformed, Pong, Pushed, StreamEvent, Subscribed
from daemon.exchanges.common.stream_session import ANSWER_WITHIN, PING_EVERY, PONG_WITHIN
from daemon.simulator import SimulatedAccount
from daemon.types import SECOND, Millis, MissReason, NoAnswer
from tests.exchanges.common.test_http import OK, Raw, response, self_signed, serve
from tests.exchanges.simulated import World, dependencies, until
from tests.fakes import ManualClock


@dataclass
class Line:
    """A simulated exchange, one account there, and our connection to it."""

    here: World
    main: SimulatedAccount
    session: http.HttpSession

    async def dial(self, url: str = "", within: Millis = 5 * SECOND) -> StreamConnection | NoAnswer:
        keys = self.main.keys
        account = ExchangeAccount(
            "main", keys.api_key, keys.secret_key, "", url or self.here.simulator.ws_url
        )
        speech = stream_protocol("coinw", account)
        assert speech is not None
        return await connect(self.session, account.ws_url, speech, self.here.clock, within)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[StreamConnection]:
        connection = await self.dial()
        assert isinstance(connection, StreamConnection)
        try:
            yield connection
        finally:
            await connection.close()

    def said(self, what: str) -> int:
        return sum(entry.said == what for entry in self.here.simulator.log)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with dependencies(tick=1_000 * SECOND) as here, http.open_session() as session:
        main = here.simulator.account("main")
        main.set(available_margin="500")
        yield Line(here, main, session)


async def heard(connection: StreamConnection, kind: type[StreamEvent]) -> StreamEvent:
    """The next of this kind; the end where that comes first."""
    while not isinstance(what := await connection.next(), (kind, NoAnswer)):
        pass
    return what


async def meanwhile(
    waiting: Awaitable[StreamEvent], clock: ManualClock, *spans: Millis
) -> StreamEvent:
    """Let these spans pass while something is waited for."""
    task = asyncio.ensure_future(waiting)
    for span in spans:
        await clock.advance(span)
    return await task


@pytest.mark.parametrize("fault", [None, "ws_login_event", "ws_login_both"])
async def test_login_in_every_shape_then_pushes(line: Line, fault: str | None) -> None:
    """Fact sheet 2.1: after any form of login answer come the subscription and every change."""
    if fault:
        line.main.fault(fault, times=1)
    async with line.connected() as connection:
        assert await heard(connection, Subscribed) == Subscribed()
        line.main.set(available_margin="90")
        push = await heard(connection, Pushed)
        assert isinstance(push, Pushed)
        assert [str(answer.balances.available_margin) for answer in push.answers] == ["90"]
        assert connection.line.proven


async def test_a_login_that_is_not_answered_is_followed_by_the_subscription(line: Line) -> None:
    """The first push is the proof, however the login was answered."""
    line.main.fault("ws_login_unheard", times=1)
    async with line.connected() as connection:
        assert (
            await meanwhile(heard(connection, Subscribed), line.here.clock, ANSWER_WITHIN)
            == Subscribed()
        )


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("ws_login_refused", MissReason.AUTH),
        ("ws_login_failed", MissReason.AUTH),
        ("ws_login_exception", MissReason.BAD_ANSWER),
        ("ws_login_drop", MissReason.NETWORK),
        ("ws_sub_refused", MissReason.BAD_ANSWER),
        ("ws_sub_exception", MissReason.BAD_ANSWER),
    ],
)
async def test_what_ends_it_before_it_is_up(line: Line, fault: str, reason: MissReason) -> None:
    """A refusal is the end, with its reason."""
    line.main.fault(fault)
    async with line.connected() as connection:
        lost = await heard(connection, Subscribed)
    assert isinstance(lost, NoAnswer)
    assert lost.reason is reason


@pytest.mark.parametrize(
    ("fault", "reason"), [("ws_sub_silent", "timeout"), ("ws_login_silent", "auth")]
)
async def test_an_exchange_that_says_nothing(line: Line, fault: str, reason: str) -> None:
    """Ten seconds for the login, ten for the subscription."""
    line.main.fault(fault)
    async with line.connected() as connection:
        lost = await meanwhile(
            heard(connection, Subscribed), line.here.clock, ANSWER_WITHIN, ANSWER_WITHIN
        )
    assert isinstance(lost, NoAnswer)
    assert lost.reason == reason


async def test_a_ping_every_fifteen_seconds_is_answered(line: Line) -> None:
    """As the exchange wants it: a frame of its own, not the protocol's."""
    async with line.connected() as connection:
        await heard(connection, Subscribed)
        for count in (1, 2):
            assert await meanwhile(heard(connection, Pong), line.here.clock, PING_EVERY) == Pong()
            assert line.said("ping") == count


@pytest.mark.parametrize(
    ("fault", "reason"), [("ws_no_pong", "timeout"), ("ws_ping_drop", "network")]
)
async def test_a_ping_that_is_not_answered_ends_it(line: Line, fault: str, reason: str) -> None:
    """Half-open or cut: it is not worth keeping."""
    line.main.fault(fault)
    async with line.connected() as connection:
        await heard(connection, Subscribed)
        lost = await meanwhile(heard(connection, Pong), line.here.clock, PING_EVERY, PONG_WITHIN)
    assert isinstance(lost, NoAnswer)
    assert lost.reason == reason


async def test_a_ping_of_the_exchange_is_answered(line: Line) -> None:
    """A ping of the exchange, undocumented but seen, is answered with the word it accepts."""
    line.main.fault("ws_server_ping", times=1)
    async with line.connected() as connection:
        await heard(connection, Subscribed)
        line.main.set(available_margin="90")
        await heard(connection, Pushed)
        await until(lambda: line.said("ping"))
        line.main.set(available_margin="80")
        assert isinstance(await heard(connection, Pushed), Pushed)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("ws_garbage", Malformed),
        ("ws_list", Malformed),
        ("ws_data_null", Malformed),
        ("ws_field_nan", Malformed),
        ("ws_deep", Malformed),
        ("ws_binary", Malformed),
        ("ws_30_mib", NoAnswer),
        ("ws_not_utf8", NoAnswer),
        ("ws_drop", NoAnswer),
        ("ws_duplicate", Pushed),
        ("ws_currency_upper", Pushed),
        ("ws_time", Pushed),
        ("ws_field_missing", Pushed),
        ("ws_foreign_user", Pushed),
        ("ws_differs", Pushed),
    ],
)
async def test_every_fault_of_a_push(line: Line, fault: str, kind: type[StreamEvent]) -> None:
    """A frame too long or not text ends the connection; an unusable one does not."""
    line.main.fault(fault, times=1)
    async with line.connected() as connection:
        await heard(connection, Subscribed)
        line.main.set(available_margin="90")
        assert isinstance(await connection.next(), kind)
        if kind is not NoAnswer:
            line.main.set(available_margin="80")
            assert isinstance(await heard(connection, Pushed), Pushed)


async def test_what_is_heard_between_two_waits_is_not_lost(line: Line) -> None:
    """A caller that gives up waiting hears the same push the next time."""
    async with line.connected() as connection:
        await heard(connection, Subscribed)
        waiting = asyncio.ensure_future(connection.next())
        await asyncio.sleep(0)
        waiting.cancel()
        line.main.set(available_margin="90")
        assert isinstance(await heard(connection, Pushed), Pushed)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "auth"),
        (403, "blocked"),
        (429, "rate_limited"),
        (503, "http_5xx"),
        (404, "bad_answer"),
        (302, "bad_answer"),
    ],
)
async def test_a_handshake_that_is_refused(line: Line, status: int, reason: str) -> None:
    """A3: a refused handshake is classified by its status, and a redirect is not followed."""
    line.here.simulator.socket_status = status
    refused = await line.dial()
    assert isinstance(refused, NoAnswer)
    assert (refused.reason, line.here.simulator.log) == (reason, ())
    assert "ws_url" in refused.detail or status not in (404, 302)


@asynccontextmanager
async def server(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """The address of one that does as told with every connection."""
    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
    finally:
        listening.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def closing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def babbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await reader.read(1)
    writer.close()


async def shaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A handshake that proves nothing."""
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    )
    writer.write(b"Sec-WebSocket-Accept: wrong\r\n\r\n")
    await reader.read(1)
    writer.close()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A handshake that never comes to its end."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nX: ")
    while not reader.at_eof():
        writer.write(b"x")
        with suppress(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.01)
    writer.close()


async def upgraded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A handshake as it should be."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(
        each.split(": ")[1]
        for each in head.splitlines()
        if each.lower().startswith("sec-websocket-key")
    )
    digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    )
    writer.write(b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (silent, "timeout"),
        (dripping, "timeout"),
        (closing, "network"),
        (babbling, "bad_answer"),
        (shaking, "bad_answer"),
    ],
)
async def test_what_is_no_websocket(
    line: Line,
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    reason: str,
) -> None:
    """A server that is silent, slow, hangs up or speaks otherwise is named in time."""
    async with server(answer) as url:
        refused = await line.dial(url, within=200 if reason == "timeout" else 5 * SECOND)
    assert isinstance(refused, NoAnswer)
    assert refused.reason == reason


async def test_nobody_there(line: Line) -> None:
    """A port that nobody listens at."""
    async with server(closing) as url:
        pass
    refused = await line.dial(url)
    assert isinstance(refused, NoAnswer)
    assert (refused.reason, "refused the connection" in refused.detail) == (
        MissReason.NETWORK,
        True,
    )


async def test_a_frame_that_the_protocol_forbids(line: Line) -> None:
    """An invalid frame ends the connection, with a sentence."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgraded(reader, writer)
        writer.write(b"\xff\xff")
        await reader.read()
        writer.close()

    async with server(answer) as url:
        connection = await line.dial(url)
        assert isinstance(connection, StreamConnection)
        lost = await connection.next()
        await connection.close()
    assert isinstance(lost, NoAnswer)
    assert (lost.reason, "WebSocket protocol" in lost.detail) == (MissReason.BAD_ANSWER, True)


async def test_a_frame_that_comes_byte_by_byte(line: Line) -> None:
    """A frame that trickles in delays the caller no longer than silence would."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgraded(reader, writer)
        writer.write(b"\x81\x7d")  # a text of 125 bytes begins
        while await reader.read(4_096):
            writer.write(b"x")
        writer.close()

    async with server(answer) as url:
        connection = await line.dial(url)
        assert isinstance(connection, StreamConnection)
        lost = await meanwhile(connection.next(), line.here.clock, ANSWER_WITHIN, ANSWER_WITHIN)
        await connection.close()
    assert isinstance(lost, NoAnswer)
    assert lost.reason is MissReason.TIMEOUT


async def test_promise_9_certificates_are_verified(line: Line, tmp_path: Path) -> None:
    """A server whose certificate nobody vouches for never hears the login."""
    server = Raw(OK)
    async with serve(server, self_signed(tmp_path)) as where:
        refused = await line.dial(f"wss://{where}/perpum")
    assert isinstance(refused, NoAnswer)
    assert (refused.reason, "no valid certificate" in refused.detail, server.requests) == (
        "network",
        True,
        [],
    )


async def test_what_cannot_be_said_is_the_end(line: Line) -> None:
    """A connection found closed while sending is reported like one found while listening."""
    async with line.connected() as connection:
        await connection.close()
        lost = await connection.say("anything")
    assert isinstance(lost, NoAnswer)
    assert lost.reason is MissReason.NETWORK
    assert "closed its push stream" in lost.detail


async def test_promise_9_the_login_is_in_no_log(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """The login frame holds the secret, so no frame is logged at any level."""
    caplog.set_level(logging.DEBUG)
    async with line.connected() as connection:
        await heard(connection, Subscribed)
        line.main.drop()
        lost = await heard(connection, Pushed)
    assert isinstance(lost, NoAnswer)
    assert not any(secret in caplog.text + repr(lost) for secret in ("main-secret", "main-key"))


async def test_more_streams_than_a_pool_has_connections(line: Line) -> None:
    """Streams never end, so that no number of them may use up the connections that calls need."""
    assert line.session.fresh.connector is not None
    assert line.session.fresh.connector.limit == 0


@pytest.mark.parametrize(
    ("status", "body", "reason", "said"),
    [
        (
            "403 Forbidden",
            b'{"code":9105,"msg":"API key has expired"}',
            MissReason.BLOCKED,
            "API key has expired",
        ),
        (
            "403 Forbidden",
            b"<title>Attention Required!</title>",
            MissReason.BLOCKED,
            "Attention Required!",
        ),
        (
            "200 OK",
            b"<title>Just a moment...</title>",
            MissReason.BLOCKED,
            "a web page, Just a moment...",
        ),
        (
            "503 Down",
            b"Maintenance until 04:00",
            MissReason.HTTP_5XX,
            "HTTP 503, Maintenance until 04:00",
        ),
        (
            "200 OK",
            b"welcome",
            MissReason.BAD_ANSWER,
            "answered HTTP 200, welcome, where a WebSocket was expected",
        ),
        (
            "200 OK",
            b"",
            MissReason.BAD_ANSWER,
            "answered HTTP 200 where a WebSocket was expected: check ws_url",
        ),
    ],
)
async def test_b1_a_refused_handshake_is_quoted(
    line: Line, status: str, body: bytes, reason: MissReason, said: str
) -> None:
    """B1, A4: what stands in the answer to a handshake is said, and decides, as for a call."""
    async with serve(Raw(response(body, status=status))) as where:
        refused = await line.dial(f"ws://{where}/perpum")
    assert isinstance(refused, NoAnswer)
    assert (refused.reason, said in refused.detail) == (reason, True), refused.detail
