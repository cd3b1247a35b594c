"""Time from a change at the exchange to the message: by push, and by polling once a second.

    python benchmarks/latency.py [alerts]

The daemon runs as its own process against the built-in exchange, with a database on disk, and sends
to a receiver in this process. Alerts cross their threshold at random phases of the polling. For
comparison the same run measures a bare POST after one fsync, the least that a program needs which
records before it sends.
"""

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from aiohttp import web

from daemon.clock import SystemClock
from daemon.simulator import SimulatedAccount, Simulator

PATIENCE = 30.0
"""Seconds after which an alert that did not come ends the run."""

PAUSE = (0.3, 1.3)
"""Seconds between two alerts: plus a random part of a second, to meet each phase of polling."""

CONFIG = """
[daemon]
database = "sqlite:///latency.db"
every = "{every}"
web = ""

[[accounts]]
name = "main"
api_key = "main-key"
secret_key = "main-secret"
rest_url = "{rest_url}"
ws_url = "{ws_url}"

[[channels]]
name = "receiver"
url = "json://127.0.0.1:{port}"

[[rules]]
name = "low"
when = "available_margin < 100"
severity = "critical"
flapping = ""
"""


class Receiver:
    """Notes when a message arrives."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[float] = asyncio.Queue()
        app = web.Application()
        app.router.add_post("/", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        self.port = 0

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.arrived.put_nowait(time.perf_counter())
        await request.read()
        return web.Response()


async def bare(receiver: Receiver, folder: Path, count: int) -> list[float]:
    """One fsync and one POST, at the same random intervals: an idle processor is slow at first."""
    taken = []
    async with aiohttp.ClientSession() as session:
        with (folder / "bare").open("ab", buffering=0) as file:
            for _ in range(count):
                await asyncio.sleep(random.uniform(*PAUSE))
                begin = time.perf_counter()
                file.write(b"x" * 4096)
                os.fsync(file.fileno())
                async with session.post(
                    f"http://127.0.0.1:{receiver.port}/", json={"title": "x", "message": "x" * 400}
                ):
                    taken.append(await receiver.arrived.get() - begin)
    return taken


async def alerts(receiver: Receiver, account: SimulatedAccount, count: int) -> list[float]:
    """Lower and raise the margin, which gives two messages."""
    taken = []
    for _ in range(count):
        for margin in ("50", "200"):
            await asyncio.sleep(random.uniform(*PAUSE))
            begin = time.perf_counter()
            account.set(available_margin=margin)
            async with asyncio.timeout(PATIENCE):
                taken.append(await receiver.arrived.get() - begin)
    return taken


async def daemon(
    simulator: Simulator, receiver: Receiver, count: int, *, push: bool, channels: str = ""
) -> list[float]:
    """The same alerts from a daemon that gets pushes or only polls, and with further channels."""
    account = simulator.account("main", "main-key", "main-secret")
    account.set(available_margin="200")
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "rules.toml"
        every, ws_url = ("5s", simulator.ws_url) if push else ("1s", "")
        text = CONFIG.format(
            every=every, rest_url=simulator.rest_url, ws_url=ws_url, port=receiver.port
        )
        config.write_text(text + channels)
        config.chmod(0o600)
        command = [sys.executable, "-m", "daemon", "run", "--config", str(config)]
        process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
        try:
            await _ready(account, push=push)
            return await alerts(receiver, account, count)
        finally:
            process.terminate()
            await process.wait()


async def _ready(account: SimulatedAccount, *, push: bool) -> None:
    async with asyncio.timeout(PATIENCE):
        while not _listened_to(account, push=push):  # noqa: ASYNC110 -- the simulator rings no bell
            await asyncio.sleep(0.05)
    await asyncio.sleep(2)


def _listened_to(account: SimulatedAccount, *, push: bool) -> bool:
    return account.answered > 0 and (
        not push or any(socket.subscribed for socket in account.sockets)
    )


async def measure(count: int) -> None:
    receiver = Receiver()
    await receiver.start()
    shown: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        shown["a bare POST after a fsync"] = await bare(receiver, Path(folder), 2 * count)
    for name, push in (("by push", True), ("by polling once a second", False)):
        simulator = Simulator(SystemClock())
        await simulator.start()
        shown[name] = await daemon(simulator, receiver, count, push=push)
        await simulator.stop()
    await receiver.stop()
    least = statistics.median(shown["a bare POST after a fsync"])
    for name, taken in shown.items():
        print(_line(name, taken, least))


def _line(name: str, taken: Sequence[float], least: float) -> str:
    p50, p95, p99 = (
        statistics.quantiles(taken, n=100, method="inclusive")[at - 1] for at in (50, 95, 99)
    )
    figures = "   ".join(
        f"{label} {1_000 * value:8.1f} ms"
        for label, value in (("p50", p50), ("p95", p95), ("p99", p99))
    )
    return f"{name:28} {figures}   p50 is {p50 / least:6.1f} bare ones   ({len(taken)} messages)"


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
