"""Keeps the process's memory, which holds secrets, out of core dumps and other processes."""

import ctypes
import resource

PR_SET_DUMPABLE = 4
"""Option of prctl(2)."""


def forbid() -> None:
    """Forbid core dumps, and let nobody but root look into the memory of this process.

    The limit alone is not enough: the kernel ignores it where a program such as systemd-coredump
    takes the dump (core(5)). Programs that this one starts inherit the limit, not the rest.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
