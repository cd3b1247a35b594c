"""The daemon as people run it: a real process, before the simulated exchange and a receiver on
loopback.

A `Stage` is all that surrounds the daemon. Nothing here sleeps: `until` looks anew whenever
something has happened (the exchange was asked, the receiver called, the daemon said a word to its
service manager, or ended).
"""

import asyncio
import os
import re
import shutil
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, create_subprocess_exec
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol, TypeVar

from aiohttp import web

from daemon.clock import SystemClock
from daemon.simulator import LoggedRequest, SimulatedAccount, SimulatedBalances, Simulator
from daemon.types import Millis
from tests import preloaded

T = TypeVar("T")

PATIENCE = 60
"""Seconds after which what a test waits for will not come any more; nothing is measured by it."""

STOPS_WITHIN = 5
"""Seconds, promised to whoever waits for the end."""

RULE = """
[[rules]]
name = "low"
when = "available_margin < 100"
clear_when = "available_margin > 120"
"""
HIGH = "200"

CONFIGURATION = """
[daemon]
database = "{database}"
every = "400ms"
web = ""
timezone = "UTC"

[budget]
host = "1000 per 10s"
user = "1000 per 10s"
assets = "1000 per 2s"

[[channels]]
name = "desk"
url = "json://127.0.0.1:{receiver}/"
group_wait = "{group_wait}"
{rules}
"""
ACCOUNT = """
[[accounts]]
name = "{name}"
exchange = "coinw"
api_key = "{name}-key"
secret_key = "{name}-secret"
rest_url = "{rest_url}"
ws_url = ""
"""

FIRED, ENDED = "firing", "resolved"
_FIRES = ("INFO", "WARNING", "CRITICAL", "BLIND", "STILL", "WORSE")
_OVER = ("OVER", "LATE", "BACK")
_BOTH = re.compile(r"\bfired (?:\d\d:|\d{4}-|\d+ times)")
"""What an end says that also tells the firing."""
_CODES = re.compile(r"(?:^| · )alerts? (\w{4}(?: \w{4})*)(?= ·|$)", re.MULTILINE)
_WHY = ("late: ", "late by ", "sent here because ")
"""What begins so is about the message, and no alert's news."""


class Started(Protocol):
    """A process of the daemon, however it was started."""

    pid: int

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...


def send(process: Started, number: int) -> None:
    """Signal a process that may just have ended.

    `Process.send_signal`, `terminate` and `kill` first poll whether it has, and so take the exit
    status before asyncio does, which then reports 255 (bpo-38630).
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


class Bell:
    """Rung whenever something has happened, whatever it was."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self) -> None:
        """Returns at the next ring."""
        self._rung.clear()
        await self._rung.wait()


@dataclass(frozen=True, slots=True)
class News:
    """One alert's news in a message, as a person finds it."""

    code: str
    kinds: frozenset[str]
    maybe_repeat: bool
    not_recorded: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """One message that reached the receiver, whatever was answered."""

    title: str
    body: str

    @property
    def news(self) -> list[News]:
        sections = [section for section in self.body.split("\n\n") if not section.startswith(_WHY)]
        return [news for section in sections for news in self._news(section)]

    def _news(self, section: str) -> list[News]:
        named = section.split(maxsplit=1)[0] in (*_FIRES, *_OVER)
        text = section if named else f"{self.title}\n{section}"
        codes = _CODES.search(text)
        assert codes is not None, f"no alert is named in {text!r}"
        kinds = _kinds(text)
        said = "may be a repeat" in text, "not recorded" in text
        return [News(code, kinds, *said) for code in codes[1].split()]


def _kinds(text: str) -> frozenset[str]:
    """What is told of an alert: that it fired, that it ended, or both."""
    word = text.split(maxsplit=1)[0]
    assert word in (*_FIRES, *_OVER), text
    if word in _FIRES:
        return frozenset({FIRED})
    return frozenset({FIRED, ENDED} if _BOTH.search(text) else {ENDED})


