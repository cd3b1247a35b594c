"""Gates before receivers: what the daemon sends passes through them, and can be held at each step
of a call.

    daemon ──► CONNECTED ──► SPOKEN ──► receiver ──► TAKEN ──► daemon

A gate knows no protocol. What was taken it learns from the receiver behind it, so that TLS is
nothing special.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

from tests.end_to_end.running import Bell


class Step(StrEnum):
    """The step of a call at which it is held."""

    CONNECTED = "the connection is taken, and nothing is read"
    SPOKEN = "the first words are read, and kept from the receiver"
    TAKEN = "the receiver has the message, and its answer is kept from the daemon"


class Gate:
    """Before the receiver on port `behind`, which has `taken` so many messages."""

    def __init__(self, bell: Bell, behind: int, taken: Callable[[], int]) -> None:
        self.port = 0
        self.hold: Step | None = None
        """Where the calls that come are held; None lets them pass."""
        self.held = False
        """Whether one is."""
        self._bell, self._behind, self._taken = bell, behind, taken
        self._go_on = asyncio.Event()
        self._calls: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self._server.close()
        await self.forget()

    async def let_on(self) -> None:
        """Release held calls; return when they have left."""
        self.hold, self.held = None, False
        self._go_on.set()
        await asyncio.sleep(
            0
        )  # the call goes on; what it writes into an empty socket leaves at once

    async def forget(self) -> None:
        """End all calls, without a word to either side."""
        self.hold, self.held = None, False
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.create_task(self._pass(reader, writer, self._taken()))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, before: int
    ) -> None:
        try:
            with suppress(OSError):
                await self._stand(Step.CONNECTED)
                answers, words = await asyncio.open_connection("127.0.0.1", self._behind)
                try:
                    await asyncio.gather(
                        self._ask(reader, words), self._answer(answers, writer, before)
                    )
                finally:
                    words.close()
        finally:
            writer.close()
            self._bell.ring()

    async def _ask(self, reader: asyncio.StreamReader, words: asyncio.StreamWriter) -> None:
        while item := await reader.read(65_536):
            await self._stand(Step.SPOKEN)
            words.write(item)
        words.close()

    async def _answer(
        self, answers: asyncio.StreamReader, writer: asyncio.StreamWriter, before: int
    ) -> None:
        while item := await answers.read(65_536):
            if self._taken() > before:
                await self._stand(Step.TAKEN)
            writer.write(item)
        writer.close()

    async def _stand(self, step: Step) -> None:
        if self.hold is not step:
            return
        self._go_on.clear()
        self.held = True
        self._bell.ring()
        await self._go_on.wait()
