"""Promise 9: secrets stay secret, wherever they stand and whoever says them back."""

import os
import signal
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from daemon.cli.configuration import configuration, exchange_account
from daemon.clock import SystemClock
from daemon.exchanges import ExchangeDependencies, coinw
from daemon.exchanges.common import http
from daemon.notifiers.apprise import AppriseNotifier
from daemon.simulator import RestFault, SimulatedAccount
from daemon.simulator.faults import refusal, success
from daemon.types import MissReason
from tests.end_to_end.planted import (
    KEYS,
    ODD,
    SECRET_KEYS,
    TOKENS,
    WAYS,
    Echo,
    MailServer,
    echoes,
    traces,
)
from tests.end_to_end.running import Stage, send, stage
from tests.fakes import budget

COMMANDS = (
    ["check"],
    ["check", "--online"],
    ["check", "--notify"],
    ["status"],
    ["status", "--format", "json"],
    ["history", "--format", "json"],
    ["history", "--format", "csv"],
    ["alerts", "--format", "json"],
    ["db", "upgrade"],
)


@dataclass(slots=True)
class Hostile:
    """A stage on which every server echoes its input; keeps all that was written or received."""

    it: Stage
    echo: Echo
    mail: MailServer
    collected: dict[str, bytes] = field(default_factory=dict)

    async def run(self, *arguments: str) -> int:
        """One command of the program, kept with all it says."""
        status, printed = await self.it.command(*arguments)
        self.collected[" ".join(arguments)] = printed.encode()
        return status

    def collect(self) -> dict[str, bytes]:
        """With the daemon's own words, its messages, and every file that it wrote."""
        files = self.it.folder.glob("marginwatch.db*")
        said = {
            "stderr": (self.it.folder / "stderr").read_bytes(),
            "messages": b"\n".join(self.echo.bodies),
        }
        return self.collected | said | {path.name: path.read_bytes() for path in files}


@asynccontextmanager
async def hostile(folder: Path, environ: pytest.MonkeyPatch) -> AsyncIterator[Hostile]:
    async with AsyncExitStack() as undo:
        it = await undo.enter_async_context(stage(folder, ["bystander"]))
        there = Hostile(it, Echo(it.bell), MailServer(it.bell))
        runner = await there.echo.start()
        undo.push_async_callback(runner.cleanup)
        undo.callback((await there.mail.start()).close)
        plant(folder, environ)
        it.config.write_text(written(there))
        it.config.chmod(0o600)
        for way in WAYS:
            indiscreet(it.simulator.account(way, KEYS[way], SECRET_KEYS[way]))
        yield there


def plant(folder: Path, environ: pytest.MonkeyPatch) -> None:
    """Secrets that rules.toml refers to."""
    environ.setenv("CREDENTIALS_DIRECTORY", str(folder / "credentials"))
    (folder / "credentials").mkdir()
    for kind, texts in (("key", KEYS), ("secret", SECRET_KEYS)):
        environ.setenv(f"PLANTED_{kind.upper()}", texts["env"])
        (folder / f"{kind}.txt").write_text(texts["file"] + "\n")
        (folder / "credentials" / kind).write_text(texts["credential"])
    environ.setenv("PLANTED_TEMPLATE", TOKENS["template"])
    environ.setenv("PLANTED_ODD", ODD)


