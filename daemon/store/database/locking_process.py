"""Finds the process that holds a lock file, from the kernel: the text in the file may be old.

    /proc/locks → the process that holds the file's lock → /proc/PID → its name, its numbers

Nothing is opened or locked. So it works for files that may not be read, and delays nobody.
Processes of another container are not visible from within one.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

LOCKS = Path("/proc/locks")
_PROC = Path("/proc")
_SERVICE = re.compile(r"^.*/(marginwatch[^/\n]*)\.service$", re.MULTILINE)
_ANONYMOUS = "00"
"""Major number of anonymous devices: btrfs and overlayfs show other numbers than /proc/locks."""


@dataclass(frozen=True, slots=True)
class LockingProcess:
    pid: int
    is_exclusive: bool
    """A daemon's lock is exclusive; the holder of a shared one only looks, or is in the way."""

    def is_called(self, pid: str) -> bool:
        """Whether the process has this number, here or in its own container."""
        return pid in self._numbers()

    @property
    def name(self) -> str:
        """The text `process 4711 (sleep)`; without the name when /proc does not show it."""
        with suppress(OSError):
            return (
                f"process {self.pid}"
                f" ({(_PROC / str(self.pid) / 'comm').read_text(errors='replace').strip()})"
            )
        return f"process {self.pid}"

    def _numbers(self) -> list[str]:
        with suppress(OSError):
            for line in (_PROC / str(self.pid) / "status").read_text(errors="replace").splitlines():
                if line.startswith("NSpid:"):
                    return line.split()[1:]
        return [str(self.pid)]


def locking_process(file: os.stat_result) -> LockingProcess | None:
    """The process that holds the lock of this file; None when there is none, or none visible."""
    with suppress(OSError):
        return owner_among(LOCKS.read_text(), file)
    return None


def owner_among(locks: str, file: os.stat_result) -> LockingProcess | None:
    """The owner in the lines of /proc/locks; of another device only if none has the file's own."""
    major = f"{os.major(file.st_dev):02x}"
    found = list(_owners(file, locks, f"{major}:{os.minor(file.st_dev):02x}:"))
    if not found and major == _ANONYMOUS:
        # Its own device is anonymous, without hardware: another one of these may be named instead.
        found = list(_owners(file, locks, f"{_ANONYMOUS}:"))
    return min(found, key=lambda owner: not owner.is_exclusive, default=None)


def is_marginwatch(pid: str) -> bool:
    """Whether this process was started as `marginwatch` or `python -m daemon`."""
    try:
        words = (_PROC / pid / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return (b"-m", b"daemon") in pairwise(words) or any(
        word.rpartition(b"/")[2] == b"marginwatch" for word in words
    )


@dataclass(frozen=True, slots=True)
class SystemdService:
    """A service of systemd: `marginwatch` for `marginwatch.service`."""

    name: str
    of_user: bool = False
    """Whether a user's own manager runs it."""


def service_of(pid: str) -> SystemdService | None:
    """The service of ours that this process is; None for one that was started by hand."""
    with suppress(OSError):
        return service_among((_PROC / pid / "cgroup").read_text(errors="replace"))
    return None


def service_among(groups: str) -> SystemdService | None:
    """The service in the lines of /proc/PID/cgroup, such as `0::/system.slice/x.service`."""
    found = _SERVICE.search(groups)
    return None if found is None else SystemdService(found[1], of_user="/user@" in found[0])


def _owners(file: os.stat_result, locks: str, device: str) -> Iterator[LockingProcess]:
    """Owners from lines such as `4: FLOCK ADVISORY WRITE 6569 00:1b:1258 0 EOF`.

    Lines of waiting processes have an arrow. `device` is the begin of `MAJOR:MINOR:`, hexadecimal.
    """
    for line in locks.splitlines():
        _, *words = line.split()
        if len(words) != 7 or words[0] != "FLOCK" or not words[3].isdecimal():
            continue
        inode = words[4].rpartition(":")[2]
        if int(inode) == file.st_ino and words[4].startswith(device):
            yield LockingProcess(int(words[3]), is_exclusive=words[2] == "WRITE")
