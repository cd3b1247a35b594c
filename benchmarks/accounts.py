"""Many accounts: is each polled in its slot, and does one that hangs delay another?

    python benchmarks/accounts.py [--accounts 200] [--every 1s] [--seconds 60]

The daemon runs as its own process against the built-in exchange in this one, with a raised
[budget]. Calls of the first account are never answered. The benchmark counts calls at the exchange:
a slot is missed where two calls of an account lie more than one and a half intervals apart.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from statistics import quantiles

from daemon.clock import SystemClock
from daemon.simulator import Simulator
from daemon.text.durations import parse_duration
from daemon.types import Millis

STUCK = "a0"

CONFIGURATION = """
[daemon]
every = "{every}ms"
timeout = "10s"
web = ""

[budget]
host = "100000 per 10s"
user = "100000 per 10s"
assets = "100000 per 2s"

[[rules]]
name = "low"
when = "min(available_margin, 10m) < 0"
"""
ACCOUNT = """
[[accounts]]
name = "{name}"
api_key = "{name}-key"
secret_key = "{name}-secret"
rest_url = "{url}"
ws_url = ""
"""


def _configured(folder: Path, names: Sequence[str], every: Millis, url: str) -> Path:
    path = folder / "rules.toml"
    accounts = "".join(ACCOUNT.format(name=name, url=url) for name in names)
    path.write_text(CONFIGURATION.format(every=every) + accounts, encoding="utf-8")
    return path


async def _measured(
    names: Sequence[str], every: Millis, seconds: int
) -> tuple[Simulator, Millis, Process]:
    """Count calls only after every account was polled once and a few intervals have passed."""
    simulator = Simulator(SystemClock(), keep=1_000_000)
    simulator.limit = 1_000_000
    accounts = {name: simulator.account(name) for name in names}
    accounts[STUCK].fault("hang")
    await simulator.start()
    with tempfile.TemporaryDirectory() as folder:
        path = _configured(Path(folder), names, every, simulator.rest_url)
        command = (sys.executable, "-m", "daemon", "run", "--config", str(path))
        process = await create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL)
        try:
            # The exchange rings no bell.
            while len({entry.account for entry in simulator.log}) < len(names):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            await asyncio.sleep(3 * every / 1_000)
            begin, used = simulator.elapsed(), _cpu(process.pid)
            await asyncio.sleep(seconds)
            print(
                f"the daemon used {(_cpu(process.pid) - used) / seconds:.0%} of one core,"
                f" {_memory(process.pid)} MiB"
            )
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()
    await simulator.stop()
    return simulator, begin, process


def _cpu(pid: int) -> float:
    """Seconds of one core so far."""
    user, system = (
        Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    )
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    with closing(Path(f"/proc/{pid}/status").open(encoding="utf-8")) as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


def _report(asked: Mapping[str, Sequence[Millis]], every: Millis) -> None:
    others = [times for name, times in asked.items() if name != STUCK]
    apart = sorted(later - earlier for times in others for earlier, later in pairwise(times))
    missed = sum(max(0, round(each / every) - 1) for each in apart if each > every * 3 // 2)
    late = Counter(
        later // 1_000
        for times in others
        for earlier, later in pairwise(times)
        if later - earlier > every * 1.5
    )
    cuts = quantiles(apart, n=100)
    print(f"{len(others)} accounts, {sum(map(len, others)):,} calls, {missed} slots missed")
    print(
        f"apart: p1 {cuts[0]:.0f} ms, p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms, most"
        f" {apart[-1]} ms"
    )
    print("slots missed by second:", dict(sorted(late.items())))
    print(f"the stuck one was asked {len(asked[STUCK])} times")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--every", type=parse_duration, default="1s")
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    names = [f"a{n}" for n in range(given.accounts)]
    simulator, begin, _ = asyncio.run(_measured(names, given.every, given.seconds))
    asked: dict[str, list[Millis]] = {name: [] for name in names}
    for entry in simulator.log:
        if entry.elapsed >= begin:
            asked[entry.account].append(entry.elapsed)
    _report(asked, given.every)


if __name__ == "__main__":
    main()
