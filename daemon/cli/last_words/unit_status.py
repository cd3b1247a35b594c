"""The status of the daemon's unit after its end: asked of systemd once, and put into words.

    systemctl show ──► UnitStatus ──► a sentence

systemd before 254 starts the units of `OnFailure=` once it has given up. Later versions also start
them when the unit fails and is about to be restarted (systemd/systemd#33710). Therefore the caller
checks whether the unit has really failed.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daemon.service.systemd import FAILING
from daemon.types import SECOND, Millis

TIMEOUT: Millis = 10 * SECOND
"""Time that `systemctl show` may take."""

PROGRAM_FOLDERS = tuple(map(Path, ("/usr/bin", "/bin", "/run/current-system/sw/bin")))
"""Folders of systemctl, the last one on NixOS; PATH could name another program of that name."""

ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
"""The environment of systemctl; our own is not passed on, since it holds secrets."""

PROPERTIES = ("ActiveState", "Result", "ExecMainCode", "ExecMainStatus", "StatusText")

_KILLED = frozenset({2, 3})
"""Values of `ExecMainCode` for an end by a signal (CLD_KILLED, CLD_DUMPED of waitid(2))."""

_RESULTS: Mapping[str, str] = {
    "oom-kill": "it was killed because the machine ran out of memory",
    "timeout": "it took too long to start or to stop, and was killed",
    "watchdog": "it no longer answered, and was killed",
    "resources": "it could not be started for want of memory, files or permissions",
    "protocol": "it ended before it was ready",
    "start-limit-hit": "it was started too often within a short time",
}
"""Results of systemd.exec(5), $SERVICE_RESULT, that say more than the exit status."""

_STATUSES: Mapping[int, str] = {2: " (bad usage)", 78: " (bad configuration)"}


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """The status of a unit; by default nothing is known of it."""

    state: str = ""
    """`failed`, `activating` where it is about to be restarted, or `active`; empty is unknown."""
    result: str = ""
    code: int = 0
    status: int = 0
    """The exit status, or the number of the signal, by `code`."""
    said: str = ""
    """The daemon's own reason for its end; empty where it could not give one."""

    @property
    def sentence(self) -> str:
        if self.result in _RESULTS:
            return _RESULTS[self.result]
        if self.code in _KILLED:
            names = (each.name for each in signal.Signals if each == self.status)
            return f"it was killed by {next(names, f'signal {self.status}')}"
        if self.result == "exit-code":
            return f"it ended with exit status {self.status}{_STATUSES.get(self.status, '')}"
        return "it ended, and systemd does not say why"


def ask(unit: str, folders: Sequence[Path] = PROGRAM_FOLDERS) -> UnitStatus:
    """The status of the unit; an unknown one where systemd does not answer in time.

    `folders` are those of the system's own programs.
    """
    programs = (folder / "systemctl" for folder in folders)
    program = next((each for each in programs if os.access(each, os.X_OK)), None)
    if program is None:
        return UnitStatus()
    command = [str(program), "show", "--property", ",".join(PROPERTIES), "--", unit]
    try:
        shown = subprocess.run(  # noqa: S603 -- no shell; the caller names the unit
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT / SECOND,
            check=True,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return UnitStatus()
    return parse(shown.stdout)


def parse(shown: str) -> UnitStatus:
    """Parse the `KEY=value` lines that `systemctl show` prints."""
    known = dict(line.split("=", 1) for line in shown.split("\n") if "=" in line)
    said = known.get("StatusText", "")
    return UnitStatus(
        known.get("ActiveState", ""),
        known.get("Result", ""),
        _number(known.get("ExecMainCode", "")),
        _number(known.get("ExecMainStatus", "")),
        said.removeprefix(FAILING) if said.startswith(FAILING) else "",
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
