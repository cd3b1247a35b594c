"""The wire to the exchange: passes what is said, to an address and behind a certificate of its own,
until it is cut.

    daemon ◄──► wire ◄──► the simulated exchange

A cut wire does what a dead router does: it closes nothing, answers nothing, and whoever connects is
taken and never heard. What was connected then stays dead when it is mended. It knows no protocol.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

HERE = "127.0.0.1"


class Wire:
    """To the port `behind` on loopback."""

    def __init__(self, behind: int) -> None:
        self.port = 0
        self._behind = behind
        self._dead = False
        self._cuts = 0
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, tls: ssl.SSLContext | None) -> None:
        self._server = await asyncio.start_server(self._begin, host, 0, ssl=tls)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def cut(self) -> None:
        self._dead = True
        self._cuts += 1

    def mend(self) -> None:
        self._dead = False

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the daemon leaves, or the exchange does and the wire can tell."""
        cuts = self._cuts
        answers, words = await asyncio.open_connection(HERE, self._behind)
        try:
            with suppress(OSError):
                async with asyncio.TaskGroup() as both:
                    answering = both.create_task(self._pass(answers, writer, cuts))
                    await self._pass(reader, words, cuts)
                    answering.cancel()
        finally:
            words.close()
            writer.close()

    async def _pass(self, from_: asyncio.StreamReader, to: asyncio.StreamWriter, cuts: int) -> None:
        while item := await from_.read(65_536):
            if not self._dead and self._cuts == cuts:
                to.write(item)
        if not self._dead and self._cuts == cuts:
            to.close()


@asynccontextmanager
async def wire(
    behind: int, host: str = HERE, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Wire]:
    """One that is up, until the end of the block."""
    it = Wire(behind)
    await it.start(host, tls)
    try:
        yield it
    finally:
        await it.stop()
