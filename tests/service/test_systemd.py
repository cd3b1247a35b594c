"""What systemd is told, over real sockets, and the unit that it starts."""

import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon import bundled
from daemon.service import systemd


def heard(address: str, environ: dict[str, str], state: str) -> tuple[bool, str]:
    """What a service manager at this address receives."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(5)
        told = systemd.notify(environ, state)
        return told, manager.recv(4096).decode()


def test_ready_reaches_the_manager(tmp_path: Path) -> None:
    """The state arrives as one datagram on the socket that NOTIFY_SOCKET names."""
    path = str(tmp_path / "notify")
    assert heard(path, {"NOTIFY_SOCKET": path}, systemd.READY) == (True, "READY=1")


def test_a_reload_is_told_with_its_instant_and_its_end() -> None:
    """sd_notify(3): RELOADING=1 needs the monotonic time, no earlier than the signal that asked for it."""
    assert systemd.reloading(1_234) == "RELOADING=1\nMONOTONIC_USEC=1235000"
    assert systemd.ready("reloaded") == "READY=1\nSTATUS=reloaded"


def test_abstract_sockets_are_reached(tmp_path: Path) -> None:
    """An address that begins with @ lies in the abstract namespace."""
    name = f"marginwatch-test{tmp_path}"
    assert heard(f"\0{name}", {"NOTIFY_SOCKET": f"@{name}"}, systemd.STOPPING) == (True, "STOPPING=1")


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_a_manager_nothing_happens(environ: dict[str, str]) -> None:
    """Outside systemd, or at an address of another kind, nobody is told and nothing fails."""
    assert systemd.notify(environ, systemd.READY) is False


def test_a_manager_that_is_gone_fails_nothing(tmp_path: Path) -> None:
    """A socket that nobody listens on is no failure of the daemon."""
    assert systemd.notify({"NOTIFY_SOCKET": str(tmp_path / "gone")}, systemd.READY) is False


def test_the_unit_is_valid(require: Callable[[str], Path], tmp_path: Path) -> None:
    """systemd-analyze accepts the shipped unit; only the program's place is this machine's."""
    analyze = require("systemd")
    unit = (bundled.path("systemd") / "marginwatch.service").read_text()
    program = "/opt/marginwatch/.venv/bin/marginwatch"
    assert f"ExecStart={program} run " in unit
    assert "ExecReload=/bin/kill -HUP $MAINPID\n" in unit
    here = tmp_path / "marginwatch.service"
    here.write_text(unit.replace(program, shutil.which("true") or "/bin/true"))
    done = subprocess.run([analyze, "verify", "--man=no", here], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
