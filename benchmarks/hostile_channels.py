"""How much later a good channel tells an alert when two hostile ones stand beside it.

    python benchmarks/hostile_channels.py [alerts] [rounds]

One hostile receiver answers without an end, the other never. The daemon runs in turns without and with them, by push;
the figure that counts is the ratio of the medians.
"""

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from benchmarks.latency import Receiver, daemon
from daemon.clock import SystemClock
from daemon.exchanges.simulator import Simulator

HOSTILE = """
[[channels]]
name = "{name}"
url = "json://127.0.0.1:{port}"
"""


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer that goes on for as long as somebody reads it."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    with suppress(OSError):
        while True:
            writer.write(b"1000\r\n" + bytes(0x1000) + b"\r\n")
            await writer.drain()


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """No answer."""
    with suppress(OSError):
        while await reader.read(4096):
            pass


@asynccontextmanager
async def hostile_channels() -> AsyncIterator[str]:
    """Both receivers, while they serve; their part of the configuration."""
    async with AsyncExitStack() as stack:
        parts = []
        for name, answer in (("endless", endless), ("silent", silent)):
            server = await asyncio.start_server(answer, "127.0.0.1", 0)
            stack.callback(server.close)
            parts.append(HOSTILE.format(name=name, port=server.sockets[0].getsockname()[1]))
        yield "".join(parts)


async def told(receiver: Receiver, count: int, channels: str) -> list[float]:
    """How long each alert took, with these channels beside the good one."""
    simulator = Simulator(SystemClock())
    await simulator.start()
    taken = await daemon(simulator, receiver, count, push=True, channels=channels)
    await simulator.stop()
    return taken


async def measure(count: int, rounds: int) -> None:
    receiver = Receiver()
    await receiver.start()
    alone, beside = list[float](), list[float]()
    async with hostile_channels() as channels:
        for _ in range(rounds):
            alone += await told(receiver, count, "")
            beside += await told(receiver, count, channels)
    await receiver.stop()
    for name, taken in (("alone", alone), ("beside two hostile ones", beside)):
        print(f"{name:24} p50 {1_000 * statistics.median(taken):6.2f} ms   ({len(taken)} messages)")
    print(f"{'ratio of the medians':24} {statistics.median(beside) / statistics.median(alone):6.3f}")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(measure(*(numbers + [25, 2][len(numbers) :])))
