"""Notifications to systemd over real sockets, and the units that it starts."""

import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon import bundled
from daemon.cli.last_words import unit_status
from daemon.cli.last_words.command import PAUSE, TRIES
from daemon.notifiers.apprise import TIMEOUT
from daemon.service import systemd
from daemon.types import MINUTE


def heard(address: str, environ: dict[str, str], state: str) -> tuple[bool, str]:
    """The datagrams that a service manager at this address receives."""
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
    """sd_notify(3): RELOADING=1 needs a monotonic time no earlier than the signal."""
    assert systemd.reloading(1_234) == "RELOADING=1\nMONOTONIC_USEC=1235000"
    assert systemd.ready("reloaded") == "READY=1\nSTATUS=reloaded"


def test_abstract_sockets_are_reached(tmp_path: Path) -> None:
    """An address that begins with @ lies in the abstract namespace."""
    name = f"marginwatch-test{tmp_path}"
    assert heard(f"\0{name}", {"NOTIFY_SOCKET": f"@{name}"}, systemd.STOPPING) == (
        True,
        "STOPPING=1",
    )


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_a_manager_nothing_happens(environ: dict[str, str]) -> None:
    """Outside systemd, or at an address of another kind, nobody is told and nothing fails."""
    assert systemd.notify(environ, systemd.READY) is False


def test_a_manager_that_is_gone_fails_nothing(tmp_path: Path) -> None:
    """A socket that nobody listens on is no failure of the daemon."""
    assert systemd.notify({"NOTIFY_SOCKET": str(tmp_path / "gone")}, systemd.READY) is False


PROGRAM = "/opt/marginwatch/.venv/bin/marginwatch"
UNITS = ("marginwatch.service", "marginwatch-last-words.service")
BACKUP = "marginwatch-backup.service"
TIMER = "marginwatch-backup.timer"


def unit(name: str) -> str:
    return (bundled.path("systemd") / name).read_text()


def settings(name: str) -> dict[str, str]:
    """The settings of a unit, by key."""
    return dict(
        line.split("=", 1)
        for line in unit(name).splitlines()
        if "=" in line and not line.startswith("#")
    )


def test_the_units_are_valid(require: Callable[[str], Path], tmp_path: Path) -> None:
    """systemd-analyze accepts the shipped units; only the program's place is this machine's."""
    analyze = require("systemd")
    names = (*UNITS, BACKUP, TIMER)
    for name in names:
        (tmp_path / name).write_text(
            unit(name).replace(PROGRAM, shutil.which("true") or "/bin/true")
        )
    here = [tmp_path / name for name in names]
    done = subprocess.run(
        [analyze, "verify", "--man=no", *here], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_daemon_is_started_reloaded_and_mourned() -> None:
    """The unit runs it, SIGHUP reloads it, and a failure starts the reporting unit."""
    daemon, mourner = map(settings, UNITS)
    assert daemon["ExecStart"].startswith(f"{PROGRAM} run --config /etc/marginwatch/rules.toml")
    assert daemon["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert daemon["OnFailure"] == UNITS[1]
    assert (
        mourner["ExecStart"]
        == f"{PROGRAM} last-words --unit {UNITS[0]} --config /etc/marginwatch/rules.toml"
    )


@pytest.mark.parametrize("name", [*UNITS, BACKUP])
def test_s1_s13_memory_is_bounded_and_a_crash_leaves_no_secrets(name: str) -> None:
    """S1, S13: a belt of 1 GB, and no core dump, which would hold keys and tokens."""
    found = settings(name)
    assert (found["MemoryMax"], found["LimitCORE"], found["UMask"]) == ("1G", "0", "0077")


def test_who_tells_of_the_daemons_end_may_do_no_more_than_the_daemon() -> None:
    """The same user, folders and hardening; bounded in time, without a retry."""
    daemon, mourner = map(settings, UNITS)
    own = {"Description", "Type", "ExecStart", "TimeoutStartSec"}
    assert {
        key: value for key, value in mourner.items() if key not in own
    }.items() <= daemon.items()
    assert mourner.keys() | {"NotifyAccess", "ExecReload", "TimeoutStopSec", "OnFailure"} >= {
        key for key in daemon if not key.startswith(("Restart", "StartLimit", "WantedBy"))
    }
    bound = TRIES * TIMEOUT + (TRIES - 1) * PAUSE + unit_status.TIMEOUT
    assert (mourner["TimeoutStartSec"], bound <= 2 * MINUTE) == ("3min", True)


def test_the_nightly_backup_is_made_beside_the_daemon() -> None:
    """The same user and hardening, behind the daemon for CPU and disk; a missed one is made up."""
    daemon, backup, timer = settings(UNITS[0]), settings(BACKUP), settings(TIMER)
    assert backup["ExecStart"] == (
        f"{PROGRAM} db backup /var/lib/marginwatch/backups/ --keep 7"
        " --config /etc/marginwatch/rules.toml"
    )
    own = {"Description", "Type", "ExecStart", "TimeoutStartSec", "StateDirectory"}
    own |= {"Nice", "IOSchedulingClass"}
    assert {key: each for key, each in backup.items() if key not in own}.items() <= daemon.items()
    assert backup["StateDirectory"].split() == ["marginwatch", "marginwatch/backups"]
    assert (timer["Persistent"], timer["WantedBy"]) == ("true", "timers.target")