def written(there: Hostile) -> str:
    """The rules.toml with all of it."""
    http, smtp = f"127.0.0.1:{there.echo.port}", f"127.0.0.1:{there.mail.port}"
    urls = {
        "path": f"json://{http}/hooks/{TOKENS['path']}",
        "user": f"json://{TOKENS['user']}@{http}/user",
        "password": f"json://bot:{TOKENS['password']}@{http}/password",
        "query": f"json://{http}/query?-token={TOKENS['query']}",
        "header": f"json://{http}/header?+X-Token={TOKENS['header']}",
        "template": f"json://{http}/template/{{env:PLANTED_TEMPLATE}}",
        "odd": f"json://bot:{{env:PLANTED_ODD}}@{http}/odd/{{env:PLANTED_ODD}}",
        "mail": f"mailto://me:{TOKENS['mail']}@{smtp}?smtp=127.0.0.1&from=me@example.com&to=you@example.com",
        "good": f"json://{http}/good/{TOKENS['whole']}",
    }
    there_whole = Path(there.it.folder / "whole.txt")
    there_whole.write_text(urls.pop("good"))
    urls["good"] = "file:whole.txt"
    tables = [
        f'[[channels]]\nname = "{name}"\nurl = "{url}"\ngroup_wait = "0s"'
        for name, url in urls.items()
    ]
    accounts = [account(way, there.it.simulator.rest_url) for way in WAYS]
    return "\n".join(['[daemon]\nevery = "400ms"\nweb = ""', RULE, *tables, *accounts])


RULE = """
[[rules]]
name = "low"
when = "available_margin < 100"
"""


def account(way: str, rest_url: str) -> str:
    key, secret_key = {
        "literal": (KEYS["literal"], SECRET_KEYS["literal"]),
        "env": ("env:PLANTED_KEY", "env:PLANTED_SECRET"),
        "file": ("file:key.txt", "file:secret.txt"),
        "credential": ("credential:key", "credential:secret"),
    }[way]
    return (
        f'[[accounts]]\nname = "{way}"\napi_key = "{key}"\nsecret_key = "{secret_key}"\n'
        f'rest_url = "{rest_url}"\nws_url = ""'
    )


def indiscreet(simulated: SimulatedAccount) -> None:
    """An exchange that says key and secret back: first in an error, then beside the balances."""
    said = [
        each
        for known in (simulated.keys.api_key, simulated.keys.secret_key)
        for each in echoes(known)
    ]
    quoted = ",".join(f'"{text}":["{text}"]' for text in said)

    def refused(_fields: object) -> object:
        return refusal(500, " ".join(said))

    def beside(fields: object) -> object:
        return success({**fields, "echo": "{" + quoted + "}", "note": f'"{said[0]}"'})  # type: ignore[dict-item]

    bad = frozenset({MissReason.BAD_ANSWER})
    simulated.set(available_margin="50")
    simulated.fault(RestFault("echoed error", bad, refused), times=1)  # type: ignore[arg-type]
    simulated.fault(RestFault("echoed fields", frozenset({None}), beside))  # type: ignore[arg-type]


async def live(there: Hostile, *arguments: str) -> None:
    """A life of the daemon in which everything was told and echoed at least once."""
    it = there.it
    places = ("/hooks/", "/user", "/password", "/query", "/header", "/template/", "/odd/", "/good/")
    await it.begin("--log-level", "debug", *arguments)
    await it.until(
        lambda: all(any(place in called for called in there.echo.called) for place in places)
    )
    await it.until(lambda: there.mail.refused)
    await it.until(
        lambda: (
            len([entry for entry in it.simulator.log if entry.said == "echoed fields"]) > len(WAYS)
        )
    )
    assert await it.stop(signal.SIGTERM) == 0


async def test_no_secret_is_in_the_log_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 9: at debug level."""
    async with hostile(tmp_path, monkeypatch) as there:
        await live(there, "--log-format", "json")
        collected = there.collect()
    assert "answered without balances" in told(collected)
    assert traces(collected) == []


async def test_no_secret_leaves_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Promise 9: none in a debug log, a message, the database, or any command's output."""
    async with hostile(tmp_path, monkeypatch) as there:
        await live(there)
        statuses = {" ".join(command): await there.run(*command) for command in COMMANDS}
        collected = there.collect()
    failed = {command: status for command, status in statuses.items() if status}
    unwatched = {"status": 2, "status --format json": 2}  # no daemon collects any more
    assert failed == {"check --notify": 1, **unwatched}
    assert {"marginwatch.db", "marginwatch.db-wal", "messages", "stderr"} <= {
        *collected,
        "marginwatch.db-wal",
    }
    assert [
        word
        for word in ("answered without balances", "mail server answered 535")
        if word not in told(collected)
    ] == []
    assert b'"***":["***"]' in collected["marginwatch.db"]
    assert traces(collected) == []


