"""Minutes of a bad day: twenty accounts, random faults, dropped sockets, clock steps.

`make soak` runs ten minutes of it (MARGINWATCH_SOAK sets another time), `make test` a few seconds.
The exchange's counts, the record and the log are compared.
"""

import asyncio
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random, SystemRandom
from statistics import median

from daemon.exchanges.common.penalties import Pause, pause_after
from daemon.simulator import FAULTS, SOCKET_FAULTS
from daemon.types import SECOND, Millis, MissReason
from tests.cli.calls import call
from tests.end_to_end.running import Stage, stage
from tests.end_to_end.test_clock_set import wear
from tests.notifiers.hostile import ENDLESS_AFTER_THE_STATUS, SILENT_BEFORE_THE_STATUS, Hostile
from tests.service.lives import rows

LENGTH = float(os.environ.get("MARGINWATCH_SOAK", "10"))
"""Seconds."""
ACCOUNTS = [f"bot-{number}" for number in range(20)]
EVERY: Millis = 10 * SECOND
TIMEOUT: Millis = 3 * SECOND
WAIT: Millis = 12 * SECOND
"""The longest that a call waits for its place in the budget, whose windows are 10 s long; and some
time to judge.
"""
STEPS = (-3_600, -90, -2, 2, 45, 900)
"""Seconds by which the clock is set."""
WARM = 60
"""Seconds after which memory must not grow any more."""
GROWTH = 8 * 1024
"""kB that are no growth yet."""

RULES = """
[[rules]]
name = "low"
when = "available_margin < 100"
clear_when = "available_margin > 120"

[[rules]]
name = "falling"
when = "drop(available_margin, 1m) > 20%"
for = "2s"

[[rules]]
name = "spiking"
when = "delta(al_freeze, 2m) > 200"
"""

CHANNEL = """
[[channels]]
name = "hostile {port}"
url = "json://127.0.0.1:{port}/"
"""

ATTEMPTS = """
    SELECT name, seq, at, NULL AS reason, 0 AS step
    FROM snapshots JOIN accounts ON accounts.id = account_id
    WHERE source IN ('rest', 'confirm') AND quality <> 'unconfirmed'
    UNION ALL SELECT name, seq, at, reason, 0 FROM misses JOIN accounts ON accounts.id = account_id
    UNION ALL SELECT name, seq, ended_at, NULL, step_ms
    FROM gaps JOIN accounts ON accounts.id = account_id
    WHERE step_ms IS NOT NULL
    ORDER BY name, seq
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The end of one: when, by a clock that is never set, and why it gave no reading."""

    at: Millis
    reason: MissReason | None


async def test_nothing_is_lost_on_a_bad_day(tmp_path: Path, require: Callable[[str], Path]) -> None:
    """Promises 6, 8, B2, A5: all slots recorded, budget and memory hold, replay is clean.

    Two channels beside the good one have receivers that never end an answer, or never begin one
    (S1, S5).
    """
    seed = SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201 -- shown if it fails
    program = require("faketime")
    endless = Hostile(ENDLESS_AFTER_THE_STATUS["chunks"])
    silent = Hostile(SILENT_BEFORE_THE_STATUS["at once"])
    async with AsyncExitStack() as stack:
        ports = [stack.enter_context(server.serving()).port for server in (endless, silent)]
        it = await stack.enter_async_context(stage(tmp_path, ACCOUNTS, rules=RULES))
        it.simulator.limit = 5
        _configure(it, ports)
        turn = wear(it, program)
        await it.begin("--log-format", "json")
        await it.until(lambda: "READY=1" in it.manager.told)
        sizes = await bad_day(it, Random(seed), turn)
        assert await it.stop() == 0, it.said()
    assert list(exceptions(tmp_path / "stderr")) == []
    assert it.simulator.busiest(10 * SECOND) <= 50
    users = {account.keys.user_id for account in it.accounts.values()}
    assert max(it.simulator.busiest(2 * SECOND, user) for user in users) <= 5
    assert list(silences(it.database)) == []
    assert grown(sizes) <= GROWTH, sizes
    verified = call("backtest", "--verify", "--config", it.config)
    assert verified.exit_code == 0, verified.output
    print(summary(it, sizes))  # noqa: T201 -- the figures of a long run, shown by -s


