"""Bad input to `run` and `demo`: one sentence with the remedy, the documented status, no loss."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.simulator import SimulatedAccount
from tests.end_to_end.running import ACCOUNT, Stage, stage

DEMO = (
    "import tempfile; tempfile.tempdir = {folder!r}\nfrom daemon.cli import"
    " commands\ncommands.main(['demo'])"
)
SAID_SECRETS = ("main-key", "main-secret", "planted")


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path) as made:
        yield made


def lines(it: Stage) -> list[str]:
    """The printed lines, checked to hold no secret."""
    said = it.said()
    assert [word for word in ("Traceback", *SAID_SECRETS) if word in said] == []
    return said.splitlines()


def rewrite(it: Stage, old: str, new: str) -> None:
    written = it.config.read_text()
    assert old in written
    it.config.write_text(written.replace(old, new))


CLOSED = """
[[accounts]]
name = "main"
api_key = "k"
secret_key = "s"
[[channels]]
name = "desk"
url = "json://127.0.0.1/"
"""
TEN_MISTAKES = """
[daemon]
every = "1ms"
timezone = "Europe/Berln"
webb = ""
[[accounts]]
name = "main"
api_key = "env:PLANTED_NOWHERE"
secret_key = "planted secret"
exchange = "coinww"
rest_url = "http://example.com"
[[channels]]
name = "phone"
url = "foo://planted-token-9"
[[rules]]
name = "low"
when = "available_margn < 1"
for = "soon"
channels = ["fone"]
"""


async def test_ten_mistakes_are_told_at_once_and_nothing_begins(it: Stage) -> None:
    """All of them, each with its place, before any database is made: status 78."""
    it.config.write_text(TEN_MISTAKES)
    assert await (await it.begin()).over() == 78
    places = {line.partition(": ")[0] for line in lines(it) if line[0] != " "}
    expected = {
        *(f"daemon.{key}" for key in ("every", "timezone", "webb")),
        *(f'accounts "main" (line 6).{key}' for key in ("api_key", "secret_key", "exchange")),
        'channels "phone" (line 12).url',
        *(f'rules "low" (line 15).{key}' for key in ("when", "for", "channels")),
    }
    assert expected - places == set()
    assert not it.database.exists()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'rest_url = "http://127.0.0.1',
            'rest_url = "http://example.com',
            'accounts "main" (line 24).rest_url: ',
        ),
        (
            'url = "json://',
            'url = "jsonn://',
            'channels "desk" (line 13).url: Apprise knows no service jsonn://; did you mean json',
        ),
        (
            'api_key = "main-key"',
            'api_key = "env:NOT_SET"',
            "the environment variable NOT_SET is not set; set it",
        ),
        ('clear_when = "available', 'clear_when = "availble', "did you mean `available_margin`?"),
        ("[[rules]]", "[[rules]", "rules.toml"),
    ],
    ids=["plain-http", "channel", "variable", "field", "no-toml"],
)
async def test_a_mistake_is_one_sentence(it: Stage, old: str, new: str, sentence: str) -> None:
    """Status 78, place and remedy; only carets under an expression take further lines."""
    rewrite(it, old, new)
    assert await (await it.begin()).over() == 78
    said = lines(it)
    assert sentence in "\n".join(said)
    assert len([line for line in said if not line.startswith(" ")]) == 1


async def test_bad_usage_is_status_2(it: Stage) -> None:
    """An option that does not exist is told, and where to look."""
    assert await (await it.begin("--log-levle", "debug")).over() == 2
    assert lines(it) == [
        "no such option '--log-levle'. Did you mean '--log-level'? (see marginwatch run --help)"
    ]


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A directory into which nobody can write: for root, a file system of its own."""
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o755 if os.geteuid() == 0 else 0o555)
    if os.geteuid() != 0:
        yield folder
        return
    mount, umount = shutil.which("mount") or "mount", shutil.which("umount") or "umount"
    try:
        subprocess.run(
            [mount, "-t", "tmpfs", "-o", "ro,size=1m", "none", folder],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(
            f"root writes everywhere, and no read-only file system can be mounted here: {error}"
        )
    yield folder
    subprocess.run([umount, folder], check=True)


async def test_a_read_only_directory_is_one_sentence(it: Stage, read_only: Path) -> None:
    """The person learns which directory, and that it must be writable."""
    rewrite(it, "sqlite:///marginwatch.db", f"sqlite:///{read_only}/marginwatch.db")
    assert await (await it.begin()).over() == 1
    (sentence,) = lines(it)
    assert str(read_only) in sentence
    assert "right to write" in sentence or "let this user write" in sentence
    status, printed = await it.command("check")
    assert (status, printed.splitlines()[-1]) == (1, sentence)


async def test_a_missing_directory_is_one_sentence(it: Stage) -> None:
    """A database in a missing directory is bad configuration: no retry helps."""
    rewrite(it, "sqlite:///marginwatch.db", "sqlite:///nowhere/marginwatch.db")
    assert await (await it.begin()).over() == 78
    (sentence,) = lines(it)
    assert f"{it.folder}/nowhere" in sentence


HEADER = 100
"""Bytes in which SQLite notes that a database was opened for WAL; what is stored comes after
them.
"""


def garbage(database: Path) -> None:
    database.write_bytes(b"this is no database at all" * 100)


def damaged_tables(database: Path) -> None:
    """The header is good, all else is not."""
    data = database.read_bytes()
    database.write_bytes(data[:100] + b"\xa5" * (len(data) - 100))


def cut_off(database: Path) -> None:
    database.write_bytes(database.read_bytes()[:8_192])


def newer(database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from the future'")


def of_others(database: Path) -> None:
    database.unlink()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE accounts (whatever)")


@pytest.mark.parametrize("damage", [garbage, damaged_tables, cut_off, newer, of_others])
async def test_a_database_that_cannot_be_used_is_left_as_it_is(
    it: Stage, damage: Callable[[Path], None]
) -> None:
    """Status 1, one sentence that names the file and what to do, and nothing in it changed."""
    await it.start()
    assert await it.stop() == 0
    (it.folder / "stderr").unlink()
    damage(it.database)
    before = it.database.read_bytes()[HEADER:]
    assert await (await it.begin()).over() == 1
    (sentence,) = lines(it)
    assert str(it.database) in sentence
    assert ": " in sentence
    assert it.database.read_bytes()[HEADER:] == before


REFUSALS = {
    "wrong-key": "CoinW refused the key (6000",
    "wrong-secret": "CoinW refused the key (6001",
    "unreachable": "127.0.0.1:9 refused the connection: check the address and that it is up",
    "html": (
        "CoinW keeps this machine out (HTTP 403, a web page, Attention Required! | Cloudflare):"
        " pausing"
    ),
    "no-https": "closed the connection without answering",
}


def refused(it: Stage) -> None:
    """Accounts that the exchange refuses, each for its own reason, and one that works."""
    html: SimulatedAccount = it.simulator.account("html")
    html.fault("html")
    it.simulator.account("no-https").fault("drop")
    it.simulator.account("wrong-secret", secret_key="another")
    urls = dict.fromkeys(REFUSALS, it.simulator.rest_url) | {"unreachable": "http://127.0.0.1:9"}
    tables = [ACCOUNT.format(name=name, rest_url=url) for name, url in urls.items()]
    it.config.write_text(it.config.read_text() + "".join(tables))


async def test_whatever_the_exchange_answers_run_goes_on(it: Stage) -> None:
    """Wrong key or secret, no host, a proxy's page: one line and one miss each, and no exit."""
    refused(it)
    await it.start()
    await it.until(lambda: len(it.asked("main")) > 4)
    await it.until(
        lambda: len([entry for entry in it.simulator.log if entry.account == "no-https"]) > 3
    )
    assert await it.stop() == 0
    told = {name: [line for line in lines_of(it) if f"account={name}" in line] for name in REFUSALS}
    fired = [
        name for name, found in told.items() if any("key-refused firing" in line for line in found)
    ]
    assert fired == ["wrong-key", "wrong-secret"]
    told = {
        name: [line for line in found if "key-refused" not in line] for name, found in told.items()
    }
    assert {name: len(found) for name, found in told.items()} == dict.fromkeys(REFUSALS, 1)
    assert [name for name, sentence in REFUSALS.items() if sentence not in told[name][0]] == []
    assert {name for name, _ in misses(it)} == set(REFUSALS)


def lines_of(it: Stage) -> list[str]:
    said = it.said()
    assert "Traceback" not in said
    assert [
        word for name in REFUSALS for word in (f"{name}-key", f"{name}-secret") if word in said
    ] == []
    return said.splitlines()


def misses(it: Stage) -> list[tuple[str, str]]:
    query = "SELECT name, reason FROM misses JOIN accounts ON accounts.id = misses.account_id"
    with closing(sqlite3.connect(it.database)) as connection:
        return connection.execute(query).fetchall()


async def test_a_channel_that_refuses_stops_nothing(it: Stage) -> None:
    """A dead receiver causes one line; readings and alerts are recorded all the same."""
    port = it.receiver.port
    await it.receiver.stop()
    it.show("main", "90")
    await it.start()
    await it.until(lambda: len(it.asked("main")) > 3 and "was not delivered" in it.said())
    assert await it.stop() == 0
    (line,) = [each for each in lines(it) if "was not delivered" in each]
    assert "JSON was not reached: it refuses connections" in line
    assert str(port) in it.config.read_text()


@pytest.mark.parametrize(
    "arguments", [["--for", "soon"], ["--for", "0s"], ["--fro", "3s"], ["now"]]
)
def test_bad_usage_of_the_demo_is_status_2(arguments: list[str]) -> None:
    """One sentence on stderr, and where to look."""
    shown = subprocess.run(
        [sys.executable, "-m", "daemon", "demo", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (shown.returncode, shown.stdout, shown.stderr.count("\n")) == (2, "", 1)
    assert shown.stderr.endswith("(see marginwatch demo --help)\n")


def test_a_demo_without_room_is_one_sentence(tmp_path: Path) -> None:
    """No directory for its database, or one that does not exist any more."""
    program = DEMO.format(folder=str(tmp_path / "nowhere"))
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (shown.returncode, shown.stdout) == (1, "")
    assert (
        shown.stderr
        == "there is no room for the demo's database (No such file or directory): let TMPDIR name a"
        " directory with some\n"
    )


def test_a_demo_that_nobody_reads_any_more_ends(tmp_path: Path) -> None:
    """`marginwatch demo | head -2`: two lines, no error, and the demo ends."""
    command = f"{sys.executable} -m daemon demo | head -2"
    shown = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (shown.stdout.count("\n"), shown.stderr) == (2, "")


def test_a_closed_output_is_no_failure(tmp_path: Path) -> None:
    """`marginwatch history >&-`: what is printed goes nowhere, and nothing is broken."""
    rules = tmp_path / "rules.toml"
    rules.write_text(CLOSED, encoding="utf-8")
    (tmp_path / "old.csv").write_text(
        "account,time,available_margin\nmain,2026-01-01,9\n", encoding="utf-8"
    )
    program = f"{sys.executable} -m daemon"
    command = f"{program} import {tmp_path}/old.csv >&- && {program} history --since 2026-01-01 >&-"
    environ = {**os.environ, "MARGINWATCH_CONFIG": str(rules)}
    shown = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, env=environ
    )
    assert (shown.returncode, shown.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_demo_whose_output_has_no_room_ends() -> None:
    """Status 1 and one sentence; the database is thrown away all the same."""
    with Path("/dev/full").open("w") as full:
        shown = subprocess.run(
            [sys.executable, "-m", "daemon", "demo"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert shown.returncode == 1
    assert (
        shown.stderr
        == "the output cannot be written (No space left on device): send it where there is room\n"
    )
