"""The wheel, built from this checkout and installed elsewhere: complete, and it runs.

No network: dependencies come from the environment of the tests, through a path that comes last.
"""

import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from daemon import __version__

ROOT = Path(__file__).parents[2]
OFFLINE = ("--quiet", "--no-index", "--no-deps")

CONFIG = """
[[accounts]]
name = "main"
api_key = "planted-key"
secret_key = "planted-secret"
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """A virtual environment with the wheel in it, and a folder that is not the checkout."""

    home: Path
    elsewhere: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "COV"))
        }
        environ.pop("MARGINWATCH_CONFIG", None)
        return subprocess.run(
            [self.home / "bin" / program, *arguments],
            cwd=self.elsewhere,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make wheel` does, from the checkout as it stands."""
    built = tmp_path_factory.mktemp("dist")
    _python("pip", "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", str(built), str(ROOT))
    (found,) = built.iterdir()
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False, symlinks=True)
    _python(
        "pip",
        "--python",
        str(home / "bin/python"),
        "install",
        *OFFLINE,
        "--force-reinstall",
        str(wheel),
    )
    (packages,) = home.glob("lib/python*/site-packages")
    # Comes after the environment's own packages; what is in it is found, its own .pth files are not
    # followed.
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(home, tmp_path_factory.mktemp("elsewhere"))


def _python(module: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def _below(folder: str, *suffixes: str) -> Iterator[Path]:
    return (
        path
        for path in (ROOT / folder).rglob("*")
        if path.suffix in suffixes and "__pycache__" not in path.parts
    )


def test_it_holds_what_the_program_needs(wheel: Path) -> None:
    """The wheel holds migrations, example, units, grammar, recipes, type marker and all code."""
    bundled = {f"daemon/_bundled/{path.relative_to(ROOT)}" for path in _below("migrations", ".py")}
    code = {
        str(path.relative_to(ROOT)) for path in _below("daemon", ".py", ".lark", ".toml", ".typed")
    }
    examples = {"daemon/_bundled/rules.toml", "daemon/_bundled/rules.test.toml"}
    endings = (".service", "-last-words.service", "-backup.service", "-backup.timer")
    units = {f"daemon/_bundled/systemd/marginwatch{ending}" for ending in endings}
    wanted = {*examples, *units, "daemon/py.typed"}
    assert (bundled | code | wanted | {"daemon/rules/language/grammar.lark"}) - _names(
        wheel
    ) == set()
    assert any(name.endswith("/0001_first.py") for name in bundled)


def test_it_holds_nothing_else(wheel: Path) -> None:
    """No tests, no benchmarks, no caches, no databases: the package and its metadata."""
    names = _names(wheel)
    assert {name.partition("/")[0] for name in names} == {
        "daemon",
        f"marginwatch-{__version__}.data",
        f"marginwatch-{__version__}.dist-info",
    }
    manual = f"marginwatch-{__version__}.data/data/share/man/man1/marginwatch.1"
    assert [name for name in names if ".data/" in name] == [manual]
    assert [name for name in names if _stray(name)] == []


def _stray(name: str) -> bool:
    tests = any(part == "tests" or part.startswith("test_") for part in Path(name).parts)
    return tests or "__pycache__" in name or name.endswith((".pyc", ".db"))


def test_it_asks_for_what_is_pinned(wheel: Path) -> None:
    """S13: the wheel requires what pyproject.toml names; test_locks.py compares the lock file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]["postgresql"]
    wanted = [*project["dependencies"], *(f"{each}; extra == 'postgresql'" for each in optional)]
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"marginwatch-{__version__}.dist-info/METADATA")
    asked = message_from_bytes(metadata).get_all("Requires-Dist", [])
    assert {Requirement(each) for each in asked} == {Requirement(each) for each in wanted}


def test_it_runs_from_where_it_is_installed(installed: Installed) -> None:
    """The installed package runs, and prints its version."""
    done = installed.run("python", "-c", "import daemon; print(daemon.__file__)")
    assert Path(done.stdout.strip()).is_relative_to(installed.home)
    assert installed.run("marginwatch", "--version").stdout == f"marginwatch {__version__}\n"


def test_it_makes_a_database(installed: Installed) -> None:
    """The migrations are found in the wheel: a fresh configuration gets its database."""
    (installed.elsewhere / "rules.toml").write_text(CONFIG)
    done = installed.run("marginwatch", "db", "upgrade")
    assert (done.returncode, done.stdout, done.stderr) == (0, "the database is up to date\n", "")
    assert (installed.elsewhere / "marginwatch.db").stat().st_size > 0


def test_the_demo_shows_an_alert_and_its_end(installed: Installed) -> None:
    """`marginwatch demo --for 20s` shows readings, an alert, its message, its end, and the sums."""
    done = installed.run("marginwatch", "demo", "--for", "20s")
    assert (done.returncode, done.stderr) == (0, "")
    words = [line.split()[1:4] for line in done.stdout.splitlines() if line[:2].isdigit()]
    assert ["firing", "low-margin", "on"] in words
    assert ["resolved", "low-margin", "on"] in words
    assert "| WARNING main: available_margin " in done.stdout
    summary = done.stdout.rpartition("\n\n")[2]
    assert [line.split()[0] for line in summary.splitlines()[1:]] == [
        "readings",
        "misses",
        "alerts",
        "notifications",
        "latency",
        "next",
    ]
