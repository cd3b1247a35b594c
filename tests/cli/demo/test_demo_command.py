"""The demo, as a person sees it."""

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from daemon.cli import commands
from daemon.simulator.stories import DEMO, demo_story, shown_since


def test_the_demo_shows_readings_an_alert_its_message_and_a_summary(restored_logging: None) -> None:
    """In seven seconds the balance falls below 100; rule, account and state are in one line."""
    result = CliRunner().invoke(commands, ["demo", "--for", "7s"])
    assert result.exit_code == 0
    shown = result.stdout
    assert re.search(
        r"^[\d:]+ reading +main: available_margin [\d.]+, al_freeze 0$", shown, re.MULTILINE
    )
    assert re.search(
        r"^[\d:]+ firing +low-margin on main at [\d.]+ \(alert \w{4}\)$", shown, re.MULTILINE
    )
    assert re.search(
        r"^  \| WARNING main: available_margin [\d.]+ \(below 100\)\n(  \| .*\n)+"
        r"  \| low-margin · alert \w{4} · since [\d:]+$",
        shown,
        re.MULTILINE,
    )
    assert re.search(
        r"^readings +\d\d, \d+ of them pushed\nmisses +0\nalerts +\d fired, 0 ended\nnotif",
        shown,
        re.MULTILINE,
    )
    assert re.search(r"^latency +\d+ ms from a change to its notification", shown, re.MULTILINE)
    assert shown.rstrip().splitlines()[-1].startswith("next           marginwatch init")


def test_a_duration_that_is_none_is_bad_usage() -> None:
    """Exit status 2, and what to write instead."""
    result = subprocess.run(
        [sys.executable, "-m", "daemon", "demo", "--for", "soon"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "30s" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("name", DEMO)
def test_the_instant_of_a_change_is_that_of_the_story(name: str) -> None:
    """The latency of the demo is counted from when the exchange began to show a number."""
    for elapsed in range(0, 30_000, 700):
        began = shown_since(name, elapsed)
        assert demo_story(name, began) == demo_story(name, elapsed)
        assert began == 0 or demo_story(name, began - 1) != demo_story(name, elapsed)
