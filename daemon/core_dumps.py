"""Keeps the process's memory, which holds secrets, out of core dumps and from other processes of
this user.
"""

import ctypes
import resource

PR_SET_DUMPABLE = 4
"""Of prctl(2)."""


def forbid() -> None:
    """Let the kernel write no core dump, whatever ends the process; nobody but root may look into
    its memory.

    The limit alone would not do: the kernel ignores it where a program such as systemd-coredump
    takes the dump (core(5)). Programs that this one starts inherit the limit, not the rest.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
