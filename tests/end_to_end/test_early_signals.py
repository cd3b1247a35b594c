"""Signals that come while a real process still loads, or already ends: none is lost, kills it, or
leaves a traceback.

Each is sent as soon as the process has come to a point that the system shows of it, the first being
its first line.
"""

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.end_to_end.running import HIGH, PATIENCE, Stage, Started, send, stage
from tests.end_to_end.test_reload import readies
from tests.service.lives import rows

INTERRUPTED = 130


@pytest.fixture(autouse=True)
def _hangup_is_not_ignored() -> Iterator[None]:
    """Undo the ignored SIGHUP that programs inherit from `nohup make test`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path) as it:
        it.anew = True
        yield it


def shown(process: Started, file: str) -> str:
    """The state that the system shows of the process; empty if it is gone."""
    try:
        return Path(f"/proc/{process.pid}/{file}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def sees_to(process: Started, *kinds: str) -> bool:
    """Whether it blocks (SigBlk) or catches (SigCgt) all signals that this is about."""
    status = shown(process, "status")
    lines = dict(line.split(":", 1) for line in status.splitlines())
    wanted = sum(1 << (number - 1) for number in (signal.SIGHUP, signal.SIGTERM))
    return any(int(lines.get(kind, "0"), 16) & wanted == wanted for kind in kinds)


def has_loaded(process: Started, library: str) -> bool:
    try:
        return library in shown(process, "maps")
    except PermissionError:
        pytest.skip("only root sees what a process has loaded that hides its memory")


POINTS: Mapping[str, Callable[[Started, Path], bool]] = {
    "its first line": lambda process, _: sees_to(process, "SigBlk", "SigCgt"),
    "it knows its command": lambda process, _: sees_to(process, "SigCgt"),
    "it has loaded half of what it needs": lambda process, _: has_loaded(process, "aiohttp"),
    "it makes its database": lambda _, folder: any(folder.rglob("*.db")),
}
points = pytest.mark.parametrize("point", POINTS)


async def until(process: Started, condition: Callable[[], object]) -> None:
    """Look again and again, for as long as it lives: nobody tells what the system shows of it."""
    async with asyncio.timeout(PATIENCE):
        while process.returncode is None and not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.003)


async def reaches(process: Started, point: str, folder: Path) -> None:
    await until(process, lambda: POINTS[point](process, folder))


def worked(process: Started) -> int:
    """The processor's time that it has used, in ticks of the system."""
    fields = shown(process, "stat").rpartition(")")[2].split()
    return int(fields[11]) if fields else sys.maxsize


async def over(process: Started) -> int:
    async with asyncio.timeout(PATIENCE):
        return await process.wait()


@points
async def test_a11_a_reload_asked_while_it_starts_kills_no_daemon(it: Stage, point: str) -> None:
    """A11: an early SIGHUP is remembered or has no meaning yet; the daemon starts."""
    life = await it.begin()
    await reaches(life.process, point, it.folder)
    send(life.process, signal.SIGHUP)
    await it.until(lambda: readies(it))
    await it.until(lambda: it.told("main", HIGH) >= 2)
    assert await it.stop() == 0
    assert "Traceback" not in it.said()


async def test_a11_reloads_asked_all_the_time_kill_no_daemon(it: Stage) -> None:
    """A11: at every tick of its work from the first line to READY."""
    process = (await it.begin()).process
    await reaches(process, "its first line", it.folder)
    while not readies(it) and process.returncode is None:
        before = worked(process)
        send(process, signal.SIGHUP)
        await until(process, lambda before=before: readies(it) or worked(process) > before)  # type: ignore[misc]
    await it.until(lambda: it.told("main", HIGH) >= 2)
    assert await it.stop() == 0
    assert "Traceback" not in it.said()


