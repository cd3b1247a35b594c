"""One HTTP call, against servers that misbehave in every way we know of."""

import asyncio
import gzip
import shutil
import ssl
import subprocess
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from daemon.exchanges.common.http import WARY, get, open_session
from daemon.exchanges.common.responses import MAX_BODY, MalformedError, Page, decode
from daemon.types import SECOND, Millis, MissReason, NoAnswer

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Raw:
    """A server of raw bytes: answers each request with the next text; b"" drops the connection."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while self.answers:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                answer = self.answers.pop(0)
                if not answer:
                    break
                writer.write(answer)
                await writer.drain()
                if not answer.endswith(b"\r\n\r\n{}"):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class Mute:
    """A server that sends what it is given and then says nothing more until its client leaves."""

    def __init__(self, begin: bytes = b"") -> None:
        self.begin = begin

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.begin)
        try:
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()


class Counting:
    """Answers each request on each connection, and keeps how many there were of both."""

    def __init__(self) -> None:
        self.requests = 0
        self.connections = 0
        self.drops = 0
        """So many further requests on a connection that was used before end it."""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        used = False
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests += 1
                if used and self.drops:
                    self.drops -= 1
                    break
                used = True
                writer.write(OK)
        writer.close()


@asynccontextmanager
async def serve(
    server: Raw | Mute | Counting, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """The server's host and port."""
    listening = await asyncio.start_server(server, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield f"127.0.0.1:{port}"
    finally:
        listening.close()


async def fetch(where: str, within: Millis = 20 * SECOND, scheme: str = "http") -> Page | NoAnswer:
    async with open_session() as session:
        return await get(session, f"{scheme}://{where}/path?secret=1", {"api_key": "k"}, within, ())


def response(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def test_an_answer_is_a_page() -> None:
    """Status, content type, body and redirect target come back as they are; none is followed."""
    server = Raw(
        response(
            b"<html>",
            "Content-Type: text/html",
            "Location: http://127.0.0.1:1/",
            status="302 Found",
        )
    )
    async with serve(server) as where:
        found = await fetch(where)
    assert Page(302, "text/html", b"<html>", "http://127.0.0.1:1/") == found


@pytest.mark.parametrize("before", [0, 1])
async def test_b1_a_dropped_call_is_never_resent(before: int) -> None:
    """B1: on a new and on a kept connection, a call that breaks reaches the server exactly once."""
    server = Raw(*[OK] * before, b"", OK, OK)
    async with serve(server) as where, open_session() as session:
        url = f"http://{where}/"
        for _ in range(before):
            assert isinstance(await get(session, url, {}, 20 * SECOND, ()), Page)
        found = await get(session, url, {}, 20 * SECOND, ())
    said = f"{where} closed the connection without answering: asking again"
    assert (NoAnswer(MissReason.NETWORK, said), before + 1) == (found, len(server.requests))


async def test_it_is_we_who_prevent_the_resending() -> None:
    """Without our middleware aiohttp sends the same GET twice over a kept connection."""
    server = Raw(OK, b"", OK)
    async with serve(server) as where, aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.get(f"http://{where}/") as answered:
                await answered.read()
    assert len(server.requests) == 3


async def test_silence_is_a_timeout() -> None:
    """The limit spans the whole call, from the connection on."""
    async with serve(Mute()) as where:
        found = await fetch(where, within=50)
    said = f"{where} did not answer within 0.05s: check the network"
    assert NoAnswer(MissReason.TIMEOUT, said) == found


async def test_an_answer_that_stalls_is_a_timeout() -> None:
    """The limit spans the body, too."""
    async with serve(Mute(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")) as where:
        found = await fetch(where, within=50)
    assert isinstance(found, NoAnswer)
    assert found.reason == MissReason.TIMEOUT


@pytest.mark.parametrize(
    ("size", "whole"), [(MAX_BODY, True), (MAX_BODY + 1, False), (5 * MAX_BODY, False)]
)
async def test_the_body_is_read_to_a_mebibyte(size: int, whole: bool) -> None:
    """More than 1 MiB is not read, and marked as cut."""
    async with serve(Raw(response(b"x" * size))) as where:
        found = await fetch(where)
    assert Page(200, "", b"x" * min(size, MAX_BODY), whole=whole) == found


async def test_a_compressed_body_is_bounded_as_unpacked() -> None:
    """A small body that unpacks to much is cut at the same bound."""
    async with serve(
        Raw(response(gzip.compress(bytes(20 * MAX_BODY)), "Content-Encoding: gzip"))
    ) as where:
        found = await fetch(where)
    assert isinstance(found, Page)
    assert (len(found.body), found.whole) == (MAX_BODY, False)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", MissReason.BAD_ANSWER),
        (b"HTTP/1.1 200 OK\r\nbroken\r\n\r\n", MissReason.BAD_ANSWER),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", MissReason.BAD_ANSWER),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", MissReason.NETWORK),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", MissReason.BAD_ANSWER),
        (b"HTTP/1.1 200 OK\r\nContent-Le", MissReason.NETWORK),
    ],
)
async def test_a_broken_answer_is_a_miss(answer: bytes, reason: MissReason) -> None:
    """Whatever breaks in the answer is a miss with one sentence, never an exception."""
    async with serve(Raw(answer)) as where:
        found = await fetch(where)
    assert isinstance(found, NoAnswer), found
    assert (reason, True) == (found.reason, found.detail.startswith(f"{where} ")), found.detail


PACKED = gzip.compress(b'{"a":1}', mtime=0)
RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
DEFLATED = RAW.compress(b'{"a":1}') + RAW.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b'{"a":1}', ""),
        (b'{"a":1}', "gzip"),
        (b'{"a":1}', "br"),
        (b' {"a":1}', "zstd"),
        (b'{"a":1}', "deflate"),
        (PACKED, "gzip"),
        (PACKED, "x-gzip"),
        (PACKED, ""),
        (PACKED, "br"),
        (PACKED, "deflate"),
        (zlib.compress(b'{"a":1}'), "deflate"),
        (DEFLATED, "Deflate"),
    ],
)
async def test_a4_a_body_is_unpacked_by_what_it_is(body: bytes, encoding: str) -> None:
    """A4, B3a: packed or not, whatever its header says."""
    async with serve(Raw(response(body, f"Content-Encoding: {encoding}"))) as where:
        found = await fetch(where)
    assert isinstance(found, Page), found
    assert decode(found) == {"a": 1}


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (b"\x8b\x02\x80\x7b\x7d\x03", "br", 'is compressed as "br", which was not asked for'),
        (b"\x28\xb5\x2f\xfd\x04\x00", "zstd", 'is compressed as "zstd", which was not asked for'),
        (b"\x8b\x02", "gzip, br", 'is compressed as "gzip, br", which was not asked for'),
        (PACKED[:-9], "gzip", "is compressed, and not complete"),
        (PACKED[:4], "", "is compressed, and not complete"),
        (PACKED[:10] + b"\xff" * 20, "gzip", "is compressed, and damaged"),
        (b"\x78\x9c\xff\xff\xff\xff", "deflate", "is compressed, and damaged"),
        (b"not gzip", "gzip", "is not JSON"),
        (b"", "gzip", "is not JSON"),
    ],
)
async def test_b2_a_packed_body_that_cannot_be_read_is_named(
    body: bytes, encoding: str, said: str
) -> None:
    """B2: what came is said, and the status is still known."""
    async with serve(
        Raw(response(body, f"Content-Encoding: {encoding}", status="429 Slow"))
    ) as where:
        found = await fetch(where)
    assert isinstance(found, Page), found
    assert found.status == 429
    with pytest.raises(MalformedError, match=f"^{said}$"):
        decode(found)