def told(collected: dict[str, bytes]) -> str:
    """The daemon's log, as text."""
    return collected["stderr"].decode()


async def test_no_secret_is_shown_by_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 9: repr and str of configuration, exchange clients and notifiers show none."""
    async with hostile(tmp_path, monkeypatch) as there, http.open_session() as session:
        config = configuration(there.it.config, os.environ)
        clock = SystemClock()
        tools = ExchangeDependencies(session, budget(clock), clock)
        known = [exchange_account(each) for each in config.accounts]
        clients = [coinw.connect(each, tools) for each in known]
        notifiers = [AppriseNotifier(each.url.reveal(), clock) for each in config.channels]
        shown = [
            f"{each!r} {each}"
            for each in (config, *known, *clients, *notifiers, *vars(notifiers[0]).values())
        ]
    assert traces({"repr": "".join(shown).encode()}) == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://me:{password}@127.0.0.1:9/db",
        "postgresql+psycopg://127.0.0.1:9/db?user=me&password={password}",
        "postgresql+psycopg://me:{password}@127.0.0.1:port/db",
        "postgresql+psycopg://me:{password}@127.0.0.1:9/db?no_such_option=1",
        "mysql://me:{password}@127.0.0.1:9/db",
        "me:{password}@nowhere",
    ],
)
async def test_a_password_of_the_database_is_not_in_its_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Promise 9: a database that cannot be used is named without its password."""
    async with hostile(tmp_path, monkeypatch) as there:
        with_database(there, url)
        statuses = {
            await there.run(*command) for command in (["run", "--log-level", "debug"], ["status"])
        }
        collected = there.collected
    assert statuses <= {0, 1, 2, 78}
    assert b"Traceback" not in b"".join(collected.values())
    assert traces(collected) == []


def with_database(there: Hostile, url: str) -> None:
    named = url.replace("{password}", TOKENS["database"])
    there.it.config.write_text(
        f'[daemon]\ndatabase = "{named}"' + there.it.config.read_text().removeprefix("[daemon]")
    )


async def test_a_server_that_refuses_the_login_is_told_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql_url: str
) -> None:
    """Promise 9, A7: a real PostgreSQL refuses an unknown user: bad configuration."""
    url = postgresql_url.replace("owner@", f"nobody:{TOKENS['database']}@")
    async with hostile(tmp_path, monkeypatch) as there:
        with_database(there, url)
        statuses = {await there.run("run", "--log-level", "debug"), await there.run("status")}
        collected = there.collected
    assert statuses == {78}
    assert [where for where, said in collected.items() if b"nobody" not in said] == []
    assert traces(collected) == []


CRASH = """
import sys
from daemon.cli import commands
from daemon.service.collection.poller import Poller

async def broken(poller, **_how):
    raise RuntimeError(" ".join((repr(vars(poller)), *sys.argv[1].split(","))))

Poller._ask = broken
commands.main(["run", "--config", sys.argv[2], "--log-level", "debug"])
"""
"""A fault of our own, whose text holds every secret."""


async def test_a_fault_of_ours_shows_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 9: a bug is logged, with its traceback at debug level, all secrets blanked."""
    known = [
        *KEYS.values(),
        *SECRET_KEYS.values(),
        *(TOKENS[place] for place in ("path", "user", "password", "mail")),
    ]
    async with hostile(tmp_path, monkeypatch) as there:
        arguments = (sys.executable, "-c", CRASH, ",".join(known), str(there.it.config))
        process = await create_subprocess_exec(*arguments, stdout=PIPE, stderr=PIPE)
        assert process.stderr is not None
        said = b""
        try:
            while b"RuntimeError" not in said and (line := await process.stderr.readline()):
                said += line
            send(process, signal.SIGTERM)
            out, err = await process.communicate()
        finally:
            send(process, signal.SIGKILL)
    assert process.returncode == 0
    assert traces({"crash": said + out + err}) == []
