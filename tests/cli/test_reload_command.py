"""The command by which the daemon that collects reads its configuration again."""

import subprocess
import sys
from pathlib import Path

from daemon.cli.reload_command import EITHER, START, command_for, reload_command
from daemon.store.database.locking_process import SystemdService
from tests.cli.calls import collecting, record, url

HOLDS = """
import sys
from daemon.store import Store
store = Store.open(sys.argv[1])
print(flush=True)
sys.stdin.read()
store.close()
"""


def test_a_daemon_that_was_started_by_hand_gets_a_signal(tmp_path: Path) -> None:
    """Its number is that of the process that holds the lock."""
    command = [sys.executable, "-c", HOLDS, url(tmp_path), "-m", "daemon"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert reload_command(url(tmp_path)) == f"kill -HUP {process.pid}"


def test_a_service_is_reloaded_by_its_manager() -> None:
    """By its own name, and by the manager of the user where that runs it."""
    assert command_for("7", SystemdService("marginwatch")) == "systemctl reload marginwatch"
    of_user = SystemdService("marginwatch@grid", of_user=True)
    assert command_for("7", of_user) == "systemctl --user reload marginwatch@grid"
    assert command_for("7", None) == "kill -HUP 7"


def test_no_stranger_gets_a_signal(tmp_path: Path) -> None:
    """Both commands are named where the process is another program, or cannot be found out."""
    with collecting(tmp_path):
        assert reload_command(url(tmp_path)) == EITHER
    (tmp_path / "loop.db.lock").symlink_to("loop.db.lock")
    assert reload_command(f"sqlite:///{tmp_path / 'loop.db'}") == EITHER


def test_without_a_daemon_there_is_one_to_start(tmp_path: Path) -> None:
    """It reads the file then."""
    assert reload_command(url(tmp_path)) == START
    record(tmp_path)
    assert reload_command(url(tmp_path)) == START
