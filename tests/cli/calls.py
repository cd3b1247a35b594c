"""Helpers that call the command line in this process, with their own surroundings."""

import asyncio
import io
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from daemon.cli import commands
from daemon.cli.session import CommandSession
from daemon.clock import Clock, SystemClock
from daemon.simulator import Simulator
from daemon.store import Store
from daemon.store.operations import Operation, StartEpoch, Unwritten, Written
from daemon.types import AccountState, Record
from tests import preloaded
from tests.fakes import NOON, ManualClock

RULE = """
[[rules]]
name = "low"
when = "available_margin < 100"
clear_when = "available_margin > 120"
"""

CHANNEL = """
[[channels]]
name = "hook"
url = "json://127.0.0.1:9/{env:HOOK_TOKEN}"
"""

SECRETS = {
    "MAIN_KEY": "planted-key-4711",
    "MAIN_SECRET": "planted-secret-4711",
    "HOOK_TOKEN": "planted-token-4711",
}


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def account(name: str = "main", rest_url: str = "http://127.0.0.1:9", **keys: str) -> str:
    written = {"api_key": "env:MAIN_KEY", "secret_key": "env:MAIN_SECRET", "ws_url": "", **keys}
    lines = [f'{key} = "{value}"' for key, value in written.items()]
    return "\n".join(["[[accounts]]", f'name = "{name}"', f'rest_url = "{rest_url}"', *lines, ""])


def write(folder: Path, *tables: str, timezone: str = "Europe/Berlin") -> Path:
    """A rules.toml of these tables; without any, one account, one rule and one channel."""
    path = folder / "rules.toml"
    daemon = f'[daemon]\ntimezone = "{timezone}"\ntimeout = "2s"\n'
    path.write_text(daemon + "\n".join(tables or (account(), RULE, CHANNEL)), encoding="utf-8")
    return path


def call(
    *arguments: object,
    answers: str = "",
    environ: Mapping[str, str] = SECRETS,
    clock: Clock | None = None,
    programs: Sequence[Path] | None = None,
    exchange_url: str = "http://127.0.0.1:9",
) -> Result:
    """Run one command as `main` would; `programs` are folders in the place of the system's own.

    `init` asks the exchange at `exchange_url`; by default there is none.
    """
    session = CommandSession(
        environ=environ,
        own_clock=clock or ManualClock(),
        program_folders=programs,
        rest_url=exchange_url,
    )
    return CliRunner().invoke(
        commands, [str(each) for each in arguments], input=answers, obj=session
    )


def on_terminal(width: int, *arguments: object, clock: Clock | None = None) -> list[str]:
    """The lines that a terminal of so many columns sees of a command, without their colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", coloured(width, *arguments, clock=clock)).splitlines()


def coloured(width: int, *arguments: object, clock: Clock | None = None) -> str:
    """The output that is sent to a terminal of so many columns; errors go elsewhere."""
    session = CommandSession(environ=SECRETS, own_clock=clock or ManualClock())
    terminal = Terminal()
    with pytest.MonkeyPatch.context() as around, suppress(SystemExit):
        around.setattr(sys, "stdout", terminal)
        around.setattr(sys, "stderr", io.StringIO())
        around.setenv("COLUMNS", str(width))
        around.setenv("TERM", "xterm")
        commands.main([str(each) for each in arguments], prog_name="marginwatch", obj=session)
    return terminal.getvalue()


def beside_a_terminal(*arguments: object) -> tuple[bytes, bytes]:
    """Run the real program with a terminal as stderr; returns its output and the terminal's."""
    master, slave = os.openpty()
    environ = {**SECRETS, "TERM": "xterm", "COLUMNS": "80"}
    with tempfile.TemporaryFile() as printed:
        program = preloaded.server().start(
            [str(each) for each in arguments], environ, error=slave, output=printed.fileno()
        )
        assert program.ended() == 0
        printed.seek(0)
        output = printed.read()
    os.close(slave)
    seen = os.read(master, 100_000)
    os.close(master)
    return output, seen


@contextmanager
def exchange() -> Iterator[Simulator]:
    """The built-in exchange, served by a loop of its own while a command runs another one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    simulator = Simulator(SystemClock())
    asyncio.run_coroutine_threadsafe(simulator.start(), loop).result()
    try:
        yield simulator
    finally:
        asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'marginwatch.db'}"


@contextmanager
def collecting(
    folder: Path, *records: Record, accounts: tuple[str, ...] = ("main",)
) -> Iterator[Store]:
    """A daemon's store with these records in it, still collecting."""
    store = Store.open(url(folder))
    states = {name: AccountState(name) for name in accounts}
    begin = StartEpoch(NOON, "start", "1", [], dict.fromkeys(accounts, "coinw"), state=states)
    try:
        operations: tuple[Operation, ...] = (begin, *records)
        for operation in operations:
            assert store.submit(operation).result() is Written.COMMITTED
        yield store
    finally:
        assert store.close() == Unwritten()


def record(folder: Path, *records: Record, accounts: tuple[str, ...] = ("main",)) -> None:
    """A stopped daemon's database."""
    with collecting(folder, *records, accounts=accounts):
        pass
