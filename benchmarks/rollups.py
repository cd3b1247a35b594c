"""Hourly rollups of one account-year, beside a daemon's store that takes a reading a second.

    python -m benchmarks.rollups [--days 365]

Prints the time until all rollups are there, and the longest time that a reading waited for its
commit, with and without them.
"""

import argparse
import asyncio
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from daemon.clock import SystemClock
from daemon.readings.rollups import hour_of
from daemon.service.rollups import Rollups
from daemon.store import Store
from daemon.store.operations import StartEpoch
from daemon.store.write.imports import ImportedReading, importing
from daemon.types import DAY, SECOND, AccountState, Balances, Quality, Reading, Record, Source

ACCOUNT = "main"
STEP = 5 * SECOND
BATCH = 20_000


def fill(url: str, until: int, days: int) -> int:
    """Import so many days of readings, five seconds apart, that move one in eight times."""
    instants = range(hour_of(until) - days * DAY, hour_of(until), STEP)
    with importing(url) as importer:
        importer.introduce({ACCOUNT: "coinw"})
        for begin in range(0, len(instants), BATCH):
            batch = [
                ImportedReading(at, 0, _balances(at // STEP // 8))
                for at in instants[begin : begin + BATCH]
            ]
            importer.add(ACCOUNT, batch)
    return len(instants)


async def waits(store: Store, first: int, done: asyncio.Event) -> list[float]:
    """Seconds that each reading waited, one every 100 ms, until `done`."""
    found = []
    seq = first
    while not done.is_set():
        now = time.time_ns() // 1_000_000
        reading = Reading(seq, now, Source.REST, Quality.OK, now, _balances(seq))
        begin = time.perf_counter()
        await asyncio.wrap_future(store.submit(Record(ACCOUNT, reading)))
        found.append(time.perf_counter() - begin)
        seq += 1
        await asyncio.sleep(0.1)
    return found


def _balances(step: int) -> Balances:
    margin = Decimal(100_000 + step * 7919 % 50_000).scaleb(-2)
    return Balances(margin, margin, Decimal(0), margin / 4, Decimal(0), Decimal(step % 100))


async def measure(days: int) -> None:
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'watch.db'}"
        count = fill(url, clock.now(), days)
        store = Store.open(url)
        states = {ACCOUNT: AccountState(ACCOUNT)}
        store.submit(
            StartEpoch(clock.now(), "start", "0", [], {ACCOUNT: "coinw"}, state=states)
        ).result()
        done = asyncio.Event()
        asyncio.get_running_loop().call_later(5, done.set)
        alone = await waits(store, 2, done)
        done = asyncio.Event()
        task = asyncio.create_task(Rollups(store, clock).run())
        beside = asyncio.create_task(waits(store, 10_000, done))
        begin = time.perf_counter()
        while True:
            await asyncio.sleep(0.5)
            left = await asyncio.to_thread(store.rollups_left, clock.now())
            if not left.hours and left.inputs < BATCH and time.perf_counter() - begin > 2:
                break
        took = time.perf_counter() - begin
        done.set()
        waited = await beside
        task.cancel()
        await asyncio.wait([task])
        store.close()
    print(f"{count:,} readings rolled up in {took:.1f} s (limit: 60 s for a year)")
    print(
        f"a reading's commit took at most {1e3 * max(alone):.0f} ms before, "
        f"{1e3 * max(waited):.0f} ms meanwhile ({len(waited)} readings; limit: 50 ms more)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    asyncio.run(measure(parser.parse_args().days))
