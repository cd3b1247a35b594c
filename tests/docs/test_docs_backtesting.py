"""docs/backtesting.md: its example is executed, and what it shows is what is printed."""

from pathlib import Path

import pytest

from daemon.types import DAY
from tests.cli.calls import call
from tests.docs.markdown import BACKTESTING
from tests.fakes import NOON, ManualClock

LATER = ManualClock(NOON + 30 * DAY)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the files of the page in it, as they stand there, and nothing else."""
    rules, other = BACKTESTING.blocks("toml")
    (tmp_path / "rules.toml").write_text(rules, encoding="utf-8")
    (tmp_path / "other.toml").write_text(other, encoding="utf-8")
    (tmp_path / "night.csv").write_text(BACKTESTING.blocks("csv")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_example_prints_what_is_shown(folder: Path) -> None:
    """Every command of the page, one after the other, in a folder with its files."""
    assert folder.exists()
    for block in BACKTESTING.blocks("console"):
        for part in block.removeprefix("$ ").split("\n$ "):
            command, _, shown = part.partition("\n")
            answered = call(*command.split()[1:], environ={}, clock=LATER)
            assert (answered.exit_code, answered.stdout) == (
                0,
                shown if shown.endswith("\n") or not shown else shown + "\n",
            )
