"""`run`: what its signals mean."""

import io
import os
import pty
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.cli.run import handle_hangup, load_config
from daemon.cli.session import CommandSession
from daemon.config.checks.warnings import NO_CHANNEL
from daemon.log import setup
from daemon.redaction import Redactor
from tests.cli.calls import CHANNEL, RULE, SECRETS, account, write


class Lives:
    """Keeps what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def stop(self) -> None:
        self.asked.append("stop")

    def reload(self) -> None:
        self.asked.append("reload")


@pytest.mark.parametrize("closed", [False, True])
def test_a_closed_terminal_is_the_end(closed: bool) -> None:
    """SIGHUP asks for a reload, but also comes when the daemon's terminal is closed."""
    outer, terminal = pty.openpty()
    lives = Lives()
    try:
        if closed:
            os.close(outer)
        handle_hangup(lives, [terminal])
        assert lives.asked == ["stop" if closed else "reload"]
    finally:
        os.close(terminal)
        if not closed:
            os.close(outer)


def test_a_service_has_no_terminal_to_lose() -> None:
    """Its streams are pipes, sockets or files: there SIGHUP is always a reload."""
    lives = Lives()
    handle_hangup(lives, [])
    assert lives.asked == ["reload"]


def test_why_it_cannot_begin_is_left_with_systemd(tmp_path: Path) -> None:
    """The first mistake, in a line that `systemctl status` and `last-words` show."""
    path = write(tmp_path, account(), RULE.replace("available_margin", "available_margn"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        environ = {**SECRETS, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        command = [sys.executable, "-m", "daemon", "run", "--config", str(path)]
        done = subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        status = manager.recv(4096).decode()
    assert (done.returncode, status) == (78, f"STATUS=failed: {done.stderr.splitlines()[0]}")
    assert "did you mean `available_margin`?" in status


def test_a_file_without_a_channel_is_only_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A person may want to collect only; `check` refuses such a file."""
    for tables, expected in (((account(),), [NO_CHANNEL]), ((account(), CHANNEL), [])):
        caplog.clear()
        load_config(CommandSession(environ=SECRETS, path=write(tmp_path, *tables)), Redactor())
        assert caplog.messages == expected


@pytest.mark.usefixtures("restored_logging")
def test_the_log_takes_the_time_zone_of_the_file(tmp_path: Path) -> None:
    """Before the first warning about the file; a reload leaves the zone until it is in force."""
    path = write(tmp_path, account(), timezone="Asia/Hong_Kong")
    session, stream = CommandSession(environ=SECRETS, path=path), io.StringIO()
    handler = setup(stream, style="human", redactor=Redactor())
    load_config(session, Redactor(), handler)
    write(tmp_path, account())
    load_config(session, Redactor())
    lines = stream.getvalue().splitlines()
    assert [line.partition(" warning ")[0][-5:] for line in lines] == ["+0800", "+0800"]
    assert all(NO_CHANNEL in line for line in lines)


def test_promise_9_the_log_learns_new_secrets_and_keeps_the_old(tmp_path: Path) -> None:
    """Secrets of the new file are hidden from then on, and those of the old one stay hidden."""
    path, redactor = write(tmp_path, account(api_key="first-planted")), Redactor()
    session = CommandSession(environ=SECRETS, path=path)
    load_config(session, redactor)
    write(tmp_path, account(api_key="second-planted"))
    assert load_config(session, redactor).accounts[0].api_key.reveal() == "second-planted"
    assert redactor.redact("first-planted second-planted") == "*** ***"