@points
@pytest.mark.parametrize(
    "numbers",
    [(signal.SIGTERM,), (signal.SIGINT, signal.SIGINT), (signal.SIGHUP, signal.SIGTERM)],
    ids=lambda numbers: "-".join(number.name for number in numbers),
)
async def test_a11_a_stop_asked_while_it_starts_is_a_clean_end(
    it: Stage, point: str, numbers: Sequence[signal.Signals]
) -> None:
    """A11: 0 for SIGTERM, 0 or "interrupted" for Ctrl-C, and no traceback."""
    life = await it.begin()
    await reaches(life.process, point, it.folder)
    for number in numbers:
        send(life.process, number)
    async with asyncio.timeout(PATIENCE):
        status = await life.over()
    assert status in ({0, INTERRUPTED} if signal.SIGINT in numbers else {0})
    assert "Traceback" not in it.said()


@pytest.mark.parametrize("again", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a11_signals_during_a_stop_change_nothing(it: Stage, again: signal.Signals) -> None:
    """A11: repeated signals during a stop do not change its orderly end."""
    await it.start()
    await it.until(lambda: it.told("main", HIGH) >= 2)
    process = it.life.process
    send(process, signal.SIGTERM)
    while process.returncode is None:
        before = worked(process)
        send(process, again)
        await until(process, lambda before=before: worked(process) > before)  # type: ignore[misc]
    assert await it.life.over() == 0
    assert rows(it.database, "SELECT end_reason FROM epochs") == [("stop",)]
    assert "Traceback" not in it.said()


@points
async def test_a11_a_terminal_closed_while_it_starts_is_the_end(it: Stage, point: str) -> None:
    """A11: a daemon started in a terminal ends with it, even if that closes at once."""
    outer, terminal = os.openpty()
    command = (sys.executable, "-m", "daemon", "run", "--config", str(it.config))
    process = await create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=terminal)
    os.close(terminal)
    try:
        await reaches(process, point, it.folder)
        os.close(outer)
        send(process, signal.SIGHUP)
        assert await over(process) == 0
    finally:
        send(process, signal.SIGKILL)
        await process.wait()


@pytest.mark.parametrize(
    ("point", "number"),
    [
        *((point, signal.SIGTERM) for point in POINTS),
        *(("it makes its database", number) for number in (signal.SIGINT, signal.SIGHUP)),
    ],
)
async def test_a11_a_demo_that_is_ended_while_it_starts_leaves_nothing(
    tmp_path: Path, point: str, number: signal.Signals
) -> None:
    """A11: its temporary database is gone, whenever the signal came."""
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    command = (sys.executable, "-m", "daemon", "demo")
    process = await create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, env=environ
    )
    assert process.stderr is not None
    try:
        await reaches(process, point, tmp_path)
        send(process, number)
        assert await over(process) in ({0, INTERRUPTED} if number is signal.SIGINT else {0})
        assert b"Traceback" not in await process.stderr.read()
        assert not any(tmp_path.iterdir())  # noqa: ASYNC240
    finally:
        send(process, signal.SIGKILL)
        await process.wait()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, -15), (signal.SIGHUP, -1), (signal.SIGINT, INTERRUPTED)]
)
@pytest.mark.parametrize("asking", [False, True])
async def test_a11_another_command_ends_by_its_signal_as_ever(
    tmp_path: Path, number: signal.Signals, status: int, asking: bool
) -> None:
    """A11: a signal waits until the command is known, then acts as usual, without a traceback."""
    command = (sys.executable, "-m", "daemon", "init", "--config", str(tmp_path / "rules.toml"))
    process = await create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        await reaches(process, "its first line", tmp_path)
        if asking:
            await process.stdout.read(1)
        send(process, number)
        assert await over(process) == status
        assert b"Traceback" not in await process.stderr.read()
    finally:
        send(process, signal.SIGKILL)
        await process.wait()


SWALLOWING = """
import os, signal, sys
from daemon import startup_signals

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        print("interrupted", flush=True)

with startup_signals.repeated_interrupt():
    Finalized()
    try:
        input()
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_c2_an_interrupt_that_python_swallows_is_repeated() -> None:
    """C2: Python drops a KeyboardInterrupt in a finalizer; the next one ends the command."""
    command = [sys.executable, "-c", SWALLOWING]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.wait(PATIENCE) == 130
            assert process.stderr is not None
            assert process.stderr.read() == b""
        finally:
            process.kill()
