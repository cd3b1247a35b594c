"""How an answer travels: whole, late, byte by byte, cut off, without end, or never.

Each manner ends when the client leaves (the server cancels it) or when the simulator stops.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from aiohttp import web

from daemon.clock import Clock
from daemon.types import SECOND, Millis

CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer: HTTP status, body, and headers beside the type of the content."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplyConnection:
    """One request's connection, the clock that slows it, and the word that all is over."""

    request: web.Request
    clock: Clock
    stopping: asyncio.Event

    async def pause(self, duration: Millis) -> None:
        """Let time pass, but not beyond the simulator's stop."""
        waits = [
            asyncio.create_task(self.clock.sleep(duration)),
            asyncio.create_task(self._stopped()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _stopped(self) -> None:
        await self.stopping.wait()

    def cut(self) -> None:
        """Close the connection under the answer."""
        if self.request.transport is not None:
            self.request.transport.close()


Manner: TypeAlias = Callable[[ReplyConnection, Reply], Awaitable[web.StreamResponse]]


async def whole(_line: ReplyConnection, reply: Reply) -> web.StreamResponse:
    """As any server answers."""
    headers = {**reply.headers, "Content-Type": reply.content_type}
    return web.Response(body=reply.body, status=reply.status, headers=headers)


def late(by: Millis) -> Manner:
    """The whole answer, `by` milliseconds after the request."""

    async def send(line: ReplyConnection, reply: Reply) -> web.StreamResponse:
        await line.pause(by)
        return await whole(line, reply)

    return send


async def never(line: ReplyConnection, _reply: Reply) -> web.StreamResponse:
    """The request is taken, and nothing comes back."""
    await line.stopping.wait()
    line.cut()
    return web.Response()


async def stalling(line: ReplyConnection, reply: Reply) -> web.StreamResponse:
    """Headers and half of the body, then nothing more."""
    response = await _begun(line, reply)
    await response.write(reply.body[: len(reply.body) // 2])
    await line.stopping.wait()
    line.cut()
    return response


async def dripping(line: ReplyConnection, reply: Reply) -> web.StreamResponse:
    """One byte a second."""
    response = await _begun(line, reply)
    for at in range(len(reply.body)):
        await line.pause(SECOND)
        if line.stopping.is_set():
            break
        await response.write(reply.body[at : at + 1])
    line.cut()
    return response


async def unanswered(line: ReplyConnection, _reply: Reply) -> web.StreamResponse:
    """The connection is closed before a single header."""
    line.cut()
    return web.Response()


async def cut_short(line: ReplyConnection, reply: Reply) -> web.StreamResponse:
    """The connection is closed in the middle of the body."""
    response = await _begun(line, reply)
    await response.write(reply.body[: len(reply.body) // 2])
    line.cut()
    return response


def padded(size: int) -> Manner:
    """The answer followed by `size` bytes of white space, streamed without a length: still valid
    JSON.
    """

    async def send(line: ReplyConnection, reply: Reply) -> web.StreamResponse:
        response = web.StreamResponse(
            status=reply.status, headers={"Content-Type": reply.content_type}
        )
        await response.prepare(line.request)
        await response.write(reply.body)
        for _ in range(size // CHUNK + 1):
            await response.write(b" " * CHUNK)
        return response

    return send


async def _begun(line: ReplyConnection, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(
        status=reply.status, headers={**reply.headers, "Content-Type": reply.content_type}
    )
    response.content_length = len(reply.body)
    await response.prepare(line.request)
    return response
