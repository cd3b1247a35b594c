"""An HTTP proxy on loopback: tunnels (CONNECT), plain calls (absolute form), a password, counts.

daemon ──► proxy ──► the exchange
"""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

HERE = "127.0.0.1"


class ProxyServer:
    """`names` are hosts that only it resolves: the loopback port by `HOST:PORT`."""

    def __init__(self, names: Mapping[str, int] | None = None, login: str = "") -> None:
        self.names = dict(names or {})
        self.login = login
        """USER:PASSWORD, where they are asked for."""
        self.answer = 200
        """The answer to a well-formed CONNECT."""
        self.asked: list[str] = []
        """The first lines of all requests that were let through."""
        self.heads: list[str] = []
        """All requests whatever, as they were read."""
        self.port = 0
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        """Listen, at the same port as before where there was one."""
        self._server = await asyncio.start_server(self._begin, HERE, self.port, ssl=tls)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self._server.close()
        await asyncio.sleep(0)  # who was let in already is known by then
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def place(self) -> str:
        return f"{HERE}:{self.port}"

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(self._serve(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)
        talk.add_done_callback(
            lambda _: writer.close()
        )  # also where it is cancelled before it begins

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await self._answer(reader, writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        method, target, _ = head.split(" ", 2)
        status = self._status(head)
        if status != 200:
            writer.write(
                f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )
            await writer.drain()
            return
        self.asked.append(head.partition("\r\n")[0])
        place = target if method == "CONNECT" else urlsplit(target).netloc
        host, _, port = place.rpartition(":")
        known = (HERE, self.names[place]) if place in self.names else (host, int(port))
        answers, words = await asyncio.open_connection(*known)
        try:
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                words.write(_origin_form(head, target))
            async with asyncio.TaskGroup() as both:
                back = both.create_task(_pass(answers, writer))
                await _pass(reader, words)
                back.cancel()
        finally:
            words.close()

    def _status(self, head: str) -> int:
        coded = base64.b64encode(self.login.encode()).decode()
        if self.login and f"proxy-authorization: basic {coded}".lower() not in head.lower():
            return 407
        return self.answer


def _origin_form(head: str, target: str) -> bytes:
    """The request for the exchange, without the proxy's header; one request per connection."""
    parts = urlsplit(target)
    lines = head.replace(target, parts.path + (f"?{parts.query}" if parts.query else ""), 1).split(
        "\r\n"
    )
    kept = [line for line in lines if not line.lower().startswith("proxy-")]
    if "upgrade:" not in head.lower():
        kept.insert(1, "Connection: close")
    return "\r\n".join(kept).encode()


async def _pass(from_: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while item := await from_.read(65_536):
            to.write(item)
            await to.drain()
        to.close()


@asynccontextmanager
async def proxy_server(
    names: Mapping[str, int] | None = None, login: str = "", tls: ssl.SSLContext | None = None
) -> AsyncIterator[ProxyServer]:
    """One that listens until the end of the block."""
    it = ProxyServer(names, login)
    await it.start(tls)
    try:
        yield it
    finally:
        await it.stop()
