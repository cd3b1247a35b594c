"""Processes of the program, forked from one that has imported everything: most of a start.

    tests ── arguments, environment, streams ──► server ── fork ──► marginwatch
      ▲                                            │
      └───────── process id, exit status ──────────┘

From its first line on such a process behaves like any other. The interpreter's own start (reading
its environment, loading libraries, early signals) is skipped: tests of that start the program anew.
"""

import asyncio
import atexit
import ctypes
import gc
import importlib
import io
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NoReturn

import daemon
from daemon.__main__ import main
from daemon.notifiers import problem

_MESSAGE = 1 << 20

_ON_USE = (
    *("encodings.ascii", "encodings.idna", "encodings.latin_1", "encodings.utf_8_sig"),
    *("alembic.command", "alembic.config"),
    *("apscheduler.executors.asyncio", "sqlalchemy.dialects.sqlite"),
)
"""Modules imported on first use, which another user cannot do in a closed Python folder."""


class Program:
    """A process of the program; like asyncio's Process, as far as tests need that."""

    def __init__(self, server: "Server", pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server = server
        self._watched = os.pidfd_open(pid)

    async def wait(self) -> int:
        """Wait for its end; the exit status, negative for a signal."""
        if self.returncode is None:
            loop, over = asyncio.get_running_loop(), asyncio.Event()
            loop.add_reader(self._watched, over.set)
            try:
                await over.wait()
            finally:
                loop.remove_reader(self._watched)
        if self.returncode is None:
            os.close(self._watched)
            self.returncode = self._server.status(self.pid)
        return self.returncode

    def ended(self) -> int:
        """Wait for its end, while nothing else happens here."""
        if self.returncode is None:
            self.returncode = self._server.status(self.pid)
            os.close(self._watched)
        return self.returncode


class Server:
    """A process that has imported everything; it ends with the tests.

    `source` is where the program is imported from, if that is not the checkout.
    """

    def __init__(self, source: str = "") -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        checkout = str(Path(__file__).parent.parent)
        command = [sys.executable, "-P", __file__, str(theirs.fileno())]
        environ = {**os.environ, "PYTHONPATH": source or checkout}
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environ)
        theirs.close()
        atexit.register(self.close)

    def close(self) -> None:
        """Let it end, as nobody asks any more."""
        self._socket.close()
        self._process.wait()

    def start(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        *,
        error: int,
        output: int | None = None,
        user: tuple[int, int, int] | None = None,
    ) -> Program:
        """Start `marginwatch` with these arguments; `error` and `output` are descriptors.

        Its input is empty. `user` is another user's number, group and umask; such a process is at
        the root of the file system.
        """
        asked = {
            "arguments": list(arguments),
            "environ": dict(environ),
            "folder": str(Path.cwd()),
            "user": user,
        }
        nothing = os.open(os.devnull, os.O_RDWR)
        streams = [nothing, nothing if output is None else output, error]
        socket.send_fds(self._socket, [json.dumps(asked).encode()], streams)
        os.close(nothing)
        return Program(self, int(self._socket.recv(_MESSAGE)))

    def status(self, pid: int) -> int:
        """Give the exit status of a process that has ended, and let its number go."""
        self._socket.send(json.dumps({"ended": pid}).encode())
        return int(self._socket.recv(_MESSAGE))


@cache
def server() -> Server:
    return Server()


async def output(arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[int, bytes]:
    """Run `marginwatch` to its end: exit status, standard output and standard error."""
    with tempfile.TemporaryFile() as printed:
        program = server().start(
            arguments, environ, error=printed.fileno(), output=printed.fileno()
        )
        status = await program.wait()
        printed.seek(0)
        return status, printed.read()


def serve(asked: socket.socket) -> None:
    """Fork what is asked for, until nobody asks any more."""
    while True:
        message, streams, _, _ = socket.recv_fds(asked, _MESSAGE, 3)
        if not message:
            return
        request = json.loads(message)
        if "ended" in request:
            _, status = os.waitpid(request["ended"], 0)
            asked.send(str(os.waitstatus_to_exitcode(status)).encode())
            continue
        pid = os.fork()
        if pid == 0:
            _become(request, streams)
        for stream in streams:
            os.close(stream)
        asked.send(str(pid).encode())


def _become(request: Mapping[str, object], streams: Sequence[int]) -> NoReturn:
    """Go on as the program, as if it had just been started."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin, sys.stdout = (
        io.TextIOWrapper(io.FileIO(0)),
        io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w"))),
    )
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(2, "w")), errors="backslashreplace", line_buffering=True
    )
    os.closerange(3, 1_024)
    os.environ.clear()
    os.environ.update(request["environ"])  # type: ignore[call-overload]
    os.chdir(str(request["folder"]))
    if request["user"]:
        _change_user(*request["user"])  # type: ignore[misc]
    time.tzset()
    tempfile.tempdir = None
    sys.argv = ["marginwatch", *request["arguments"]]  # type: ignore[misc]
    main()


def _change_user(uid: int, gid: int, umask: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # dumpable again, as a program that this user started
    os.umask(umask)
    os.chdir("/")


def _load() -> None:
    for name in _ON_USE:
        importlib.import_module(name)
    for module in pkgutil.walk_packages(daemon.__path__, "daemon."):
        if "charts.drawing" not in module.name:  # matplotlib is for the process that draws
            importlib.import_module(module.name)
    problem("json://127.0.0.1:9/")  # imports all kinds of channels
    gc.collect()
    gc.freeze()  # a forked process would look through all of it several times, which took 0.3 s


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _load()
    serve(socket.socket(fileno=int(sys.argv[1])))
