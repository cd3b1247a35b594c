"""`check --notify`: a real message to a real receiver."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from daemon.cli.check.channels import message
from daemon.clock import SystemClock
from daemon.config.checks.warnings import NO_CHANNEL
from daemon.store.operations import TEST
from tests.cli.calls import CHANNEL, account, call, collecting, record, write
from tests.service.lives import rows


@contextmanager
def receiver(status: int = 200) -> Iterator[tuple[str, list[bytes]]]:
    """An HTTP server on loopback: its address, and what it was sent."""
    heard: list[bytes] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", heard
        finally:
            server.shutdown()
            thread.join()


def notify(path: Path, said: list[str] | None = None) -> tuple[int, list[str]]:
    """Its exit status and what it says of the channels; all that it says goes to `said`."""
    result = call("check", "--notify", "--config", path, clock=SystemClock())
    assert "planted" not in result.output
    if said is not None:
        said += result.stdout.splitlines()
    return result.exit_code, [
        line for line in result.stdout.splitlines() if line.startswith(("hook", "other", "there"))
    ]


def test_every_channel_gets_a_message_that_says_it_is_a_test(tmp_path: Path) -> None:
    """The message cannot be taken for an alert."""
    with receiver() as (address, heard):
        channel = CHANNEL.replace("127.0.0.1:9", address)
        answers = notify(write(tmp_path, account(), channel, channel.replace('"hook"', '"other"')))
    assert answers == (0, ["hook: delivered", "other: delivered"])
    told, other = sorted(map(json.loads, heard), key=lambda each: str(each["message"]))
    assert told["title"] == "TEST: marginwatch reaches you"
    assert told["message"].startswith(
        'This is a test of the channel "hook", sent by marginwatch check --notify at 20'
    )
    assert 'the channel "other"' in other["message"]


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (500, "hook: not delivered: JSON answered HTTP 500"),
        (410, "hook: refused for good: JSON answered HTTP 410"),
    ],
)
def test_a_channel_that_fails_is_told_with_what_it_answered(
    tmp_path: Path, status: int, line: str
) -> None:
    """Status 1, and the other channels are tried all the same."""
    with receiver(status) as (bad, _), receiver() as (good, heard):
        tables = (
            CHANNEL.replace("127.0.0.1:9", bad),
            CHANNEL.replace("127.0.0.1:9", good).replace("hook", "other"),
        )
        assert notify(write(tmp_path, account(), *tables)) == (1, [line, "other: delivered"])
    assert len(heard) == 1


TESTS = (
    "SELECT channel, n, title, outcome, detail FROM attempts JOIN messages ON messages.id ="
    " message_id ORDER BY channel"
)


def test_each_test_is_recorded_as_a_message_and_an_attempt(tmp_path: Path) -> None:
    """Beside a daemon that runs; it belongs to no alert, and is told apart by its number."""
    with receiver() as (good, _), receiver(410) as (bad, _), collecting(tmp_path):
        tables = (
            CHANNEL.replace("127.0.0.1:9", bad),
            CHANNEL.replace("127.0.0.1:9", good).replace("hook", "other"),
        )
        assert notify(write(tmp_path, account(), *tables))[0] == 1
    title = "TEST: marginwatch reaches you"
    assert rows(tmp_path / "marginwatch.db", TESTS) == [
        ("hook", TEST, title, "refused", "JSON answered HTTP 410"),
        ("other", TEST, title, "delivered", ""),
    ]


def test_a_test_is_sent_where_it_cannot_be_recorded(tmp_path: Path) -> None:
    """A remark says so, but not before the first start: then there is no record yet."""
    with receiver() as (address, heard):
        path = write(tmp_path, account(), CHANNEL.replace("127.0.0.1:9", address))
        said: list[str] = []
        assert notify(path, said) == (0, ["hook: delivered"])
        assert not any("on record" in line for line in said)
        record(tmp_path)
        with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        assert notify(path, said) == (
            1,
            ["hook: delivered"],
        )  # a daemon could not begin with it (A7)
        assert said[-1].startswith("the tests are not on record: ")
    assert len(heard) == 2


def test_without_a_channel_there_is_nothing_to_try(tmp_path: Path) -> None:
    """The file is not called good, and the status is that of a mistake, asked to notify or not."""
    path = write(tmp_path, account())
    assert notify(path) == (78, [])
    result = call("check", "--config", path)
    assert (result.exit_code, result.stderr) == (
        78,
        f"{NO_CHANNEL}\n",
    )
    assert result.stdout.splitlines()[0] == "rules.toml: 1 account, 0 channels, 0 rules"
    keyless = call("check", "--config", path, environ={})
    assert (keyless.exit_code, keyless.stderr.splitlines()[-1]) == (78, NO_CHANNEL)


def test_the_message_names_channel_and_time() -> None:
    """So that a person knows which of several works."""
    assert (
        message("phone", "noon").body
        == 'This is a test of the channel "phone", sent by marginwatch check --notify at noon.'
        " Nothing is wrong."
    )
