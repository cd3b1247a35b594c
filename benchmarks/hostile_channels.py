"""Delay of alerts on a good channel beside two hostile channels, or two honest ones.

    python benchmarks/hostile_channels.py [alerts] [rounds]

One hostile receiver answers without an end, the other never. The daemon runs in turns alone, with
honest and with hostile channels, by push; the result is the ratio of the medians.
"""

import asyncio
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from benchmarks.latency import Receiver, daemon
from daemon.clock import SystemClock
from daemon.simulator import Simulator

CHANNEL = """
[[channels]]
name = "{name}"
url = "json://127.0.0.1:{port}"
"""


async def honest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The answer of a webhook."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer that goes on as long as it is read."""
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


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ANSWERS: Mapping[str, Answer] = {answer.__name__: answer for answer in (honest, endless, silent)}
VARIANTS: Mapping[str, Sequence[Answer]] = {
    "alone": (),
    "beside two honest ones": (honest, honest),
    "beside two hostile ones": (endless, silent),
}


@asynccontextmanager
async def channels(answers: Sequence[Answer]) -> AsyncIterator[str]:
    """Serve these receivers, and give their part of the configuration.

    They have a process of their own: what they do must not hold up the clock of the good one.
    """
    names = [answer.__name__ for answer in answers]
    command = [sys.executable, "-m", "benchmarks.hostile_channels", "serve", *names]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        ports = [int(await process.stdout.readline()) for _ in names]
        yield "".join(
            CHANNEL.format(name=f"other {number}", port=port) for number, port in enumerate(ports)
        )
    finally:
        process.terminate()
        await process.wait()


async def serve(names: Sequence[str]) -> None:
    """Print the ports of these receivers, and serve until terminated."""
    for name in names:
        server = await asyncio.start_server(ANSWERS[name], "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


async def told(receiver: Receiver, count: int, further: str) -> list[float]:
    """The latency of each alert, with these channels beside the good one."""
    simulator = Simulator(SystemClock())
    await simulator.start()
    taken = await daemon(simulator, receiver, count, push=True, channels=further)
    await simulator.stop()
    return taken


async def measure(count: int, rounds: int) -> None:
    receiver = Receiver()
    await receiver.start()
    taken: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for _ in range(rounds):
        for name, answers in VARIANTS.items():
            async with channels(answers) as further:
                taken[name] += await told(receiver, count, further)
    await receiver.stop()
    alone = statistics.median(taken["alone"])
    for name, each in taken.items():
        median = statistics.median(each)
        print(
            f"{name:24} p50 {1_000 * median:6.2f} ms, {median / alone:5.2f} times as long  "
            f" ({len(each)} messages)"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(sys.argv[2:]))
        sys.exit()
    numbers = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(measure(*(numbers + [25, 2][len(numbers) :])))
