"""Options that several commands share."""

from pathlib import Path

import pytest

from tests.cli.calls import CHANNEL, RULE, account, call, record, write
from tests.fakes import NOON, ManualClock


@pytest.mark.parametrize(
    "command",
    ["history", "gaps", "alerts", "notifications", "status", "silence list", "backtest"],
)
def test_json_is_short_for_its_format(tmp_path: Path, command: str) -> None:
    """Every command that has formats takes it, beside the long form."""
    record(tmp_path)
    path = write(tmp_path, account(), RULE, CHANNEL)
    shown = [
        call(*command.split(), *asked, "--config", path, clock=ManualClock(NOON))
        for asked in (["--json"], ["--format", "json"], ["--format", "csv", "--json"])
    ]
    assert shown[0].stdout == shown[1].stdout == shown[2].stdout
    assert shown[0].stdout.strip()[0] in "[{"
