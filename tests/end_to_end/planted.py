"""Secrets planted in every place where one can stand, receivers that echo them, and the search for
what leaked.
"""

import asyncio
import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from aiohttp import web

from tests.end_to_end.running import Bell

PIECE = 14
"""Characters of a secret that give it away."""

WAYS = ("literal", "env", "file", "credential")
"""How an account's keys are written in a rules.toml."""


def secret(place: str, odd: str = "") -> str:
    """A unique secret; `odd` characters in its middle give it several spellings."""
    digits = hashlib.sha256(f"planted {place}".encode()).hexdigest()[:40]
    return f"{digits[:20]}{odd}{digits[20:]}"


KEYS = {way: secret(f"{way} key", "+/=&") for way in WAYS}
SECRET_KEYS = {way: secret(f"{way} secret", "%41<") for way in WAYS}
TOKENS = {
    place: secret(place)
    for place in (
        "path",
        "user",
        "password",
        "query",
        "header",
        "template",
        "whole",
        "mail",
        "database",
        "service",
    )
}
ODD = secret("odd password", "p@/ ü%")
"""Percent-encoded where it stands in a URL."""

ALL = (*KEYS.values(), *SECRET_KEYS.values(), *TOKENS.values(), ODD)


def spellings(text: str) -> set[str]:
    """A secret, its beginning and its end: plain, percent-encoded, and in base64."""
    spelt = {text, unquote(text), text[:PIECE], text[-PIECE:]}
    return spelt | {quote(text, safe="")} | {_base64(text, before) for before in range(3)}


def echoes(text: str) -> list[str]:
    """Ways in which a server may echo a secret: as is, URL-encoded, as an Authorization header."""
    encoded = [
        base64.b64encode(each.encode()).decode() for each in (text, f"me:{text}", f"user:{text}:")
    ]
    return [text, quote(text, safe=""), *encoded]


def _base64(text: str, before: int) -> str:
    """Without its ends, which depend on the neighbours."""
    return base64.b64encode(b"\0" * before + text.encode())[4:-4].decode()


def traces(collected: Mapping[str, bytes], secrets: Iterable[str] = ALL) -> list[tuple[str, str]]:
    """(where it was found, the spelling) for every secret in what was collected."""
    sought = {spelling for each in secrets for spelling in spellings(each)}
    return [
        (where, each)
        for where, data in collected.items()
        for each in sorted(sought)
        if each.encode() in data
    ]


@dataclass(slots=True)
class Echo:
    """A web server that keeps what it is told, and says all it knows of a call in its error."""

    bell: Bell
    port: int = 0
    called: list[str] = field(default_factory=list)
    """Path and query, as sent."""
    bodies: list[bytes] = field(default_factory=list)

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{any:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = int(runner.addresses[0][1])
        return runner

    async def _answer(self, request: web.Request) -> web.Response:
        self.called.append(request.raw_path)
        self.bodies.append(await request.read())
        self.bell.ring()
        if "/good" in request.raw_path:
            return web.Response(text="thanks")
        echoed = f"no: {request.url} {request.raw_path} {dict(request.headers)}"
        return web.Response(status=500, reason=request.raw_path.strip("/"), text=echoed)


@dataclass(slots=True)
class MailServer:
    """Speaks SMTP as far as the login, and refuses that with everything it was told."""

    bell: Bell
    port: int = 0
    refused: int = 0

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail\r\n")
        while line := (await reader.readline()).decode().strip():
            writer.write(self._answer(line).encode() + b"\r\n")
            await writer.drain()
        writer.close()

    def _answer(self, line: str) -> str:
        if line.upper().startswith("EHLO"):
            return "250-mail\r\n250 AUTH PLAIN"
        if line.upper().startswith("AUTH PLAIN"):
            self.refused += 1
            self.bell.ring()
            told = line.rsplit(maxsplit=1)[-1]
            return f"535 {'x' * 110} no {told} {base64.b64decode(told).decode(errors='replace')!r}"
        return "550 no"
