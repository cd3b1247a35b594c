"""Ways to send an answer: whole, late, byte by byte, cut off, endless, or never.

Each ends when the client leaves (the server cancels it) or when the simulator stops.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web

from daemon.clock import Clock
from daemon.types import SECOND, Millis

CHUNK = 65_536
MIB = 1_048_576


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: HTTP status, body, and headers beside the content type."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplyConnection:
    """One request's connection, with the clock and the simulator's stop signal."""

    request: web.Request
    clock: Clock
    stopping: asyncio.Event

    async def pause(self, duration: Millis) -> None:
        """Sleep, but not beyond the simulator's stop."""
        waits: list[asyncio.Task[Any]] = [
            asyncio.create_task(self.clock.sleep(duration)),
            asyncio.create_task(self.stopping.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def cut(self) -> None:
        """Close the connection in the middle of the answer."""
        if self.request.transport is not None:
            self.request.transport.close()


Manner: TypeAlias = Callable[[ReplyConnection, Reply], Awaitable[web.StreamResponse]]


async def whole(_line: ReplyConnection, reply: Reply) -> web.StreamResponse:
    """The regular way to answer."""
    headers = {**reply.headers, "Content-Type": reply.content_type}
    return web.Response(body=reply.body, status=reply.status, headers=headers)


def late(by: Millis) -> Manner:
    """The whole answer, `by` milliseconds late."""

    async def send(line: ReplyConnection, reply: Reply) -> web.StreamResponse:
        await line.pause(by)
        return await whole(line, reply)

    return send


async def never(line: ReplyConnection, _reply: Reply) -> web.StreamResponse:
    """Take the request and never answer."""
    await line.stopping.wait()
    line.cut()
    return web.Response()


async def stalling(line: ReplyConnection, reply: Reply) -> web.StreamResponse:
    """Send headers and half of the body, then nothing."""
    response = await _begun(line, reply)
    await response.write(reply.body[: len(reply.body) // 2])
    await line.stopping.wait()
    line.cut()
    return response


async def dripping(line: ReplyConnection, reply: Reply) -> web.StreamResponse:
    """Send one byte per second."""
    response = await _begun(line, reply)
    for at in range(len(reply.body)):
        await line.pause(SECOND)
        if line.stopping.is_set():
            break
        await response.write(reply.body[at : at + 1])
    line.cut()
    return response


async def unanswered(line: ReplyConnection, _reply: Reply) -> web.StreamResponse:
    """Close the connection before any header."""
    line.cut()
    return web.Response()


async def cut_short(line: ReplyConnection, reply: Reply) -> web.StreamResponse:
    """Close the connection in the middle of the body."""
    response = await _begun(line, reply)
    await response.write(reply.body[: len(reply.body) // 2])
    line.cut()
    return response


def padded(size: int) -> Manner:
    """The answer with `size` bytes of white space after it: valid JSON, without a length."""

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
