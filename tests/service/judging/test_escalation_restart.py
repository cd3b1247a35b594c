"""Promise 4: a restart, a suspend or a step of the clock does not move an escalation."""

from dataclasses import replace
from pathlib import Path

import pytest

from daemon.rules.rule import EscalationStep
from daemon.store.operations import Claim, MessageKey, NoticeState, RecordAttempt
from daemon.types import HOUR, MINUTE, AttemptResult, Message, Millis, Outcome, Severity
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


@pytest.mark.parametrize(("phone", "told"), [(True, []), (False, ["call"])])
async def test_a_removed_channel_hands_nothing_to_escalate_if_the_rest_of_the_rule_knows(
    tmp_path: Path, *, phone: bool, told: list[str]
) -> None:
    """E6, E5: mail could not be told and is taken out of the file, while the phone was told."""
    clock, path = RestlessClock(), tmp_path / "m.db"
    url, both = f"sqlite:///{path}", replace(LOW, channels=("phone", "mail"))
    async with Life(url, ["main"], [both], clock=clock, channels=("phone", "mail", "call")) as life:
        await life.tell({"main": answer(available_margin="90")})
        if phone:
            deliver(life, "phone")
        life.ending = RELOAD
    async with Life(url, ["main"], [LOW], clock=clock, channels=("phone", "call")) as life:
        await life.tell({"main": answer(available_margin="90")})
    assert [each for each, _ in rows(path, LATE) if each not in both.channels] == told


def deliver(life: Life, channel: str) -> None:
    """Record that the channel delivered what waits for it."""
    message = MessageKey(channel, life.clock.now(), 1)
    keys = tuple(each.notice.key for each in life.notifications.open(channel))
    states = dict.fromkeys(keys, NoticeState.DELIVERED)
    sent = AttemptResult(Outcome.DELIVERED)
    for operation in (
        Claim(message, keys, Message("low", "", Severity.WARNING)),
        RecordAttempt(message, life.clock.now(), sent, states),
    ):
        life.store.submit(operation).result()
