"""Speed and memory of `backtest` over a year of one account with ten rules.

    python benchmarks/replay.py                      a year, in a temporary folder
    python benchmarks/replay.py --keep /tmp/year.db  makes the database there, or uses it again
    python benchmarks/replay.py --readings 500000

It runs the command itself, `backtest --format json > /dev/null`, and reads its peak memory after
each quarter of the time.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.recorded import YEAR, record

LOOK_EVERY = 0.5
"""Seconds between two readings of the memory."""

RULES = {
    "low": 'when = "available_margin < 1000"\nclear_when = "available_margin > 1100"',
    "critical": (
        'when = "available_margin < 300"\nclear_when = "available_margin > 400"\nseverity ='
        ' "critical"'
    ),
    "frozen": 'when = "freeze_ratio > 20%"\nfor = "1m"',
    "lost in a day": (
        'when = "drop(available_margin, 24h) > 30%"\nclear_when = "drop(available_margin, 24h) <'
        ' 20%"'
    ),
    "lost in an hour": (
        'when = "delta(available_margin, 1h) < -300"\nclear_when = "delta(available_margin, 1h) >'
        ' -200"'
    ),
    "above the day": 'when = "available_margin - min(available_margin, 24h) > 2500"',
    "below the day": 'when = "max(available_margin, 24h) - available_margin > 2500"',
    "a poor day": 'when = "avg(available_margin, 24h) < 900"',
    "much frozen": 'when = "al_freeze > 3 * avg(al_freeze, 24h)"\nkeep_firing_for = "5m"',
    "falling": (
        'when = "slope(available_margin, 1h) < -500"\nclear_when = "slope(available_margin, 1h) >'
        ' -300"'
    ),
}


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--readings", type=int, default=YEAR)
    options.add_argument("--keep", type=Path, metavar="PATH")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path: Path = chosen.keep or Path(folder) / "year.db"
        if not path.exists():
            record(path, chosen.readings)
        config = Path(folder) / "rules.toml"
        config.write_text(_written(path.absolute()), encoding="utf-8")
        measure(
            [
                sys.executable,
                "-m",
                "daemon",
                "backtest",
                "--config",
                str(config),
                "--format",
                "json",
            ],
            chosen.readings,
        )


def _written(path: Path) -> str:
    tables = [
        f'[daemon]\ndatabase = "sqlite:///{path}"\n',
        '[[accounts]]\nname = "main"\napi_key = "none"\nsecret_key = "none"\nws_url = ""\n',
        '[[channels]]\nname = "phone"\nurl = "json://127.0.0.1:9/"\n',
    ]
    return "\n".join(
        [*tables, *(f'[[rules]]\nname = "{name}"\n{rule}\n' for name, rule in RULES.items())]
    )


def measure(command: list[str], readings: int) -> None:
    """Run the command and sample its memory."""
    begin, seen = time.perf_counter(), list[tuple[float, int]]()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        while running.poll() is None:
            seen.append((time.perf_counter() - begin, _peak(running.pid)))
            time.sleep(LOOK_EVERY)
    if running.returncode:
        raise SystemExit(f"backtest ended with {running.returncode}: nothing is measured")
    elapsed, used = time.perf_counter() - begin, os.times()
    cpu = used.children_user + used.children_system
    print(
        f"{readings:,} readings in {elapsed:.0f} s, {cpu:.0f} s of them CPU: {readings / cpu:,.0f}"
        " readings/s of CPU"
    )
    for quarter in range(1, 5):
        peak = max((kib for at, kib in seen if at <= elapsed * quarter / 4), default=0)
        print(f"peak memory after {quarter}/4: {peak / 1024:.0f} MiB")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def _peak(pid: int) -> int:
    """The peak memory, in KiB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


if __name__ == "__main__":
    main()
