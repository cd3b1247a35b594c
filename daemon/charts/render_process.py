"""The process that draws one picture: reads charts as JSON from stdin, writes a PNG to stdout.

Started as `python -m daemon.charts.render_process`. It runs for about a second, so matplotlib never
stays in the daemon's memory. The daemon kills it when it takes too long; if the daemon is gone, the
kernel does.
"""

import os
import resource
import shutil
import signal
import sys
from pathlib import Path

PREFIX = "marginwatch-chart-"
"""Prefix of the temporary directory for matplotlib's files."""

NICE = 10
MEMORY = 512 * 1024**2
"""Most memory in bytes; it needs a third of that."""

ALARM = 60
"""Seconds after which the kernel ends it."""


def main() -> int:
    limit_resources()
    # Costs most of the second, so it comes after the process has stepped back.
    from daemon.charts.chart import decode  # noqa: PLC0415
    from daemon.charts.drawing import figure  # noqa: PLC0415

    delete_temporary_files()
    sys.stdout.buffer.write(figure.render_png(decode(sys.stdin.buffer.read())))
    return 0


def limit_resources() -> None:
    """Run at low priority with bounded memory and time."""
    os.nice(NICE)
    signal.alarm(ALARM)
    for kind, most in (
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_CPU, ALARM),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(
            kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
        )


def delete_temporary_files() -> None:
    """Delete matplotlib's files, because the parent process may be gone before this one ends."""
    kept = Path(os.environ.get("MPLCONFIGDIR", ""))
    if kept.name.startswith(PREFIX):
        shutil.rmtree(kept, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
