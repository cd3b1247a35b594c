"""docs/new-exchange.md: its file is put where it belongs, and the program runs with it."""

import asyncio
import hashlib
import hmac
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from daemon.clock import SystemClock
from daemon.exchanges import Adapter
from tests.docs.markdown import NEW_EXCHANGE, ROOT, code
from tests.end_to_end.running import send

PATIENCE = 60

CONFIGURATION = """
[daemon]
every = "400ms"
web = ""

[[accounts]]
name = "pool"
exchange = "northpool"
api_key = "{key}"
secret_key = "hush"
rest_url = "{url}"

[[channels]]
name = "hook"
url = "json://127.0.0.1:9"

[[rules]]
name = "low"
when = "available_margin < 100"
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program with one more file."""
    folder = tmp_path_factory.mktemp("program")
    shutil.copytree(
        ROOT / "daemon", folder / "daemon", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("migrations", "rules.toml"):
        (folder / name).symlink_to(ROOT / name)
    (source,) = NEW_EXCHANGE.blocks("python")
    (folder / "daemon/exchanges/northpool.py").write_text(source, encoding="utf-8")
    return folder


class Northpool:
    """The exchange that the page makes up: the key `open` is let in, everybody else refused."""

    def __init__(self) -> None:
        self.asked = 0
        self.again = asyncio.Event()

    async def balance(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.asked >= 3:
            self.again.set()
        heard = request.headers
        expected = hmac.digest(
            b"hush", (heard["X-Time"] + request.path).encode(), hashlib.sha256
        ).hex()
        if heard["X-Key"] != "open" or heard["X-Sign"] != expected:
            return web.Response(status=401)
        told = {
            "uid": "n-17",
            "ts": SystemClock().now(),
            "free": "420.250000000000000001",
            "used": "80",
        }
        return web.json_response(told)


@asynccontextmanager
async def northpool() -> AsyncIterator[tuple[Northpool, str]]:
    """The exchange, and its address."""
    there, app = Northpool(), web.Application()
    app.router.add_get("/v2/balance", there.balance)
    async with TestServer(app) as server:
        yield there, str(server.make_url("/"))


def configured(program: Path, url: str, key: str = "open") -> None:
    (program / "watch.toml").write_text(CONFIGURATION.format(url=url, key=key), encoding="utf-8")
    (program / "watch.toml").chmod(0o600)


def command(*arguments: str) -> Sequence[str]:
    return (sys.executable, "-m", "daemon", *arguments, "--config", "watch.toml")


async def called(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command of the copy; its own module comes before the one that is installed."""
    run = subprocess.run
    return await asyncio.to_thread(
        run,
        command(*arguments),
        cwd=program,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


async def test_the_file_is_all_it_takes_to_be_checked(program: Path) -> None:
    """A right key shows the exact balances, a wrong one is refused with its reason."""
    async with northpool() as (_, url):
        configured(program, url)
        right = await called(program, "check", "--online")
        configured(program, url, key="wrong")
        wrong = await called(program, "check", "--online")
    assert "pool: user n-17  available_margin 500.25" in right.stdout, right.stdout + right.stderr
    assert "pool: auth: Northpool refused the key (HTTP 401)" in wrong.stdout
    assert (right.returncode, wrong.returncode) == (0, 1)


async def test_the_file_is_all_it_takes_to_be_watched(program: Path) -> None:
    """The daemon polls it, and what it says is on record exactly."""
    async with northpool() as (there, url):
        configured(program, url)
        daemon = await asyncio.create_subprocess_exec(
            *command("run"), cwd=program, stderr=subprocess.PIPE
        )
        try:
            await asyncio.wait_for(there.again.wait(), PATIENCE)
        finally:
            send(daemon, signal.SIGTERM)
            _, said = await daemon.communicate()
    assert daemon.returncode == 0, said.decode()
    rows = json.loads((await called(program, "history", "--format", "json")).stdout)
    assert {row["available_margin"] for row in rows} == {"500.250000000000000001"}
    assert {row["al_freeze"] for row in rows} == {None}


def test_no_key_goes_to_another_exchange(program: Path) -> None:
    """Without a written address an exchange's own is used, never CoinW's."""
    configured(program, "")
    path = program / "watch.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('rest_url = ""', ""), encoding="utf-8")
    asked = "from daemon.cli.configuration import configuration\nfrom pathlib import Path\n"
    asked += (
        "for each in configuration(Path('watch.toml'), {}).accounts: print(repr((each.rest_url,"
        " each.ws_url)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=program, capture_output=True, text=True, check=False
    )
    assert done.stdout == "('https://api.northpool.example', '')\n", done.stderr


def test_the_table_names_what_an_exchange_offers() -> None:
    """As the contract says."""
    offered = {
        name for name in (*Adapter.__annotations__, *vars(Adapter)) if not name.startswith("_")
    }
    assert set(map(code, NEW_EXCHANGE.table("What the file offers").column("name"))) == offered


def test_the_file_is_as_clean_as_ours(program: Path) -> None:
    """The file passes the checks of style and types that all our files pass."""
    file = "daemon/exchanges/northpool.py"
    for check in (
        ["ruff", "check", "--ignore", "D101,D102,D103,D107,PLC0415,EM,TRY"],
        ["mypy", "--strict"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *check, file],
            cwd=program,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ,
        )
        assert done.returncode == 0, done.stdout
