"""Promise 4: a restart, a suspend or a step of the clock does not move an escalation."""

from pathlib import Path

import pytest

from daemon.rules.rule import EscalationStep
from daemon.types import HOUR, MINUTE, Millis
from tests.service.lives import KILL, RELOAD, STOP, Life, RestlessClock, Step, rows
from tests.values import answer, rule

LOW = rule(channels=("phone",), escalate=(EscalationStep(15 * MINUTE, ("call",)),), repeat=None)
LATE = "SELECT channel, json_extract(facts, '$.unacknowledged') FROM notifications ORDER BY id"


@pytest.mark.parametrize("ending", [STOP, KILL, RELOAD])
@pytest.mark.parametrize("by", [0, -HOUR, HOUR])
async def test_the_time_goes_on_over_a_restart_and_a_step(
    tmp_path: Path, ending: str, by: Millis
) -> None:
    """E6, A5: five minutes before, ten minutes after; the delivery does not matter."""
    clock, path = RestlessClock(), tmp_path / "m.db"
    begun = clock.elapsed()

    def life() -> Life:
        return Life(f"sqlite:///{path}", ["main"], [LOW], clock=clock, channels=("phone", "call"))

    async with life() as first:
        await first.tell({"main": answer(available_margin="90")})
        if by:
            await first.tell({"main": Step(by)})
        await clock.advance(5 * MINUTE)
        first.ending = ending
    async with life() as second:
        await clock.advance(begun + 15 * MINUTE - 1 - clock.elapsed())
        await second.tell({"main": answer(available_margin="89")})
        assert rows(path, LATE) == [("phone", None)]
        await clock.advance(1)
        await second.tell({"main": answer(available_margin="88")})
        assert rows(path, LATE) == [("phone", None), ("call", 15 * MINUTE)]
    async with life() as third:
        await clock.advance(HOUR)
        await third.tell({"main": answer(available_margin="87")})
    assert len(rows(path, LATE)) == 2


async def test_a_time_without_a_daemon_counts(tmp_path: Path) -> None:
    """E6: the first reading after it escalates, the start itself does not."""
    clock, path = RestlessClock(), tmp_path / "m.db"
    for _ in range(2):
        async with Life(
            f"sqlite:///{path}", ["main"], [LOW], clock=clock, channels=("phone", "call")
        ) as life:
            assert "call" not in {channel for channel, _ in rows(path, LATE)}
            await life.tell({"main": answer(available_margin="90")})
        await clock.advance(2 * HOUR)
    assert rows(path, LATE) == [("phone", None), ("call", 2 * HOUR)]
