"""Speed and memory of reading a year of one account for replay.

    python -m benchmarks.year                      a year, in a temporary folder
    python -m benchmarks.year --readings 500000 --fields available_margin,al_freeze
    python -m benchmarks.year --keep /tmp/year.db  makes the database there, or uses it again
    python -m benchmarks.year --whole              also every column, as `backtest --verify` does

It needs 100 bytes of disk per reading: 600 MB for a year.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.recorded import YEAR, record
from daemon.store import History
from daemon.types import DAY

END = 2**62


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--readings", type=int, default=YEAR)
    options.add_argument("--fields", default="available_margin")
    options.add_argument("--whole", action="store_true")
    options.add_argument("--keep", type=Path, metavar="PATH")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path: Path = chosen.keep or Path(folder) / "year.db"
        if not path.exists():
            begin = time.perf_counter()
            record(path, chosen.readings)
            size = path.stat().st_size >> 20
            print(
                f"made {chosen.readings} readings, {size} MiB, in"
                f" {time.perf_counter() - begin:.1f} s"
            )
        measure(f"sqlite:///{path}", chosen.fields.split(","), whole=chosen.whole)


def measure(url: str, fields: list[str], *, whole: bool) -> None:
    with History.open(url) as history:
        _timed(f"fields {', '.join(fields)}", history.replayed("main", 0, END, fields, 7 * DAY))
        if whole:
            _timed("all columns", history.inputs("main", 0))


def _timed(what: str, stream: Iterable[object]) -> None:
    begin, busy = time.perf_counter(), time.process_time()
    count = sum(1 for _ in stream)
    elapsed, busy = time.perf_counter() - begin, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rate = f"{count / elapsed:,.0f} inputs/s, {busy / count * 1e6:.2f} µs of CPU each"
    print(f"{what}: {count} inputs in {elapsed:.1f} s, {rate}, peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()