class Receiver:
    """Takes what an Apprise `json://` channel posts."""

    def __init__(self, bell: Bell) -> None:
        self.heard: list[Heard] = []
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        """What happens in the middle of each call, when the message is read and not yet
        answered.
        """
        self.status = 200
        self.port = 0
        self._bell = bell
        app = web.Application()
        app.router.add_post("/", self._take)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        said = await request.json()
        self.heard.append(Heard(said["title"], said["message"]))
        self._bell.ring()
        if self.meanwhile is not None:
            await self.meanwhile()
        return web.Response(text="thanks", status=self.status)


class ServiceManager:
    """Hears what the daemon tells systemd, on a real socket."""

    def __init__(self, path: Path, bell: Bell) -> None:
        self.told: list[str] = []
        self.path = path
        self._bell = bell
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def start(self) -> None:
        self._socket.bind(str(self.path))
        asyncio.get_running_loop().add_reader(self._socket, self._hear)

    def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _hear(self) -> None:
        self.told.append(self._socket.recv(4096).decode())
        self._bell.ring()


@dataclass(frozen=True, slots=True)
class Life:
    """One process of the daemon."""

    process: Started
    born: Millis
    """Wall time: what it asks the exchange is signed with a later one."""
    death: asyncio.Task[int]
    ready: int
    """Words to the service manager before its own."""

    async def over(self) -> int:
        """Wait for its end; its exit status."""
        await asyncio.wait(
            {self.death}
        )  # unlike awaiting the task, this does not cancel it with us
        return self.death.result()

    async def survives(self, seconds: float) -> bool:
        """Let it live for so long; whether it still does."""
        await asyncio.wait({self.death}, timeout=seconds)
        return not self.death.done()


