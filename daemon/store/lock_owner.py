"""Finds the process that holds a lock file, as the kernel tells it: what the file says may be old.

    /proc/locks → the process that holds the file's lock → /proc/PID → its name, its numbers

Nothing is opened or locked, so a file that may not be read can be asked about, and nobody is held up.
Processes of another container are not seen from within one.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

LOCKS = Path("/proc/locks")
_PROC = Path("/proc")
_ANONYMOUS = "00"
"""The major number of devices that are none: btrfs and overlayfs show files under another one than /proc/locks."""


@dataclass(frozen=True, slots=True)
class LockOwner:
    pid: int
    is_exclusive: bool
    """A daemon holds the lock alone; a shared one is held by somebody who only looks, or is in the way."""

    def is_called(self, pid: str) -> bool:
        """Whether this is the process's number, here or in the container in which it runs."""
        return pid in self._numbers()

    @property
    def name(self) -> str:
        """`process 4711 (sleep)`; without the name where /proc does not tell it."""
        with suppress(OSError):
            return f"process {self.pid} ({(_PROC / str(self.pid) / 'comm').read_text(errors='replace').strip()})"
        return f"process {self.pid}"

    def _numbers(self) -> list[str]:
        with suppress(OSError):
            for line in (_PROC / str(self.pid) / "status").read_text(errors="replace").splitlines():
                if line.startswith("NSpid:"):
                    return line.split()[1:]
        return [str(self.pid)]


def lock_owner(file: os.stat_result) -> LockOwner | None:
    """The process that holds the lock of this file; None where there is none, or none that can be seen here."""
    with suppress(OSError):
        found = sorted(_owners(file, LOCKS.read_text()), key=lambda owner: not owner.is_exclusive)
        return found[0] if found else None
    return None


def is_marginwatch(pid: str) -> bool:
    """Whether the process of this number was started as `marginwatch` or `python -m daemon`."""
    try:
        words = (_PROC / pid / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return (b"-m", b"daemon") in pairwise(words) or any(word.rpartition(b"/")[2] == b"marginwatch" for word in words)


def _owners(file: os.stat_result, locks: str) -> Iterator[LockOwner]:
    """By lines such as `4: FLOCK  ADVISORY  WRITE 6569 00:1b:1258 0 EOF`; those that wait have an arrow."""
    for line in locks.splitlines():
        _, *words = line.split()
        if len(words) == 7 and words[0] == "FLOCK" and _is_at(words[4], file) and words[3].isdecimal():
            yield LockOwner(int(words[3]), is_exclusive=words[2] == "WRITE")


def _is_at(place: str, file: os.stat_result) -> bool:
    """Whether `MAJOR:MINOR:INODE`, of which the first two are hexadecimal, is the file."""
    major, minor, inode = place.split(":")
    own = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}"
    same_device = own == f"{major}:{minor}" or own.partition(":")[0] == major == _ANONYMOUS
    return int(inode) == file.st_ino and same_device