@pytest.mark.parametrize(
    ("came", "said"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", 'does not speak HTTP (it says "SSH-2.0-OpenSSH_9.2")'),
        (b"220 mail.example ESMTP\r\n", 'does not speak HTTP (it says "220 mail.example ESMTP")'),
        (b"* OK IMAP4 ready\r\n", 'does not speak HTTP (it says "* OK IMAP4 ready")'),
        (
            b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00",
            "speaks HTTP/2 only, which is not supported",
        ),
        (b"HTTP/2 200 OK\r\n\r\n", "speaks HTTP/2 only, which is not supported"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "speaks TLS where plain HTTP was expected"),
        (b"\xff\xfe\x00\x01'\"\\\r\n", "does not speak HTTP (it says "),
        (b"GET / HTTP/1.1\r\n", 'does not speak HTTP (it says "GET / HTTP/1.1")'),
        (b"hear k-secret-k and k\r\n", 'does not speak HTTP (it says "hear *** and k")'),
    ],
)
async def test_b2_what_came_instead_of_http_is_said(came: bytes, said: str) -> None:
    """B2: the protocol where it is known, else its first words, without what was sent to it."""
    async with serve(Mute(came)) as where, open_session() as session:
        found = await get(session, f"http://{where}/", {"api_key": "k-secret-k"}, 20 * SECOND, ())
    assert isinstance(found, NoAnswer)
    assert found.reason is MissReason.BAD_ANSWER
    assert found.detail.startswith(f"{where} {said}")
    assert found.detail.endswith(": check rest_url")