@dataclass(slots=True)
class Stage:
    """The daemon's surroundings, and its present process."""

    folder: Path
    bell: Bell
    clock: SystemClock
    simulator: Simulator
    receiver: Receiver
    manager: ServiceManager
    database: Path
    """If it is a file."""
    accounts: dict[str, SimulatedAccount] = field(default_factory=dict)
    lives: list[Life] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    """Of the daemon, beside that of the tests."""
    anew: bool = False
    """Start the program as people do, where the test is about that; it takes ten times as long."""

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)

    @property
    def life(self) -> Life:
        return self.lives[-1]

    @property
    def config(self) -> Path:
        return self.folder / "rules.toml"

    def show(self, name: str, margin: str) -> None:
        """From now on the account has this available_margin."""
        account = self.accounts[name]
        account.set(available_margin=margin)
        sheet = account.current

        def audible(_elapsed: Millis, _answered: int) -> SimulatedBalances:
            self.bell.ring()
            return sheet

        account.follow(audible)

    def told(self, name: str, margin: str, since: Millis = 0) -> int:
        """How often the exchange answered this to a client that began to live at `since`."""
        return sum(
            margin == level(entry) for entry in self.asked(name) if int(entry.timestamp) >= since
        )

    def asked(self, name: str) -> list[LoggedRequest]:
        """Answers of the exchange about the account."""
        return [
            entry
            for entry in self.simulator.log
            if entry.account == name and entry.balances is not None
        ]

    async def begin(self, *arguments: str) -> Life:
        """A process of the daemon, which may not be ready yet; its stderr goes to `stderr`."""
        environ = {**os.environ, **self.environ, "NOTIFY_SOCKET": str(self.manager.path)}
        ready, born = len(self.manager.told), self.clock.now()
        with (self.folder / "stderr").open("ab") as stderr:
            process = await self._process(
                ["run", "--config", str(self.config), *arguments], environ, stderr
            )
        death = asyncio.create_task(process.wait())
        death.add_done_callback(lambda _: self.bell.ring())
        self.lives.append(Life(process, born, death, ready))
        return self.life

    async def _process(
        self, arguments: list[str], environ: Mapping[str, str], stderr: IO[bytes]
    ) -> Started:
        if self.anew or self.environ:
            command = (sys.executable, "-m", "daemon", *arguments)
            return await create_subprocess_exec(
                *command, stdin=DEVNULL, stdout=DEVNULL, stderr=stderr, env=environ
            )
        return preloaded.server().start(arguments, environ, error=stderr.fileno())

    async def start(self) -> Life:
        """The daemon, ready."""
        life = await self.begin()
        await self.until(lambda: "READY=1" in self.manager.told[life.ready :])
        return life

    async def run(self, *arguments: str) -> str:
        """Run another command in the daemon's environment to its end; return its output."""
        _, said = await self.command(*arguments)
        return said

    async def command(self, *arguments: str) -> tuple[int, str]:
        """The same, with its exit status."""
        environ = {**os.environ, **self.environ}
        status, printed = await preloaded.output(
            [*arguments, "--config", str(self.config)], environ
        )
        return status, printed.decode()

    async def stop(self, number: signal.Signals = signal.SIGTERM, within: float = PATIENCE) -> int:
        """Ask it to stop, and wait for that so many seconds; its exit status."""
        send(self.life.process, number)
        async with asyncio.timeout(within):
            return await self.life.over()

    async def kill(self) -> None:
        """End its life at once, unless that is over already."""
        send(self.life.process, signal.SIGKILL)
        await self.life.over()

    async def bury(self) -> None:
        """Leave no process behind."""
        for life in self.lives:
            send(life.process, signal.SIGKILL)
            await life.over()

    async def until(self, condition: Callable[[], T]) -> T:
        """Wait for a true `condition` while the daemon runs; return its value."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (found := condition()):
                    assert not self.life.death.done(), "the daemon ended"
                    await self.bell.wait()
        except (TimeoutError, AssertionError) as error:
            raise AssertionError(
                f"{str(error) or 'it did not come'}; the daemon said:\n{self.said()}"
            ) from error
        return found

    def said(self) -> str:
        """The last of what all lives wrote to stderr."""
        return (self.folder / "stderr").read_text()[-4_000:]

    def remains(self) -> Path:
        """A copy of the database as a process left it: opening the original would repair it."""
        copy = self.folder / "remains" / self.database.name
        shutil.rmtree(copy.parent, ignore_errors=True)
        copy.parent.mkdir()
        for suffix in ("", "-wal"):
            if (kept := Path(f"{self.database}{suffix}")).exists():
                shutil.copyfile(kept, f"{copy}{suffix}")
        return copy


def level(entry: LoggedRequest) -> str:
    """The available_margin of an answer, as it was shown."""
    assert entry.balances is not None
    return str(entry.balances.available_margin)


def counted(heard: Iterable[Heard]) -> Mapping[tuple[str, str], int]:
    """By alert and kind: how often it was heard."""
    count: dict[tuple[str, str], int] = {}
    for message in heard:
        for news in message.news:
            for kind in news.kinds:
                count[news.code, kind] = count.get((news.code, kind), 0) + 1
    return count


@asynccontextmanager
async def stage(
    folder: Path,
    accounts: Sequence[str] = ("main",),
    *,
    rules: str = RULE,
    group_wait: str = "0s",
    database: str = "sqlite:///marginwatch.db",
) -> AsyncIterator[Stage]:
    """Everything but the daemon, which does not live yet; nothing of it outlives the block."""
    bell, clock = Bell(), SystemClock()
    simulator, receiver = Simulator(clock), Receiver(bell)
    simulator.limit = 1_000  # a killed client cannot remember its last calls
    manager = ServiceManager(folder / "notify", bell)
    file = folder / database.removeprefix("sqlite:///")
    it = Stage(folder, bell, clock, simulator, receiver, manager, file)
    it.accounts = {name: simulator.account(name) for name in accounts}
    for name in accounts:
        it.show(name, HIGH)
    async with AsyncExitStack() as undo:
        undo.push_async_callback(simulator.stop)
        undo.push_async_callback(receiver.stop)
        undo.callback(manager.stop)
        undo.push_async_callback(it.bury)
        await simulator.start()
        await receiver.start()
        manager.start()
        watched = "".join(
            ACCOUNT.format(name=name, rest_url=simulator.rest_url) for name in accounts
        )
        settings = CONFIGURATION.format(
            database=database, receiver=receiver.port, group_wait=group_wait, rules=rules
        )
        it.config.write_text(settings + watched)
        it.config.chmod(0o600)
        yield it
