"""How the service manager saw the daemon end: asked once, and put into words. It tells nobody.

    systemctl show ──► Ending ──► a sentence

systemd before 254 starts what `OnFailure=` names when it has given up; since then also whenever the
unit fails and is about to be started again (systemd/systemd#33710). So whoever is started by it
looks whether the unit is failed.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from daemon.service.systemd import FAILING
from daemon.types import SECOND, Millis

TIMEOUT: Millis = 10 * SECOND
"""Of the question."""

PROGRAM_FOLDERS = tuple(map(Path, ("/usr/bin", "/bin", "/run/current-system/sw/bin")))
"""Where systemctl is, the last one on NixOS; PATH could name another program of that name."""

ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
"""All that systemctl needs of it: secrets are among the rest."""

PROPERTIES = ("ActiveState", "Result", "ExecMainCode", "ExecMainStatus", "StatusText")

_KILLED = frozenset({2, 3})
"""Of `ExecMainCode`: by a signal, without or with a core dump (CLD_KILLED, CLD_DUMPED of
waitid(2)).
"""

_RESULTS: Mapping[str, str] = {
    "oom-kill": "it was killed because the machine ran out of memory",
    "timeout": "it took too long to start or to stop, and was killed",
    "watchdog": "it no longer answered, and was killed",
    "resources": "it could not be started for want of memory, files or permissions",
    "protocol": "it ended before it was ready",
    "start-limit-hit": "it was started too often within a short time",
}
"""Those of systemd.exec(5), $SERVICE_RESULT, that say more than the exit status."""

_STATUSES: Mapping[int, str] = {2: " (bad usage)", 78: " (bad configuration)"}


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of it; the default is nothing."""

    state: str = ""
    """Of the unit: `failed`, `activating` where it is about to be started again, `active`; empty is
    unknown.
    """
    result: str = ""
    code: int = 0
    status: int = 0
    """The exit status, or the number of the signal, by `code`."""
    said: str = ""
    """Why the daemon ended, in its own words; empty where it had no time for any."""

    @property
    def sentence(self) -> str:
        if self.result in _RESULTS:
            return _RESULTS[self.result]
        if self.code in _KILLED:
            return f"it was killed by {_signal(self.status)}"
        if self.result == "exit-code":
            return f"it ended with exit status {self.status}{_STATUSES.get(self.status, '')}"
        return "it ended, and systemd does not say why"


def ask(unit: str, folders: Sequence[Path] = PROGRAM_FOLDERS) -> Ending:
    """What systemd knows of the unit; nothing where it does not answer in time.

    `folders` are those of the system's own programs.
    """
    programs = (folder / "systemctl" for folder in folders)
    program = next((each for each in programs if os.access(each, os.X_OK)), None)
    if program is None:
        return Ending()
    command = [str(program), "show", "--property", ",".join(PROPERTIES), "--", unit]
    try:
        shown = subprocess.run(  # noqa: S603 -- no shell; the unit's name is whoever's who calls us
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
        return Ending()
    return parse(shown.stdout)


def parse(shown: str) -> Ending:
    """Lines of `KEY=value`, as `systemctl show` prints them."""
    known = dict(line.split("=", 1) for line in shown.split("\n") if "=" in line)
    said = known.get("StatusText", "")
    return Ending(
        known.get("ActiveState", ""),
        known.get("Result", ""),
        _number(known.get("ExecMainCode", "")),
        _number(known.get("ExecMainStatus", "")),
        said.removeprefix(FAILING) if said.startswith(FAILING) else "",
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _signal(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
