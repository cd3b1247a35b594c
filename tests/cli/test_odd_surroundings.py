"""Odd surroundings: closed and full streams, a deleted folder, a bad time zone, devices."""

import os
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from daemon.types import DAY, MINUTE, Record
from tests.cli.calls import SECRETS, Terminal, call, record, write
from tests.cli.past import LOW, lived
from tests.fakes import NOON, ManualClock
from tests.values import reading, rule

LATER = ManualClock(NOON + MINUTE)
FOR_EVER = 99_999_999_999 * DAY


def shell(folder: Path, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A line of shell in which `marginwatch` is the real program."""
    program = f"{shlex.quote(sys.executable)} -m daemon"
    home = Path(__file__).parents[2]
    return subprocess.run(
        ["/bin/sh", "-c", script.replace("marginwatch", program)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(home), **SECRETS, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("script", "status", "said"),
    [
        ("marginwatch import - <&-", 1, "standard input:1: is empty: "),
        (
            "marginwatch init --config new.toml <&-",
            1,
            "the answers ended before the questions did: nothing is written",
        ),
        ("marginwatch nope 2>/dev/full", 2, ""),
        ("marginwatch nope 2>&-", 2, ""),
        ("marginwatch check >&- 2>&- <&-", 0, ""),
        (
            "mkdir a; cd a; rmdir ../a; marginwatch check --config $HOME/rules.toml",
            1,
            "the folder in which this was",
        ),
        (
            "mkdir a; cd a; rmdir ../a; marginwatch init",
            1,
            "the folder in which this was called is gone: change to one",
        ),
    ],
)
def test_streams_and_folders_that_are_not_there(
    tmp_path: Path, script: str, status: int, said: str
) -> None:
    """Surroundings: one sentence and the right status, whatever is closed, full or gone."""
    write(tmp_path)
    done = shell(tmp_path, script, HOME=str(tmp_path))
    told = [line for line in done.stderr.splitlines() if "getcwd" not in line]  # that of the shell
    assert done.returncode == status
    assert len(told) == (1 if said else 0) + ("import" in script)
    assert (told or [""])[0].startswith(said)


def test_a_system_zone_that_is_none(tmp_path: Path) -> None:
    """An offset of more than a day is refused only where the system's zone is used."""
    path = write(tmp_path, timezone="")
    words = (
        "daemon.timezone: the system's (the variable TZ) is none; correct TZ, or write one such as"
        ' "UTC"\n'
    )
    refused = shell(tmp_path, "marginwatch history", TZ="UTC+25")
    assert (refused.returncode, refused.stdout, refused.stderr) == (78, "", words)
    record(tmp_path, Record("main", reading(2, NOON)))
    path.write_text(path.read_text().replace('timezone = ""', 'timezone = "UTC"'))
    shown = shell(tmp_path, "marginwatch history --since 2026-01-01 --format csv", TZ="UTC+25")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "2026-01-01T11:00:00.000+00:00" in shown.stdout


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a\0b = 1\n", "is not text in UTF-8 (byte 1); save it as UTF-8"),
        ("every = 1\n".encode("utf-16-le"), "is not text in UTF-8 (byte 1); save it as UTF-8"),
        ("every = 1\n".encode("utf-16"), "is not text in UTF-8 (byte 0); save it as UTF-8"),
    ],
)
def test_a_configuration_that_is_no_text(tmp_path: Path, content: bytes, sentence: str) -> None:
    """Surroundings: what Windows saved in UTF-16 is named as such, with or without its mark."""
    path = tmp_path / "rules.toml"
    path.write_bytes(content)
    result = call("check", "--config", path)
    assert (result.exit_code, result.stderr) == (78, f"{path}: {sentence}\n")


