"""Commands as other users of this machine: real processes; the tests must be run by root.

Another user may not be able to enter the checkout or Python's own folder. So a readable copy runs,
in a process that imports all libraries before it becomes that user.
"""

import compileall
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TextIO

import pytest

from tests.preloaded import Program, Server

BECOME = """
import encodings.ascii, encodings.idna, encodings.latin_1, encodings.utf_8_sig
import ctypes, importlib, json, os, pkgutil, sys
import apprise, apscheduler.executors.asyncio, sqlalchemy.dialects.sqlite
import daemon
for module in pkgutil.walk_packages(daemon.__path__, "daemon."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from daemon.cli import commands
from daemon.notifiers import problem
problem("json://127.0.0.1:9/")  # it imports all kinds of channels

def become(uid, gid, umask):
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        # Dumpable again, as a program that this user started.
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
    os.umask(umask)
    os.chdir("/")
"""
"""The beginning of programs: `become` makes their process another user's."""


@cache
def source() -> tempfile.TemporaryDirectory[str]:
    """The program, where everybody may read it; gone when the tests end."""
    checkout, folder = Path(__file__).parent.parent, tempfile.TemporaryDirectory()
    shutil.copytree(checkout / "daemon", Path(folder.name, "daemon"))
    shutil.copytree(checkout / "migrations", Path(folder.name, "migrations"))
    compileall.compile_dir(folder.name, quiet=1)  # once, as nobody else may write here
    subprocess.run(["chmod", "-R", "a+rX", folder.name], check=True)
    return folder


@cache
def server() -> Server:
    """A process that has imported the program from there."""
    return Server(source().name)


def program(text: str, *asked: object) -> list[str]:
    """A program that begins with BECOME, and what it is asked."""
    return [
        "env",
        f"PYTHONPATH={source().name}",
        sys.executable,
        "-P",
        "-B",
        "-c",
        text,
        json.dumps(asked),
    ]


@dataclass(frozen=True, slots=True)
class User:
    """A user of this machine; it need not have a name."""

    uid: int
    gid: int
    umask: int = 0o022

    def commands(self, *lines: list[str]) -> list[tuple[int, str]]:
        """Run commands of marginwatch in turn: the exit status and output of each."""
        needs_root()
        return [self._command(line) for line in lines]

    def _command(self, line: list[str]) -> tuple[int, str]:
        with tempfile.TemporaryFile() as printed:
            status = self._start(line, error=printed.fileno(), output=printed.fileno()).ended()
            printed.seek(0)
            return status, printed.read().decode()

    def _start(self, line: list[str], **streams: int) -> Program:
        return server().start(line, os.environ, user=(self.uid, self.gid, self.umask), **streams)

    @contextmanager
    def daemon(self, config: Path) -> Iterator["Daemon"]:
        """A daemon of this user: it is killed at the end, if it still lives."""
        needs_root()
        log, written = os.pipe()
        process = self._start(["run", "--config", str(config)], error=written)
        os.close(written)
        with os.fdopen(log, encoding="utf-8") as lines:
            daemon = Daemon(process, lines)
            try:
                yield daemon
            finally:
                daemon.send(signal.SIGKILL)
                daemon.wait()

    def runs(self, config: Path) -> tuple[int, str]:
        """Start a daemon, and stop it as soon as it has started: its exit status and its log."""
        with self.daemon(config) as daemon:
            log = ""
            for line in daemon.log:
                log += line
                if " started " in line:
                    daemon.send(signal.SIGTERM)
            return daemon.wait(), log


@dataclass(frozen=True, slots=True)
class Daemon:
    """One that another user started."""

    process: Program
    log: TextIO

    @property
    def pid(self) -> int:
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        if self.process.returncode is None:
            os.kill(self.pid, number)

    def wait(self) -> int:
        return self.process.ended()


def needs_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may become another user")


@contextmanager
def open_folder() -> Iterator[Path]:
    """One below a directory that everybody may enter, unlike pytest's own."""
    made = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    made.chmod(0o755)
    try:
        yield made
    finally:
        made.chmod(0o755)
        subprocess.run(["rm", "-r", made], check=True)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own, in memory."""
    try:
        command = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)
