"""How systemd saw the daemon end: what it answers, in words."""

from pathlib import Path

import pytest

from daemon.cli.last_words.unit_status import PROPERTIES, UnitStatus, ask, parse
from daemon.service import systemd

SHOWN = """\
ActiveState=failed
Result=exit-code
ExecMainCode=1
ExecMainStatus=78
StatusText=failed: rules "low" (line 3).when: x = 5
"""


def test_what_systemd_shows_is_read() -> None:
    """Values may hold an equals sign; what the daemon says on other occasions are no last words."""
    assert parse(SHOWN) == UnitStatus(
        "failed", "exit-code", 1, 78, 'rules "low" (line 3).when: x = 5'
    )
    assert parse(SHOWN.replace("failed: rules", "reloaded: rules")).said == ""
    assert parse("nonsense\nExecMainStatus=[not set]\n") == UnitStatus()


def test_what_the_daemon_says_at_its_end_is_one_line_that_is_read_again() -> None:
    """The first of several mistakes stands for all."""
    status = systemd.failing('rules "low" (line 3).when: no such field\n    x > 5\n    ^')
    assert status == 'STATUS=failed: rules "low" (line 3).when: no such field'
    assert (
        parse(status.replace("STATUS", "StatusText")).said
        == 'rules "low" (line 3).when: no such field'
    )


@pytest.mark.parametrize(
    ("ending", "sentence"),
    [
        (
            UnitStatus("failed", "exit-code", 1, 78),
            "it ended with exit status 78 (bad configuration)",
        ),
        (UnitStatus("failed", "exit-code", 1, 1), "it ended with exit status 1"),
        (UnitStatus("failed", "signal", 2, 9), "it was killed by SIGKILL"),
        (UnitStatus("failed", "core-dump", 3, 11), "it was killed by SIGSEGV"),
        (UnitStatus("failed", "signal", 2, 99), "it was killed by signal 99"),
        (
            UnitStatus("failed", "oom-kill", 2, 9),
            "it was killed because the machine ran out of memory",
        ),
        (
            UnitStatus("failed", "timeout", 2, 9),
            "it took too long to start or to stop, and was killed",
        ),
        (UnitStatus("failed", "exec-condition"), "it ended, and systemd does not say why"),
        (UnitStatus(), "it ended, and systemd does not say why"),
    ],
)
def test_why_it_ended_is_a_sentence(ending: UnitStatus, sentence: str) -> None:
    """By its result where that says more than its status."""
    assert ending.sentence == sentence


def program(folder: Path, text: str) -> None:
    """A `systemctl` of our own."""
    path = folder / "systemctl"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_the_unit_is_asked_for_by_name(tmp_path: Path) -> None:
    """One question for all that is to be known."""
    program(tmp_path, f'echo "$@" > {tmp_path}/asked; printf "{SHOWN}"')
    assert ask("marginwatch.service", [tmp_path / "none", tmp_path]).status == 78
    asked = (tmp_path / "asked").read_text().strip()
    assert asked == f"show --property {','.join(PROPERTIES)} -- marginwatch.service"


def test_where_systemd_does_not_answer_nothing_is_known(tmp_path: Path) -> None:
    """An unknown status where systemctl fails, as in a container, or does not exist."""
    assert ask("marginwatch.service", [tmp_path]) == UnitStatus()
    program(tmp_path, "echo System has not been booted with systemd >&2; exit 1")
    assert ask("marginwatch.service", [tmp_path]) == UnitStatus()


def test_s13_systemctl_is_the_systems_own_and_gets_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S13: a systemctl in PATH is not run; the real one gets only a language and a path."""
    (tmp_path / "hostile").mkdir()
    program(tmp_path / "hostile", f"env > {tmp_path}/caught")
    program(tmp_path, f"env > {tmp_path}/seen")
    monkeypatch.setenv("PATH", str(tmp_path / "hostile"), prepend=":")
    monkeypatch.setenv("COINW_KEY", "planted-key-4711")
    ask("marginwatch.service")
    ask("marginwatch.service", [tmp_path])
    assert not (tmp_path / "caught").exists()
    seen = {line.partition("=")[0] for line in (tmp_path / "seen").read_text().splitlines()}
    assert seen <= {"LC_ALL", "PATH", "PWD", "SHLVL", "_"}
