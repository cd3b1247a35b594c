"""The process that draws one chart: `python -m daemon.charts.render_process`. Reads a Chart as
JSON, writes a PNG.

It lives for a second, so that matplotlib never lies in the daemon's memory. Whoever starts it ends
it when it takes too long; should nobody be left to do that, the kernel does.
"""

import os
import resource
import shutil
import signal
import sys
from pathlib import Path

PREFIX = "marginwatch-chart-"
"""How the directory is named that it is given for what matplotlib wants to keep."""

NICE = 10
MEMORY = 512 * 1024**2
"""Bytes of its own; it takes a third of that."""

ALARM = 60
"""Seconds after which the kernel ends it, whatever it is doing."""


def main() -> int:
    modest()
    from daemon.charts import figure  # noqa: PLC0415 -- it costs most of the second, at a modest price from here on
    from daemon.charts.chart import decode  # noqa: PLC0415

    tidy()
    sys.stdout.buffer.write(figure.png(decode(sys.stdin.buffer.read())))
    return 0


def modest() -> None:
    """Let everything else go first, and bound what it may take."""
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


def tidy() -> None:
    """What matplotlib has read is not needed any more; who started us may be gone before we are."""
    kept = Path(os.environ.get("MPLCONFIGDIR", ""))
    if kept.name.startswith(PREFIX):
        shutil.rmtree(kept, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
