"""Commands as other users of this machine: real processes, for which the tests must be run by root.

Another user may not be able to enter the checkout, nor Python's own folder: a process imports everything that it may
need before it becomes that user.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

BECOME = """
import encodings.ascii, encodings.idna, encodings.latin_1, encodings.utf_8_sig
import contextlib, importlib, io, json, os, pkgutil, sys, tempfile
import apprise, apscheduler.triggers.date, sqlalchemy.dialects.sqlite
import daemon
for module in pkgutil.walk_packages(daemon.__path__, "daemon."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from daemon.cli import commands
from daemon.store import migrate

# What is read on its first use, such as the grammar of conditions and the kinds of channels.
with tempfile.NamedTemporaryFile("w", suffix=".toml") as rules:
    account = 'name = "a"\\napi_key = "key-0"\\nsecret_key = "secret-0"\\n'
    channel = 'name = "c"\\nurl = "json://127.0.0.1:9/"\\n'
    rule = 'name = "r"\\nwhen = "min(available_margin, 1m) < 100"\\n'
    rules.write(f"[[accounts]]\\n{account}[[channels]]\\n{channel}[[rules]]\\n{rule}")
    rules.flush()
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        commands.main(args=["check", "--config", rules.name], prog_name="marginwatch")
migrate.known()

def become(uid, gid, umask):
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(umask)
    os.chdir("/")
"""
"""How programs begin: `become` makes their process another user's."""

COMMANDS = f"""
{BECOME}
uid, gid, umask, lines = json.loads(sys.argv[1])
for line in lines:
    child = os.fork()
    if child == 0:
        os.dup2(1, 2)
        become(uid, gid, umask)
        commands.main(args=line, prog_name="marginwatch")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(f"\\0{{status}}\\0", end="", flush=True)
"""

RUN = f"""
{BECOME}
uid, gid, umask, config = json.loads(sys.argv[1])
become(uid, gid, umask)
commands.main(args=["run", "--config", config], prog_name="marginwatch")
"""


@dataclass(frozen=True, slots=True)
class User:
    """Of this machine; it need not have a name."""

    uid: int
    gid: int
    umask: int = 0o022

    def commands(self, *lines: list[str]) -> list[tuple[int, str]]:
        """Commands of marginwatch, one after the other: the exit status of each, and what it printed."""
        needs_root()
        asked = json.dumps([self.uid, self.gid, self.umask, lines])
        shown = subprocess.run([sys.executable, "-c", COMMANDS, asked], capture_output=True, text=True, check=True)
        printed = shown.stdout.split("\0")[:-1]
        return [(int(status), text) for text, status in zip(printed[::2], printed[1::2], strict=True)]

    @contextmanager
    def daemon(self, config: Path) -> Iterator["subprocess.Popen[str]"]:
        """A daemon of this user: it is killed at the end, if it still lives. Its log comes from `stderr`."""
        needs_root()
        asked = json.dumps([self.uid, self.gid, self.umask, str(config)])
        with subprocess.Popen([sys.executable, "-c", RUN, asked], stderr=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def runs(self, config: Path) -> tuple[int, str]:
        """Start a daemon, and stop it as soon as it has started: its exit status and its log."""
        with self.daemon(config) as process:
            assert process.stderr is not None
            log = ""
            for line in process.stderr:
                log += line
                if " started " in line:
                    process.send_signal(signal.SIGTERM)
            return process.wait(), log


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
