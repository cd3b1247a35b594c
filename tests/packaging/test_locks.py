"""The lock files pin by hash everything installed, built or used, and the tests ran with it."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())

PRODUCT = "requirements.lock"
DEV = "requirements-dev.lock"
BUILD = "requirements-build.lock"
TOOLS = "requirements-tools.lock"
LOCKS = (PRODUCT, DEV, BUILD, TOOLS)

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")


def _lines(lock: str) -> list[str]:
    """One line for each package, with its hashes."""
    text = (ROOT / lock).read_text().replace("\\\n", "")
    return [line for line in text.splitlines() if line and not line.startswith("--only-binary")]


def _pins(lock: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The versions that are installed in an environment, by canonical name."""
    pins = [Requirement(line.partition("--hash")[0].strip()) for line in _lines(lock)]
    return {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate(environment)
    }


def _environment(python: str = "") -> dict[str, str]:
    """The values for markers: this machine, with its own or another version of Python."""
    here = {name: str(value) for name, value in default_environment().items()}
    return (
        {**here, "python_version": python, "python_full_version": f"{python}.0"} if python else here
    )


def _closure(roots: Iterable[str], environment: Mapping[str, str]) -> set[str]:
    """All packages that some requirements bring along, by the metadata installed here."""
    found: set[tuple[str, str]] = set()
    waiting = [Requirement(root) for root in roots]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras} - {extra for known, extra in found if known == name}:
            found.add((name, extra))
            waiting.extend(_required(name, extra, environment))
    return {name for name, _ in found}


def _required(name: str, extra: str, environment: Mapping[str, str]) -> Iterator[Requirement]:
    """Requirements of an installed package with an extra; none if this Python does not need it."""
    try:
        texts = requires(name) or []
    except PackageNotFoundError:
        return
    for requirement in map(Requirement, texts):
        if requirement.marker is None or requirement.marker.evaluate(
            {**environment, "extra": extra}
        ):
            yield requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_by_hash(lock: str) -> None:
    """S13: each line has one version and hashes, no source builds, and no index of packages."""
    text = (ROOT / lock).read_text()
    assert text.splitlines()[0] == "--only-binary :all:"
    assert "://" not in text
    pinned = re.compile(
        r"[a-z0-9.-]+(\[[a-z,]+\])?==\S+( ; [^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*"
    )
    assert [line[:80] for line in _lines(lock) if not pinned.fullmatch(line)] == []


@pytest.mark.parametrize("python", SUPPORTED)
def test_the_lock_holds_what_the_program_needs_and_nothing_more(python: str) -> None:
    """S13: the wheel's requirements and all their requirements are pinned, for each Python."""
    project, environment = PROJECT["project"], _environment(python)
    roots = [*project["dependencies"], *project["optional-dependencies"]["postgresql"]]
    assert set(_pins(PRODUCT, environment)) == _closure(roots, environment)


@pytest.mark.parametrize("python", SUPPORTED)
def test_the_build_lock_holds_what_the_build_needs_and_nothing_more(python: str) -> None:
    """S13: `make wheel` builds with pinned versions only."""
    roots, environment = PROJECT["build-system"]["requires"], _environment(python)
    assert set(_pins(BUILD, environment)) == _closure(roots, environment)
    assert PROJECT["dependency-groups"]["build"] == roots


@pytest.mark.parametrize("lock", [PRODUCT, BUILD])
def test_what_is_installed_is_what_is_tested(lock: str) -> None:
    """S13: each line, with version and hashes, is one of the environment of the tests."""
    assert [line[:80] for line in _lines(lock) if line not in _lines(DEV)] == []


def test_the_tests_run_with_the_pinned_versions() -> None:
    """S13: the installed packages are those of the tests' lock file."""
    pinned = _pins(DEV, _environment())
    assert {name: version(name) for name in pinned} == pinned


def test_the_tools_are_pinned() -> None:
    """S13: uv and pip-audit are installed from a lock file."""
    tools = {Requirement(tool).name for tool in PROJECT["dependency-groups"]["tools"]}
    assert tools <= set(_pins(TOOLS, _environment()))


def test_pip_accepts_the_lock() -> None:
    """S13: README's command for the requirements succeeds, with nothing to do here."""
    command = ["install", "--require-hashes", "-r", PRODUCT]
    assert f"/pip {' '.join(command)}\n" in (ROOT / "README.md").read_text()
    done = _python("-m", "pip", *command, "--no-index", "--dry-run", "--quiet")
    assert (done.returncode, done.stdout) == (0, "")


AUDITED = '{"name": "a", "version": "1", "vulns": []}'
SKIPPED = '{"name": "b", "skip_reason": "not found at https://index.example/b"}'
FOUND = '{"name": "c", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3", "4"]}]}'
UNMENDED = '{"name": "d", "version": "2", "vulns": [{"id": "CVE-2", "fix_versions": []}]}'
SILENT = "not checked: the database of known vulnerabilities gave no answer; try again later"
UNKNOWING = "not checked: the database of known vulnerabilities knows none of the packages"


@pytest.mark.parametrize(
    ("packages", "status", "printed"),
    [
        pytest.param(None, 0, [SILENT], id="no answer"),
        pytest.param([SKIPPED], 0, [UNKNOWING], id="knows nothing"),
        pytest.param(
            [AUDITED], 0, ["no known vulnerability", "checked: 1 of 1 packages"], id="clean"
        ),
        pytest.param(
            [AUDITED, SKIPPED],
            0,
            ["no known vulnerability", "checked: 1 of 2 packages", "not checked: b"],
            id="knows some",
        ),
        pytest.param(
            [AUDITED, FOUND, UNMENDED],
            1,
            [
                "c 2: CVE-1, mended in 3, 4",
                "d 2: CVE-2, mended in no version yet",
                "checked: 3 of 3 packages",
            ],
            id="findings",
        ),
    ],
)
def test_an_audit_says_what_it_did_not_check(
    packages: list[str] | None, status: int, printed: list[str]
) -> None:
    """S13: only a finding fails `make audit`; skipped packages are listed, without a registry."""
    answer = "" if packages is None else f'{{"dependencies": [{", ".join(packages)}], "fixes": []}}'
    done = _python(".ci/audit.py", stdin=answer)
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (status, printed, "")


def _python(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
