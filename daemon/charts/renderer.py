"""Renders a picture in a short-lived process, so that a failure there harms nothing else.

Never raises except for cancellation, and never takes longer than its timeout. Every process that it
started is dead and reaped when it returns.
"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daemon.charts.chart import Chart, encode
from daemon.charts.render_process import PREFIX
from daemon.clock import Clock, ends_within
from daemon.types import MINUTE, SECOND, Millis

TIMEOUT: Millis = 5 * SECOND
"""Timeout for a message, which is sent without a chart rather than late."""

ASKED_FOR: Millis = MINUTE
"""Timeout for a command that waits only for the chart."""

DRAWING = (sys.executable, "-P", "-m", "daemon.charts.render_process")
"""The process has the same import path as this one, with nothing put before it."""

MOST = 4 * 1024**2
"""Most bytes of a picture, which usually has 50,000; the rest is dropped."""

SAID = 64 * 1024
"""Bytes of error output that are kept."""

LONGEST = 200
"""Characters of an error that are reported."""

GRACE = 2.0
"""Seconds within which the kernel must have reaped a killed process."""

HANDED_ON = ("LANG", "LD_LIBRARY_PATH", "PYTHONTZPATH", "TZ", "TZDIR")
"""Environment variables that are passed on; the others may hold secrets."""

_BEGIN, _END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
_IN, _OUT = 0, 1


@dataclass(frozen=True, slots=True)
class NotDrawn:
    """The reason why there is no picture, as a clause."""

    why: str


class Drawer:
    """Renders one picture at a time. `environ` is the environment of this process."""

    def __init__(
        self,
        clock: Clock,
        environ: Mapping[str, str],
        command: Sequence[str] = DRAWING,
        timeout: Millis = TIMEOUT,
    ) -> None:
        self._clock = clock
        self._environ = environ
        self._command = command
        self._timeout = timeout
        self._turn = asyncio.Lock()

    async def draw(self, *charts: Chart) -> bytes | NotDrawn:
        """The charts as one PNG, one above the other.

        Waiting for other pictures does not count towards the timeout.
        """
        async with self._turn:
            try:
                with tempfile.TemporaryDirectory(
                    prefix=PREFIX, ignore_cleanup_errors=True
                ) as folder:
                    return await self._draw(encode(charts), folder)
            except Exception as error:  # noqa: BLE001 -- no chart may hold a text back
                return NotDrawn(_short(f"{type(error).__name__}: {error}"))

    async def _draw(self, charts: bytes, folder: str) -> bytes | NotDrawn:
        transport, drawing = await asyncio.get_running_loop().subprocess_exec(
            _Drawing,
            *self._command,
            cwd=folder,
            env=self._environment(folder),
            start_new_session=True,
        )
        try:
            drawing.begin(charts)
            if not await ends_within(self._clock, drawing.over, self._timeout):
                return NotDrawn(f"it took longer than {self._timeout / SECOND:g} s")
            return _verdict(
                transport.get_returncode(), bytes(drawing.picture), bytes(drawing.complaint)
            )
        finally:
            await drawing.end()

    def _environment(self, folder: str) -> dict[str, str]:
        """The environment of the process: no files in a home, no font search, one thread."""
        return {name: self._environ[name] for name in HANDED_ON if name in self._environ} | {
            "HOME": folder,
            "TMPDIR": folder,
            "MPLCONFIGDIR": folder,
            "MPL_IGNORE_SYSTEM_FONTS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(str(Path(each).absolute()) for each in sys.path),
            "PYTHONUTF8": "1",
        }


class _Drawing(asyncio.SubprocessProtocol):
    """One render process: its input, its output and its end."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.picture, self.complaint = bytearray(), bytearray()
        self.over: asyncio.Future[None] = loop.create_future()
        """Done when the process has ended and all its output is read."""
        self._gone: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)  # noqa: S101 -- for the types
        self._transport = transport

    def begin(self, charts: bytes) -> None:
        pipe = self._transport.get_pipe_transport(_IN)
        assert isinstance(pipe, asyncio.WriteTransport)  # noqa: S101 -- for the types
        pipe.write(charts)
        pipe.close()  # takes effect after the write

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        kept, most = (self.picture, MOST) if fd == _OUT else (self.complaint, SAID)
        kept += data[: most - len(kept)]

    def process_exited(self) -> None:
        self._gone.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self.over.done():
            self.over.set_result(None)

    async def end(self) -> None:
        """Kill the process with all that it started, and reap it."""
        if not self.over.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._transport.get_pid(), signal.SIGKILL)
            await asyncio.wait([self._gone], timeout=GRACE)
        self._transport.close()


def _verdict(status: int | None, picture: bytes, complaint: bytes) -> bytes | NotDrawn:
    if status == 0 and picture.startswith(_BEGIN) and picture.endswith(_END):
        return picture
    if status == 0:
        return NotDrawn("what it printed is no picture")
    if status is not None and status < 0:
        return NotDrawn(f"it was ended by {signal.Signals(-status).name}")
    said = complaint.decode("utf-8", "replace").split("\n")
    last = next((line for line in reversed(said) if line.strip()), "")
    return NotDrawn(_short(last) or f"it ended with status {status}")


def _short(text: str) -> str:
    return " ".join(text.split())[:LONGEST]
