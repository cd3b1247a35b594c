"""A process that sends through the real notifier: jobs on stdin, outcomes on stdout, a line each.

Run it as `python -m tests.notifiers.sending [SECRET ...]`; `Sender` is the other end. With secrets
it logs as the daemon does, with all lines of libraries, but without these secrets.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from daemon.clock import SystemClock
from daemon.log import setup
from daemon.notifiers.apprise import TIMEOUT, AppriseNotifier
from daemon.redaction import Redactor
from daemon.types import AttemptResult, Message, Millis

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Job:
    url: str
    message: Message
    timeout: Millis = TIMEOUT


class Sender:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def send(self, url: str, message: Message, timeout: Millis = TIMEOUT) -> AttemptResult:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(Job(url, message, timeout)) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=AttemptResult)


@contextmanager
def sender(
    environment: Mapping[str, str], secrets: Sequence[str] = (), log: IO[bytes] | None = None
) -> Iterator[Sender]:
    """The process, with this in its environment; `log` is its stderr."""
    command, whole = (
        [sys.executable, "-m", "tests.notifiers.sending", *secrets],
        {**os.environ, **environment},
    )
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=whole, cwd=ROOT
    ) as process:
        yield Sender(process)
        assert process.stdin is not None
        process.stdin.close()


async def _work() -> None:
    notifiers: dict[tuple[str, Millis], AppriseNotifier] = {}
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        job = msgspec.json.decode(line, type=Job)
        key = (job.url, job.timeout)
        if key not in notifiers:
            notifiers[key] = AppriseNotifier(job.url, SystemClock(), job.timeout)
        attempted = await notifiers[key].send(job.message)
        sys.stdout.buffer.write(msgspec.json.encode(attempted) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    if sys.argv[1:]:
        setup(sys.stderr, level="debug", redactor=Redactor(sys.argv[1:]))
    asyncio.run(_work())
