"""Files that other users could change, and files that are none, before the running daemon and
`check`.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.calls import call, write
from tests.end_to_end.running import STOPS_WITHIN, Stage, send, stage
from tests.end_to_end.test_reload import readies

REFUSED = (
    "READY=1\nSTATUS=the configuration was not reloaded (see the log): the old one is in force"
)
READABLE = "holds secrets and can be read by every user of this machine; chmod 600 "


async def reload(it: Stage) -> str:
    """Reload; return what the service manager hears at the end."""
    heard = len(readies(it))
    send(it.life.process, signal.SIGHUP)
    await it.until(lambda: len(readies(it)) > heard)
    return readies(it)[-1]


def piped(file: Path) -> None:
    """A pipe that nobody writes to, in the place of the file."""
    file.unlink()
    os.mkfifo(file)


def endless(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def writable(file: Path) -> None:
    file.chmod(0o666)


def in_an_open_folder(file: Path) -> None:
    file.parent.chmod(0o777)


SPOILT: tuple[tuple[Callable[[Path], None], str], ...] = (
    (piped, "is a pipe or a device, not a file"),
    (endless, "is a pipe or a device, not a file"),
    (writable, "can be written by every user of this machine; chmod go-w "),
    (in_an_open_folder, "can be written by every user of this machine; chmod go-w "),
)


async def test_s4_s7_the_daemon_reloads_no_file_that_is_none_or_that_others_could_write(
    tmp_path: Path,
) -> None:
    """S4, S7: each is refused with a remedy, the configuration stays, and a stop still works."""
    async with stage(tmp_path / "watch") as it:
        text = it.config.read_text()
        it.config.chmod(0o644)
        await it.start()
        assert f"{it.config}: {READABLE}{it.config} (a later release will refuse this)" in it.said()
        for spoil, sentence in SPOILT:
            spoil(it.config)
            assert await reload(it) == REFUSED
            assert sentence in it.said().splitlines()[-2]
            it.config.unlink()
            it.config.write_text(text)
            it.config.chmod(0o600)
            it.config.parent.chmod(0o700)
        assert await reload(it) == "READY=1\nSTATUS=reloaded"
        piped(it.config)
        assert await reload(it) == REFUSED
        assert await it.stop(within=STOPS_WITHIN) == 0
        it.config.unlink()
        it.config.write_text(text)
        it.config.chmod(0o602)
        assert await (await it.begin()).over() == 78


@pytest.mark.parametrize(("spoil", "sentence"), SPOILT)
def test_s4_s7_check_says_so(tmp_path: Path, spoil: Callable[[Path], None], sentence: str) -> None:
    """S4, S7: with exit status 78."""
    path = write(tmp_path)
    spoil(path)
    result = call("check", "--config", path)
    assert (result.exit_code, sentence in result.stderr) == (78, True), result.output
