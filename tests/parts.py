"""Parts of a machine that some tests use for real: their location, and a private PostgreSQL.

A missing part skips its tests, visibly. Where CI must have it,
`MARGINWATCH_REQUIRE=postgresql,systemd` turns that skip into a failure.
"""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = {
    "postgresql": "initdb",
    "systemd": "systemd-analyze",
    "promtool": "promtool",
    "faketime": "faketime",
}
"""The program whose presence proves a part, by part."""

WHERE_DEBIAN_KEEPS_POSTGRESQL = "/usr/lib/postgresql/*/bin"


def find(part: str) -> Path | None:
    """The program of a part, if this machine has it."""
    on_path = shutil.which(PROGRAMS[part])
    if on_path:
        return Path(on_path).resolve()
    kept = sorted(Path("/").glob(f"{WHERE_DEBIAN_KEEPS_POSTGRESQL.lstrip('/')}/{PROGRAMS[part]}"))
    return kept[-1] if kept else None


def require(part: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The program of a part; without it the test is skipped, or fails if the part is required."""
    program = find(part)
    if program is not None:
        return program
    reason = f"this machine has no {part} ({PROGRAMS[part]} not found)"
    if part in environ.get("MARGINWATCH_REQUIRE", "").split(","):
        pytest.fail(f"{reason}, and MARGINWATCH_REQUIRE names it", pytrace=False)
    pytest.skip(reason)


@contextlib.contextmanager
def postgresql(initdb: Path) -> Iterator[str]:
    """A private, empty cluster on loopback that nobody else uses; gives its URL for SQLAlchemy."""
    with cluster(initdb) as running:
        yield running.url


@contextlib.contextmanager
def cluster(initdb: Path) -> Iterator["Cluster"]:
    """The same, for a test that stops it and starts it again; it must run at the end."""
    home = Path(tempfile.mkdtemp(prefix="marginwatch-pg-"))
    running = Cluster(initdb.parent, home, _unprivileged())
    try:
        running.create()
        running.start()
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(home)


@dataclass(slots=True)
class Cluster:
    programs: Path
    home: Path
    user: str | None
    """Whose processes it runs as: PostgreSQL refuses to run as root."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://owner@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        if self.user is not None:
            shutil.chown(self.home, self.user)
        self.run(
            "initdb",
            "--username=owner",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        )

    def start(self) -> None:
        """Start on a free port; another program may take it first, so a few are tried."""
        for _ in range(4):
            self.port = _free_port()
            with contextlib.suppress(subprocess.CalledProcessError):
                return self.start_again()
        return self.start_again()

    def stop(self) -> None:
        """Stop as a failing machine does: no connection is ended in order."""
        self.run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def start_again(self) -> None:
        """On the port that it had."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.home,
            "fsync": "off",
            "shared_buffers": "16MB",
            "max_connections": 40,
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self.run("pg_ctl", "start", "--wait", f"--log={self.home / 'log'}", f"--options={options}")

    def run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), f"--pgdata={self.home / 'data'}", *arguments]
        # A failure shows its output, and no server keeps a pipe of ours open.
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            cwd=self.home,
            user=self.user,
            group=None if self.user is None else pwd.getpwnam(self.user).pw_gid,
            extra_groups=None if self.user is None else [],
        )


def _unprivileged() -> str | None:
    """Somebody else when we are root, else ourselves (None)."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
