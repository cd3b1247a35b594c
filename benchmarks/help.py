"""Duration of every `--help`; 150 ms are promised. `python benchmarks/help.py [runs]`."""

import statistics
import subprocess
import sys
import time

from daemon.cli import COMMANDS


def milliseconds(*arguments: str) -> float:
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "daemon", *arguments, "--help"], check=True, capture_output=True
    )
    return (time.perf_counter() - begin) * 1_000


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    for command in ([], *([name] for name in COMMANDS), ["db", "upgrade"]):
        times = sorted(milliseconds(*command) for _ in range(runs))
        median, slowest = statistics.median(times), times[-1]
        print(
            f"marginwatch {' '.join([*command, '--help']):<20} median {median:5.0f} ms   slowest"
            f" {slowest:5.0f} ms"
        )


if __name__ == "__main__":
    main()