async def test_b2_we_ask_for_what_we_can_read() -> None:
    """B2: the same whatever libraries are installed."""
    server = Raw(OK)
    async with serve(server) as where:
        await fetch(where)
    assert b"Accept-Encoding: gzip, deflate\r\n" in server.requests[0]


async def test_a13_a_host_that_drops_what_is_kept_gets_new_connections() -> None:
    """A13, B1: calls share a connection; after one broke, each of the next thousand has its own."""
    server, url = Counting(), ""
    async with serve(server) as where, open_session() as session:
        url = f"http://{where}/"
        for _ in range(3):
            assert isinstance(await get(session, url, {}, 20 * SECOND, ()), Page)
        assert server.connections == 1
        server.drops = 10**9
        lost = [
            isinstance(await get(session, url, {}, 20 * SECOND, ()), NoAnswer)
            for _ in range(WARY + 1)
        ]
        assert lost == [True] + [False] * WARY
        assert server.connections == 1 + WARY
        server.drops = 0
        for _ in range(3):
            assert isinstance(await get(session, url, {}, 20 * SECOND, ()), Page)
        assert server.connections == 2 + WARY


async def test_a13_a_stream_has_a_connection_of_its_own() -> None:
    """A13: a handshake over a kept connection could be lost like a call."""
    async with open_session() as session:
        assert session.fresh.connector is not None
        assert session.fresh.connector.force_close


async def test_no_cookies_are_kept() -> None:
    """Cookies of one answer do not travel with the next call."""
    server = Raw(OK.replace(b"OK\r\n", b"OK\r\nSet-Cookie: a=b\r\n", 1), OK)
    async with serve(server) as where, open_session() as session:
        for _ in range(2):
            await get(
                session, f"http://{where.replace('127.0.0.1', 'localhost')}/", {}, 20 * SECOND, ()
            )
    assert [b"cookie" in request.lower() for request in server.requests] == [False, False]


async def test_the_environment_adds_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment does not see the calls."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with serve(Raw(OK)) as where:
        assert isinstance(await fetch(where), Page)


def self_signed(directory: Path) -> ssl.SSLContext:
    """A server's TLS context whose certificate nobody vouches for."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("this machine has no openssl to make a certificate with")
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    made = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext"
        " subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(  # a fixed command line
        [openssl, *made.split(), "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_certificates_are_verified(tmp_path: Path) -> None:
    """Promise 9: a server with an untrusted certificate gets no request; the sentence says why."""
    server = Raw(OK)
    async with serve(server, self_signed(tmp_path)) as where:
        found = await fetch(where, scheme="https")
    remedy = (
        "check the address; if your network opens TLS, name its certificates in [daemon] ca_file"
    )
    said = f"{where} has no valid certificate (self-signed certificate): {remedy}"
    expected = NoAnswer(MissReason.NETWORK, said)
    assert (expected, []) == (found, server.requests)


async def test_a_server_without_tls_is_named() -> None:
    """TLS to a server that speaks none says so."""
    async with serve(Mute(response(b"speak plainly", status="400 Bad Request"))) as where:
        found = await fetch(where, scheme="https")
    said = (
        f"{where} does not speak TLS here: check the port, and that nothing intercepts the"
        " connection"
    )
    assert NoAnswer(MissReason.NETWORK, said) == found


async def test_a_refused_connection_is_named() -> None:
    """A refused port is reported; the rest of the address stays out of the sentence."""
    said = "127.0.0.1:1 refused the connection: check the address and that it is up"
    assert NoAnswer(MissReason.NETWORK, said) == await fetch("127.0.0.1:1")


class NoNames(aiohttp.abc.AbstractResolver):
    """A resolver whose name servers know nothing."""

    async def resolve(
        self, host: str, port: int = 0, family: int = 0
    ) -> list[aiohttp.abc.ResolveResult]:
        raise OSError(None, "Name or service not known")

    async def close(self) -> None:
        pass


async def test_an_unknown_name_is_named() -> None:
    """A host that no name server knows is told as DNS."""
    async with open_session(NoNames()) as session:
        found = await get(session, "https://api.example/x", {}, SECOND, ())
    said = "api.example was not found (DNS): check the address and this machine's name servers"
    assert NoAnswer(MissReason.NETWORK, said) == found


async def test_cancelling_is_no_miss() -> None:
    """A cancelled call stays cancelled."""
    async with serve(Mute()) as where:
        call = asyncio.create_task(fetch(where))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
