"""Somebody sets the clock of the machine, which the daemon, its scheduler and its libraries all
read by themselves.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.types import SECOND
from tests.cli.calls import call
from tests.end_to_end.running import HIGH, Stage, stage
from tests.service.lives import rows

RULES = """
[[rules]]
name = "held"
when = "available_margin < 100"
for = "3s"

[[rules]]
name = "silent"
when = "age > 5m"

[system]
clock-stepped = "off"
clock-skew = "off"
"""


def wear(it: Stage, program: Path) -> Callable[[int], None]:
    """Give the daemon a wall clock that can be set; its other clocks stay the machine's."""
    (library,) = program.parent.parent.glob("lib/*/faketime/libfaketimeMT.so.1")
    setting = it.folder / "clock"
    it.environ |= {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(setting),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }

    def turn(seconds: int) -> None:
        setting.write_text(f"{seconds:+d}")

    turn(0)
    return turn


@pytest.mark.parametrize("by", [-3 * 3_600, -2, 2, 600])
async def test_a5_polling_and_judging_go_on_when_the_clock_is_set(
    tmp_path: Path, require: Callable[[str], Path], by: int
) -> None:
    """A5, B1: after a step of any size readings go on; `for` and `age` measure elapsed time."""
    program = require("faketime")
    async with stage(tmp_path, rules=RULES) as it:
        turn = wear(it, program)
        await it.start()
        await it.until(lambda: it.told("main", HIGH) >= 3)
        turn(by)
        await it.until(lambda: rows(it.database, "SELECT * FROM gaps"))
        seen = len(it.asked("main"))
        await it.until(lambda: len(it.asked("main")) >= seen + 3)
        it.show("main", "20")
        await it.until(lambda: it.receiver.heard)
        assert await it.stop() == 0
    [(step,)] = rows(it.database, "SELECT step_ms FROM gaps")
    assert abs(int(str(step)) - by * SECOND) < SECOND
    assert [heard.title for heard in it.receiver.heard] == [
        "WARNING main: available_margin 20 (below 100)"
    ]
    [(held,)] = rows(
        it.database,
        "SELECT max(at) - min(at) FROM transitions JOIN alerts ON alerts.id = alert_id WHERE rule ="
        " 'held'",
    )
    assert 3 * SECOND <= int(str(held)) < 6 * SECOND
    assert call("backtest", "--verify", "--config", it.config).exit_code == 0
