"""A server's side of kept connections, in front of the simulated exchange: it ends them when it
likes.

    daemon ◄──► Dropping ◄──► the simulated exchange

It knows no protocol: a request is what comes from the daemon, an answer what comes from the
exchange.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

HERE = "127.0.0.1"


class Dropping:
    """A proxy to loopback port `behind` that drops connections.

    It closes a connection after `idle` seconds without a request. With `crossing`, the client
    learns of that only after its next request. `resets`: a second request on one connection meets
    RST.
    """

    def __init__(
        self,
        behind: int,
        idle: float | None = None,
        *,
        crossing: bool = False,
        resets: bool = False,
    ) -> None:
        self.port = 0
        self.connections = 0
        self._behind = behind
        self._idle = idle
        self._crossing = crossing
        self._resets = resets
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._begin, HERE, 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        talk = asyncio.create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, words = await asyncio.open_connection(HERE, self._behind)
        try:
            with suppress(OSError, TimeoutError):
                answered, clock = False, asyncio.get_running_loop().time
                while True:
                    patience = None if self._crossing or not answered else self._idle
                    began = clock()
                    request = await asyncio.wait_for(reader.read(65_536), patience)
                    late = answered and self._idle is not None and clock() - began >= self._idle
                    if answered and self._resets:
                        _reset(writer)
                    if not request or late or (answered and self._resets):
                        return
                    words.write(request)
                    writer.write(await answers.read(65_536))
                    answered = True
        finally:
            words.close()
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side hears RST."""
    writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    writer.transport.abort()


@asynccontextmanager
async def dropping(
    behind: int, idle: float | None = None, *, crossing: bool = False, resets: bool = False
) -> AsyncIterator[Dropping]:
    """One that listens, until the end of the block."""
    it = Dropping(behind, idle, crossing=crossing, resets=resets)
    await it.start()
    try:
        yield it
    finally:
        await it.stop()
