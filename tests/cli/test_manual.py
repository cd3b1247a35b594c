"""The manual page."""

import shutil
import subprocess
from pathlib import Path

import pytest

from daemon.cli import COMMANDS, manual
from tests.cli.test_options import ALL

PAGE = Path(__file__).parents[2] / "docs" / "marginwatch.1"


def test_the_page_is_that_of_the_present_help() -> None:
    """`make man` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == manual.page()


def test_every_command_and_option_stands_in_it() -> None:
    """Also those that help does not list, and those of groups."""
    text = manual.page().replace("\\-", "-")
    for name, command in ALL.items():
        section = text.partition(f".SS marginwatch {name}")[2].partition(".SS")[0]
        assert section, name
        for option in command.params:
            assert option.opts[0] in section or not option.opts[0].startswith("-"), option
    assert {name.split()[0] for name in ALL} == set(COMMANDS)


def test_lines_of_text_are_none_of_the_language() -> None:
    """A dot or an apostrophe that begins a line would be a request, a backslash an escape."""
    requests = (".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".nf", ".fi", '.\\"')
    for line in manual.page().splitlines():
        assert line.isascii()
        assert not line.startswith("'")
        assert not line.startswith(".") or line.split()[0] in requests


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_it_renders_without_a_warning() -> None:
    """As man does it."""
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", str(PAGE)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "marginwatch silence add" in done.stdout.replace("\x1b[1m", "").replace("\x1b[0m", "")
