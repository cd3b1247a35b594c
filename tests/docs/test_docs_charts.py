"""docs/charts.md: its example is executed, and its picture is the one that comes of it."""

from pathlib import Path

import pytest
from PIL import Image, ImageChops

from daemon.types import DAY
from tests.cli.calls import call
from tests.docs.markdown import CHARTS, ROOT
from tests.fakes import NOON, ManualClock

LATER = ManualClock(NOON + 30 * DAY)
ALIKE = 0.02
"""Allowed share of different pixels: another version of the library may draw slightly otherwise."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Like a checkout, with the page's configuration in it."""
    (tmp_path / "rules.toml").write_text(CHARTS.blocks("toml")[0], encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "chart.csv").write_bytes((ROOT / "docs" / "chart.csv").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_pictures_shown_are_those_that_are_drawn(folder: Path) -> None:
    """F8: the commands of the examples print what is shown, and draw the pictures of the page."""
    for block in CHARTS.blocks("console"):
        for part in block.removeprefix("$ ").split("\n$ "):
            command, _, shown = part.partition("\n")
            answered = call(*command.split()[1:], environ={}, clock=LATER)
            assert (answered.exit_code, answered.stdout.strip()) == (0, shown.strip())
    for name in ("chart.png", "fields.png"):
        ours, theirs = (Image.open(path / name).convert("L") for path in (folder, ROOT / "docs"))
        assert ours.size == theirs.size
        difference = ImageChops.difference(ours, theirs)
        changed = difference.point(lambda grey: 255 * (grey > 32)).histogram()[255]
        assert changed < ALIKE * ours.width * ours.height