def _configure(it: Stage, hostile: Sequence[int]) -> None:
    """With the budget as it is by default, the push stream, and channels to these ports."""
    text = re.sub(r"\[budget\].*?\n\n", "", it.config.read_text(), flags=re.DOTALL)
    text = text.replace('every = "400ms"', f'every = "{EVERY}ms"\ntimeout = "{TIMEOUT}ms"')
    text = text.replace('ws_url = ""', f'ws_url = "{it.simulator.ws_url}"')
    it.config.write_text(text + "".join(CHANNEL.format(port=port) for port in hostile))


async def bad_day(it: Stage, random: Random, turn: Callable[[int], None]) -> Sequence[int]:
    """Cause faults until the time is over; return the daemon's memory each second, in kB."""
    loop, ahead, sizes = asyncio.get_running_loop(), 0, list[int]()
    end, steps_at = loop.time() + LENGTH, loop.time() + 5
    while loop.time() < end:
        await _alive(it, random.uniform(0.05, 0.4))
        happen(it, random)
        if loop.time() > steps_at:
            ahead += random.choice(STEPS)
            turn(ahead)
            steps_at = loop.time() + random.uniform(5, 40)
        if random.random() < 0.005:
            port = it.simulator.port
            await it.simulator.stop()
            await _alive(it, random.uniform(0.5, 4))
            await it.simulator.start(port)
        if len(sizes) < LENGTH - (end - loop.time()):
            sizes.append(_size(it))
    return sizes


async def _alive(it: Stage, seconds: float) -> None:
    assert await it.life.survives(seconds), it.said()


def happen(it: Stage, random: Random) -> None:
    """Change one account: mostly its margin, else it fails a few times, or recovers."""
    account = it.accounts[random.choice(ACCOUNTS)]
    match random.choices(("moves", "fault", "socket", "drop", "heal"), (60, 12, 12, 6, 10))[0]:
        case "moves":
            account.set(
                available_margin=f"{random.uniform(0, 300):.8f}",
                al_freeze=f"{random.choice((0, 0, 500))}",
            )
        case "fault":
            account.fault(random.choice(sorted(FAULTS)), random.randint(1, 3))
        case "socket":
            account.fault(random.choice(sorted(SOCKET_FAULTS)), random.randint(1, 3))
        case "drop":
            account.drop()
        case _:
            account.heal()


def _size(it: Stage) -> int:
    status = Path(f"/proc/{it.life.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])  # type: ignore[index]


def grown(sizes: Sequence[int]) -> float:
    """Growth from the first quarter after warming up to the last, in kB; 0 for a short day."""
    settled = sizes[WARM:]
    quarter = len(settled) // 4
    return median(settled[-quarter:]) - median(settled[:quarter]) if quarter > WARM // 4 else 0


def exceptions(log: Path) -> Iterator[str]:
    """Lines of the log that no person should have to read."""
    for line in log.read_text().splitlines():
        said = json.loads(line)
        if "exception" in said or said["level"] == "critical":
            yield line


def silences(database: Path) -> Iterator[str]:
    """Spans without a record although a slot passed, beyond interval, pause, call and wait."""
    for name, attempts in _attempts(database).items():
        assert len(attempts) >= LENGTH * SECOND // (10 * EVERY), f"{name} was hardly read"
        pause = Pause()
        for last, following in pairwise(attempts):
            pause = pause_after(pause, last.reason, last.at)
            if following.at > max(last.at, pause.not_before) + EVERY + TIMEOUT + WAIT:
                yield f"{name}: nothing from {last.at} to {following.at} ({last.reason})"


def _attempts(database: Path) -> dict[str, list[Attempt]]:
    """By account, at instants of a clock that was never set."""
    found: dict[str, list[Attempt]] = {name: [] for name in ACCOUNTS}
    steps = dict.fromkeys(ACCOUNTS, 0)
    for name, _, at, reason, step in rows(database, ATTEMPTS):
        account = str(name)
        steps[account] += int(str(step))
        if not int(str(step)):
            missed = None if reason is None else MissReason(str(reason))
            found[account].append(Attempt(int(str(at)) - steps[account], missed))
    return found


def summary(it: Stage, sizes: Sequence[int]) -> str:
    """The figures of a run."""
    counts = {
        table: rows(it.database, f"SELECT count(*) FROM {table}")[0][0]
        for table in ("snapshots", "misses", "gaps", "transitions", "messages")
    }
    busiest = it.simulator.busiest(10 * SECOND)
    return (
        f"{LENGTH:g} s: {counts}, most calls in 10 s {busiest}, memory"
        f" {sizes[WARM // 2 :: 60] or sizes[-1:]} kB"
    )