def test_a_configuration_without_an_end(tmp_path: Path) -> None:
    """Surroundings: a device is not read at all, and a large file not until the memory is full."""
    result = call("check", "--config", "/dev/zero")
    assert result.exit_code == 78
    assert (
        result.stderr
        == "/dev/zero: is a pipe or a device, not a file; save it as a file, and name that\n"
    )
    with (tmp_path / "large.toml").open("wb") as large:
        large.truncate(1 << 32)
    result = call("check", "--config", tmp_path / "large.toml")
    assert result.exit_code == 78
    assert (
        result.stderr
        == f"{tmp_path}/large.toml: is larger than 1 MB, so it is no rules.toml; name another"
        " file\n"
    )


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_on_any_system(tmp_path: Path, ending: str) -> None:
    """Surroundings: a rules.toml of Linux, Windows or an old editor."""
    path = write(tmp_path)
    path.write_bytes(path.read_text().replace("\n", ending).encode())
    assert call("check", "--config", path).exit_code == 0


def test_a_terminal_of_no_width(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Surroundings: COLUMNS=0, as some editors and cron set it, hides nothing."""
    record(tmp_path, Record("main", reading(2, NOON)))
    terminal = Terminal()
    monkeypatch.setenv("COLUMNS", "0")
    monkeypatch.setattr(sys, "stdout", terminal)
    from daemon.cli.output.tables import Table  # noqa: PLC0415 -- the real one, with this terminal

    Table(("account", "value"), [["main", "500"]]).write()
    assert "main" in terminal.getvalue()
    assert "500" in terminal.getvalue()


@pytest.mark.parametrize("lasts", ["99999999999d", "367d"])
def test_a_silence_that_would_outlast_the_calendar(tmp_path: Path, lasts: str) -> None:
    """Surroundings: it is refused, and nothing is recorded that no command could show any more."""
    lived(tmp_path, [rule()], [{"main": LOW}])
    path = write(tmp_path)
    result = call("silence", "add", "--rule", "low", "--for", lasts, "--config", path, clock=LATER)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "--for must be at most 366d: give the end with --until instead\n"


@pytest.mark.parametrize(
    "until", ["9999-12-31", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59+14:00"]
)
def test_a_silence_for_ever(tmp_path: Path, until: str) -> None:
    """Instants at the last days of the calendar can be shown in every zone."""
    lived(tmp_path, [rule()], [{"main": LOW}])
    path = write(tmp_path)
    assert (
        call(
            "silence", "add", "--rule", "low", "--until", until, "--config", path, clock=LATER
        ).exit_code
        == 0
    )
    assert "9999-12-30" in call("silence", "list", "--config", path, clock=LATER).stdout


def test_what_an_earlier_version_recorded_can_be_shown_and_ended(tmp_path: Path) -> None:
    """A silence that ends after the calendar does not break status, and can be ended."""
    lived(tmp_path, [rule()], [{"main": LOW}])
    path = write(tmp_path)
    call("silence", "add", "--rule", "low", "--until", "9999-12-31", "--config", path, clock=LATER)
    with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as connection, connection:
        connection.execute("UPDATE silences SET ended_at = ?", (FOR_EVER,))
    for command in ("status", "silence list", "silence list --format csv", "silence end 1"):
        result = call(*command.split(), "--config", path, clock=LATER)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "9999-12-30" in result.stdout
    assert (
        "silence 1"
        not in call("status", "--config", path, clock=ManualClock(NOON + 2 * MINUTE)).stdout
    )


def test_s13_a_hostile_folder_runs_nothing_of_its_own(tmp_path: Path) -> None:
    """S13: the program is not loaded from the present folder, nor with `python -P -m daemon`."""
    (tmp_path / "daemon").mkdir()
    for name in ("daemon/__init__.py", "daemon/__main__.py", "click.py", "typing.py"):
        (tmp_path / name).write_text("raise SystemExit('hostile')")
    for command in (
        [str(Path(sys.executable).with_name("marginwatch"))],
        [sys.executable, "-P", "-m", "daemon"],
    ):
        shown = subprocess.run(
            [*command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert shown.stdout.startswith("marginwatch ")
