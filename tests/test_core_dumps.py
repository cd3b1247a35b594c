"""The memory of a process, which holds secrets, reaches no file and no process of the user."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from daemon.store import upgrade
from tests.cli.calls import RULE, account, url, write
from tests.other_users import User, needs_root, open_folder

FORBIDDEN = """
import ctypes, json, os, resource, subprocess, sys
from daemon import core_dumps
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(20_001)
    os.setuid(20_001)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
core_dumps.forbid()
kept = os.open("/etc/passwd", os.O_RDONLY)
print(json.dumps({
    "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
    "limits": resource.getrlimit(resource.RLIMIT_CORE),
    "file": os.readlink(f"/proc/self/fd/{kept}"),
    "read": open(f"/proc/self/fd/{kept}").read(5),
    "child": subprocess.run(["/bin/echo", "well"], capture_output=True, text=True).stdout,
    "name": open(f"/proc/self/status").read(5),
}))
"""


def test_s13_a_user_without_rights_can_do_all_the_rest() -> None:
    """S13: its own descriptors, files behind them and new programs still work."""
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {
        "dumpable": 0,
        "limits": [0, 0],
        "file": "/etc/passwd",
        "read": "root:",
        "child": "well\n",
        "name": "Name:",
    }


def test_s13_the_daemon_leaves_no_core_dump() -> None:
    """S13: its limit is zero, and only root may look into it; an abort leaves nothing behind."""
    needs_root()
    with open_folder() as folder:
        config = write(folder, account(api_key="key-4711", secret_key="secret-4711"), RULE)
        upgrade(url(folder))
        for path in (folder, *folder.iterdir()):
            os.chown(path, 20_001, 20_001)
        with User(20_001, 20_001).daemon(config) as daemon:
            assert any(" started " in line for line in daemon.log)
            limits = Path(f"/proc/{daemon.pid}/limits").read_text()
            assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)
            assert Path(f"/proc/{daemon.pid}/environ").stat().st_uid == 0
            daemon.send(signal.SIGABRT)
            assert daemon.wait() == -signal.SIGABRT
        assert not list(folder.glob("core*"))
